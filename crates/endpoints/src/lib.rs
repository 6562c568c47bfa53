//! The endpoint kinds that ship.
