//! The language: text to a tree with spans, quoting, templates and diagnostics.
