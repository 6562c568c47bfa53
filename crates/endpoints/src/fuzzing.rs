//! Parsers of files and answers, for the fuzz targets. They are private otherwise.

/// Reads the text of a file as every list of users, tokens and routes.
pub fn lists(text: &str) {
    crate::auth::fuzzing(text);
    crate::route::fuzzing(text);
}

/// Reads an answer of a server or a program as a route.
pub use crate::route::fuzzing_answer as answer;

/// Selects a line of a websocksy file. Returns its peer as a descriptor, and the subprotocol.
pub use crate::route::fuzzing_websocksy as websocksy;

/// Fills in an expression that names a websocksy file.
pub use crate::route::fuzzing_expression as expression;
