//! Connects to two endpoints and joins them: `join echo ws://127.0.0.1:9001/` is a client that
//! sends everything back, message by message.

#![expect(clippy::print_stderr, reason = "a program may print")]

use std::error::Error;

use endpointforward::forward::splice;
use endpointforward::{Stop, Timers, connect};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [one, other] = &*args else {
        return Err("usage: join DESTINATION DESTINATION".into());
    };
    let (one, other) = (connect(one).await?, connect(other).await?);
    eprintln!("{}", splice(one, other, &Timers::default(), &Stop::new()).await);
    Ok(())
}
