//! A forwarder in twenty lines: `forwarder tcp:9000 tcp:example.com:80`.

#![expect(clippy::print_stderr, reason = "a program may print")]

use std::error::Error;

use endpointforward::Forwarder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [listen, destination] = &*args else {
        return Err("usage: forwarder LISTEN DESTINATION".into());
    };
    let forwarding = Forwarder::new(listen, destination)?.bind().await?;
    eprintln!("listening on {}", forwarding.locals()[0]);
    eprintln!("{}", forwarding.run().await);
    Ok(())
}
