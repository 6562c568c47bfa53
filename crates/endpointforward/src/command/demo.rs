//! `endpointforward` without arguments: a shell in the browser, only for the user who started it.
//!
//! Nothing here can't be typed: the descriptors are text, and are shown as what to start from.

use crate::{Endpoints, Error, Forwarder, Forwarding, manual};
use descriptor::quote_positional;
use endpoint::{ErrorKind, Local};

use super::added::Added;
use super::cli::{Forward, Logging};
use super::exit::Exit;
use super::log;
use super::output::{complain, print};
use super::run::{self, Hangup, Labels, config, serve, with_signals};

/// Serves the shell until it is stopped.
// As `run::run`.
#[inline(never)]
pub(crate) fn run(
    endpoints: Endpoints,
    options: &Forward,
    logging: &Logging,
    added: &Added,
) -> Exit {
    let _log = log::install(logging, false);
    let labels = Labels { several: false };
    let destination = shell(&endpoints);
    if options.check {
        return match Forwarder::with(endpoints, &[listen(FIRST)], &destination) {
            Ok(_) => {
                complain(format_args!("ok: {}\nok: {destination}", listen(FIRST)));
                Exit::Ok
            }
            Err(error) => labels.fail(&error, logging.log_format),
        };
    }
    let hangup = Hangup::now();
    run::in_runtime(
        options,
        endpoints.shared(),
        Box::pin(async {
            match with_signals(hangup, bind(options, &endpoints, &destination, added)).await {
                Ok((Ok((forwarding, port)), signals)) => {
                    let tell = |locals: &[Local]| {
                        for local in locals {
                            // Text on standard output is an answer, and no log has it.
                            print(welcome(local, port, &destination));
                        }
                    };
                    serve(forwarding, endpoints.shared(), options.grace, signals, tell).await
                }
                Ok((Err(error), _)) => labels.fail(&error, logging.log_format),
                Err(exit) => exit,
            }
        }),
    )
}

/// On the first port that is free.
async fn bind(
    options: &Forward,
    endpoints: &Endpoints,
    destination: &str,
    added: &Added,
) -> Result<(Forwarding, u16), Error> {
    let mut port = FIRST;
    loop {
        let forwarder = Forwarder::with(endpoints.clone(), &[listen(port)], destination)?;
        match added.to(forwarder.config(config(options))).bind().await {
            Ok(forwarding) => return Ok((forwarding, port)),
            Err(Error::Endpoint(error)) if error.kind() == ErrorKind::Busy && port < LAST => {
                port += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn listen(port: u16) -> String {
    format!("ws:{{tcp:{port}:interface=127.0.0.1}}:auth=token")
}

/// The user's own, as at a login.
fn shell(endpoints: &Endpoints) -> String {
    let shell = endpoints.shared().variable("SHELL").and_then(|shell| shell.to_str());
    let shell = shell.filter(|shell| shell.starts_with('/')).unwrap_or("/bin/sh");
    format!("pty:{}:-l", quote_positional(shell))
}

fn welcome(local: &Local, port: u16, destination: &str) -> String {
    let url = local.invitation.as_ref().map_or("", |invitation| invitation.url());
    let (what, how) = if url.starts_with("http") {
        ("A login shell in your browser, for you only", "The link works once, in one browser.")
    } else {
        (
            "A login shell behind a WebSocket, for you only",
            "It works once. There is no page to open, because endpointforward was built without it.",
        )
    };
    let (listen, destination) = (manual::shell(&listen(port)), manual::shell(destination));
    format!(
        "
{what}:

    {url}

{how} The full form of this command, to change as needed:

    endpointforward -e {listen} -d {destination}

Ctrl-C ends it. See also `endpointforward --help` and `endpointforward help ws`.

"
    )
}

/// The first port to try for the page.
const FIRST: u16 = 9000;
/// After a hundred ports that are taken, something else is wrong.
const LAST: u16 = FIRST + 99;
