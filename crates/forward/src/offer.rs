//! From an offer to a session.
