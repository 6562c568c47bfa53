//! Accept, route, connect, splice and meter.
