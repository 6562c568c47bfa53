//! Any listen endpoint to any destination: the library.
