//! A program with a forwarder in it: `embed echo` listens on a free port of this machine, prints the port, counts the
//! bytes of each session, and stops gracefully once its standard input ends.

#![expect(clippy::print_stdout, reason = "a program may print")]

use std::error::Error;
use std::time::Duration;

use endpointforward::{
    Began, Config, End, Forwarder, Observer, Outcome, Reason, SessionObserver, Timers,
};
use tokio::io::AsyncReadExt;

/// Prints the sessions.
struct Meter;

impl Observer for Meter {
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
        let client = session.near.peer().unwrap_or_else(|| "a client".to_owned());
        let name = format!("{client} to {}", session.destination);
        Some(Box::new(Session { name, most: 0 }))
    }
}

struct Session {
    name: String,
    /// The bytes in both directions that were printed last.
    most: u64,
}

impl SessionObserver for Session {
    fn counts(&self) -> bool {
        true
    }

    fn moved(&mut self, sent: u64, received: u64) {
        // It is called at each wake-up, also if nothing was moved.
        if sent + received > self.most {
            self.most = sent + received;
            println!("{}: {sent} sent, {received} received", self.name);
        }
    }

    fn ended(self: Box<Self>, outcome: &Outcome) {
        println!("{}: {outcome}", self.name);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let destination = std::env::args().nth(1).ok_or("usage: embed DESTINATION")?;
    let timers = Timers { grace: Duration::from_secs(1), ..Timers::default() };
    let forwarding = Forwarder::new("tcp:0:interface=127.0.0.1", &destination)?
        .config(Config { timers, ..Config::default() })
        .observer(Meter)
        .bind()
        .await?;
    println!("listening on {}", forwarding.locals()[0].address.ok_or("no address")?);
    let stop = forwarding.stop();
    let running = tokio::spawn(forwarding.run());

    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    // Nothing new is accepted, and sessions have the grace period.
    stop.drain(End::of(Reason::Stopping));
    println!("{}", running.await?);
    Ok(())
}
