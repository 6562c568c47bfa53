//! `cargo xtask bench`: what a byte, a round trip and a connection cost.
//!
//! 1. [`subject`] starts the release binary, or a yardstick (socat, haproxy), on a route such as `ws→tcp`.
//! 2. [`end`] are the two ends of the load, on threads and plain sockets.
//! 3. [`measure`] opens the connections first and then reads the subject's processor time around the load, so
//!    that neither the set-up nor the load generator is in the figures.
//! 4. [`table`] prints them, and how ours relate to the yardsticks' of the same run.
//!
//! Processor seconds and ratios carry over to other machines to a degree; times by the clock don't, so there are
//! none, except round trips a second, which are there to be compared within one run.

mod end;
mod measure;
mod subject;
mod table;

use std::fs;
use std::path::PathBuf;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::bench::measure::Sizes;
use crate::bench::subject::{Program, Route};
use crate::{Failure, sh};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Small amounts: for trying it out, not for quoting.
    #[arg(long)]
    quick: bool,
    /// Only routes that contain this, such as `ws` or `tcp-tcp`.
    #[arg(long)]
    only: Option<String>,
    /// Write the figures there too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the verb.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    sh::run(&mut sh::command("cargo build --release --package endpointforward"))?;
    let binary = release_binary()?;
    raise_descriptor_limit();
    let sizes = if options.quick { Sizes::QUICK } else { Sizes::FULL };
    let mut rows = Vec::new();
    for route in Route::ALL {
        if options.only.as_ref().is_some_and(|only| !route.name().contains(only.as_str())) {
            continue;
        }
        for program in Program::for_route(route, &binary) {
            println!("measuring {} {}", route.name(), program.name());
            rows.push(measure::all(&program, route, &sizes));
        }
    }
    if rows.is_empty() {
        return Err("no route has that name".to_owned());
    }
    table::print(&rows);
    let Some(file) = &options.json else { return Ok(()) };
    fs::write(file, table::json(&rows, options.quick))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// Where cargo puts it: beside our own profile's folder.
fn release_binary() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let binary = own
        .parent()
        .and_then(|debug| debug.parent())
        .map(|target| target.join("release/endpointforward"));
    binary
        .filter(|file| file.is_file())
        .ok_or_else(|| "the release binary isn't where cargo puts it".to_owned())
}

/// A thousand connections are four thousand descriptors, half of them ours; programs that we start inherit it.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    // As it is, then; the measurement of many connections will say if that isn't enough.
    let _refused =
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
