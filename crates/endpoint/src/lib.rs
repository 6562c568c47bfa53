//! The vocabulary: Listener, Connector, layers, connections, facts, kinds and the registry.
