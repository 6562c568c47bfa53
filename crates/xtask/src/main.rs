//! What a developer runs: tests, documents, benchmarks.

fn main() {}
