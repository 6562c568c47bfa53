//! Code shared by all programs that a session starts, whatever they are connected with.
//!
//! 1. A [`Recipe`] is what was planned: the program, its arguments, where and with what it runs. [`Recipe::fill`] makes it
//!    a program for one client: [`argument`] and [`facts`] turn facts about the client into arguments and variables.
//! 2. A [`Program`] is running; [`Program::watch`] supervises it in a task that outlives the
//!    session: the program gets the end of its input, then signals, and is always reaped.
//! 3. Its [`Exit`] and a [`Ticket`] are the session's part: how it ended, and that the session did.
//! 4. A [`Group`] is the set of its processes, which a signal reaches.
//! 5. [`Programs`](programs::Programs) is what all of them share: one look at the machine's processes
//!    answers all who ask at the time.

mod argument;
mod exit;
mod facts;
mod files;
mod folder;
mod group;
mod interpreter;
mod limits;
mod members;
mod params;
mod programs;
mod recipe;
mod signals;
mod supervise;
mod user;

pub(crate) use self::exit::Exit;
pub(crate) use self::folder::DIR;
pub(crate) use self::group::{Group, Reach};
pub(crate) use self::limits::{LIMIT, NICE};
pub(crate) use self::params::{
    ARGUMENT, CLEARENV, CWD, ENV, FACTS, HEADERS, NO_HOLES, PASSENV, PROGRAM,
};
pub use self::programs::reap_orphans;
pub(crate) use self::recipe::{FORKING, Filled, Recipe};
pub use self::signals::ignored_signals;
pub(crate) use self::signals::{default_signals, prepare};
pub(crate) use self::supervise::{Program, Ticket};
pub(crate) use self::user::{GROUP, USER, USERS};
