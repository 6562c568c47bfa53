//! A gate that asks clients for a name and a password: `gate ws:9000 echo`.
//!
//! Over HTTP, a client without them gets a 401 whose `WWW-Authenticate` has the realm, so a browser asks its user; SOCKS
//! and HTTP proxies use their own login. The user `ada` may read and write, and `bob` may only read.

#![expect(clippy::print_stderr, reason = "a program may print")]

use std::error::Error;

use endpointforward::gate::{Admitted, Challenge, Credentials, Gate, Identity, Role, Scheme};
use endpointforward::{Forwarder, Info, Refusal, async_trait};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [listen, destination] = &*args else {
        return Err("usage: gate LISTEN DESTINATION".into());
    };
    let forwarding = Forwarder::new(listen, destination)?.gate(Staff).bind().await?;
    eprintln!("listening on {}", forwarding.locals()[0]);
    eprintln!("{}", forwarding.run().await);
    Ok(())
}

struct Staff;

#[async_trait]
impl Gate for Staff {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let shown = info.get::<Credentials>();
        let shown = shown.and_then(|it| Some((it.user.as_deref()?, it.password.as_deref()?)));
        // A real program compares hashes, in constant time.
        let (name, role) = match shown {
            Some(("ada", "lovelace")) => ("ada", Role::ReadWrite),
            Some(("bob", "builder")) => ("bob", Role::ReadOnly),
            _ => {
                let basic = Challenge { scheme: Scheme::Basic, realm: "staff".to_owned() };
                return Err(Refusal::challenge("a name and a password are needed", [basic]));
            }
        };
        Ok(Admitted::new(info, Identity::user(name), role))
    }
}
