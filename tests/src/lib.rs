//! The harness: the real binary, real peers, and sockets that misbehave on purpose.
//!
//! 1. [`Forwarder`] starts the binary, waits until it listens and returns the addresses; [`run`] runs it to its end.
//! 2. [`Peer`] is any other program with the same guarantees: socat, nc, a Python script in the pinned venv.
//! 3. [`net`] has raw TCP ends (stalled, reset, half-closed, a full accept queue), [`ws`] raw WebSocket ends.
//!    [`netns`] has a cable between two network namespaces that can be pulled.
//! 4. [`data`] makes bytes from a seed and reports the first wrong byte.
//! 5. [`Tap`] looks at what two WebSocket ends send each other.
//! 6. [`browser`] is Chromium, which sees pages and types into them; [`firefox`] runs scripts in them.
//! 7. [`source`] reads the repository's own files, for the tests of its architecture.
//!
//! Three guarantees for every test: no process outlives the value that started it, a panic included; every wait has a
//! deadline and reports what it waited for; nothing sleeps to be "surely ready".
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the harness runs outside the product: it looks up programs, and blocks separate threads with deadlines"
)]

pub mod binary;
pub mod browser;
mod capture;
pub mod data;
mod deadline;
pub mod firefox;
mod forwarder;
pub mod http;
pub mod net;
pub mod netns;
mod peer;
mod process;
pub mod procfs;
mod run;
pub mod source;
mod tap;
pub mod ws;

pub use capture::Capture;
pub use deadline::{DEADLINE, until, until_within};
pub use forwarder::Forwarder;
pub use peer::{Peer, interop, node, python, venv};
pub use process::{Process, Signal};
pub use run::{Output, run, run_program};
pub use tap::{Direction, Tap, Traffic};

use std::path::PathBuf;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in the root").to_path_buf()
}
