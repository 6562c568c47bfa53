//! `cargo xtask conformance`: the Autobahn testsuite against our WebSocket, in three roles.
//!
//! 1. [`suite`] installs the testsuite, which is written in a Python that systems no longer have.
//! 2. [`job`] runs some of its cases in one [`Role`], with separate processes.
//! 3. [`verdict`] reads its reports: every case is OK, or stands with its reason in a list there. It is the gate,
//!    since the testsuite itself succeeds whatever it finds.
//! 4. [`summary`] writes docs/conformance/README.md after a run of everything.

mod job;
mod suite;
mod summary;
mod verdict;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use clap::{Args, ValueEnum};

use self::job::Job;
use self::verdict::Case;
use crate::{Failure, setup, sh};

/// The parts to run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// One role only.
    #[arg(long)]
    only: Option<Role>,
    /// Only these cases: ids as 2.10, groups as 12.*
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,
    /// Without the slow groups: large messages (9) and compression (12, 13).
    #[arg(long)]
    quick: bool,
    /// Takes what an earlier run has finished as it is.
    #[arg(long)]
    resume: bool,
}

/// Our role in the testsuite.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(crate) enum Role {
    /// It connects to us, and we echo.
    Server,
    /// We connect to it, and echo.
    Client,
    /// It connects to us, and we forward to a WebSocket server that echoes: shows what one hop lets through or stops.
    Through,
}

impl Role {
    const ALL: [Self; 3] = [Self::Server, Self::Client, Self::Through];

    fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Through => "through",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The programs that take part.
#[derive(Debug)]
struct Programs {
    /// The forwarder, optimised: group 9 has limits of time.
    forwarder: PathBuf,
    /// `examples/join.rs`.
    join: PathBuf,
    /// A Python that has the testsuite.
    python: PathBuf,
}

/// Runs the verb.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    setup::peers()?;
    let programs = programs(suite::install()?)?;
    let folder = crate::root().join("target/conformance/reports");
    let roles: Vec<_> = Role::ALL
        .into_iter()
        .filter(|role| options.only.is_none_or(|only| only == *role))
        .collect();
    let (cases, mut bad) = run_all(&programs, &folder, options.resume, jobs(&roles, options));
    println!("{}", summary::table(&cases));
    let everything = roles.len() == Role::ALL.len() && options.cases.is_empty() && !options.quick;
    if everything && bad.is_empty() {
        summary::write(&cases, &programs.python)?;
    }
    bad.extend(verdict::complaints(&cases));
    if bad.is_empty() {
        return Ok(());
    }
    for line in &bad {
        eprintln!("{line}");
    }
    Err(format!("{} complaints; the reports are in {}", bad.len(), folder.display()))
}

fn programs(python: PathBuf) -> Result<Programs, Failure> {
    sh::run(&mut sh::command(
        "cargo build --release --package endpointforward --package examples --bin endpointforward --bin join",
    ))?;
    let own = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let target = own.parent().and_then(Path::parent).ok_or("we aren't where cargo puts us")?;
    let program = |name: &str| target.join("release").join(name);
    Ok(Programs { forwarder: program("endpointforward"), join: program("join"), python })
}

/// Slow ones first, so that none is left alone at the end.
fn jobs(roles: &[Role], options: &Options) -> Vec<Job> {
    let chosen: Vec<Vec<String>> = if options.cases.is_empty() {
        let slow = SLOW.iter().filter(|_| !options.quick).map(|group| vec![(*group).to_owned()]);
        slow.chain([QUICK.iter().map(|&group| group.to_owned()).collect()]).collect()
    } else {
        options.cases.iter().map(|cases| vec![cases.clone()]).collect()
    };
    let with = |cases: &Vec<String>| {
        roles.iter().map(|&role| Job { role, cases: cases.clone() }).collect::<Vec<_>>()
    };
    chosen.iter().flat_map(with).collect()
}

/// Runs them, [`AT_ONCE`] at once: the cases, and why some jobs have none. One that fails doesn't end the others.
fn run_all(
    programs: &Programs,
    folder: &Path,
    resume: bool,
    jobs: Vec<Job>,
) -> (Vec<Case>, Vec<Failure>) {
    let (all, jobs) = (jobs.len(), Mutex::new(jobs.into_iter().enumerate()));
    let done = Mutex::new((Vec::new(), Vec::new()));
    let work = || {
        loop {
            let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, job)) = next else { return };
            let start = Instant::now();
            let folder = folder.join(job.name());
            let result = if resume && job.is_done(&folder) {
                job.read(&folder)
            } else {
                job.run(programs, &folder)
            };
            let took = start.elapsed().as_secs();
            let count = result.as_ref().map_or(0, Vec::len);
            println!("{job}: {count} cases in {took} s ({} of {all})", number + 1);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match result {
                Ok(cases) => done.0.extend(cases),
                Err(failure) => done.1.push(failure),
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let (mut cases, failures) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    cases.sort_by(|a, b| (a.role, &a.number).cmp(&(b.role, &b.number)));
    (cases, failures)
}

/// More would make each other miss limits of time.
const AT_ONCE: usize = 2;
const QUICK: &[&str] = &["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"];
/// Most of their time is the testsuite's own. Compression is taken apart, for there to be something to share.
const SLOW: &[&str] = &[
    "12.1.*", "12.2.*", "12.3.*", "12.4.*", "12.5.*", "13.1.*", "13.2.*", "13.3.*", "13.4.*",
    "13.5.*", "13.6.*", "13.7.*", "9.*",
];
