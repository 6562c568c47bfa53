//! RFC 6455 frames as bytes in, events and bytes out; no I/O.
