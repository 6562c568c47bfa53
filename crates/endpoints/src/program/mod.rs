//! Code shared by all programs that a session starts, whatever they are connected with.
//!
//! 1. A [`Recipe`] is what was planned: the program, its arguments, where and with what it runs.
//! 2. A [`Program`] is running; [`Program::watch`] supervises it in a task that outlives the
//!    session: the program gets the end of its input, then signals, and is always reaped.
//! 3. Its [`Exit`] and a [`Ticket`] are the session's part: how it ended, and that the session did.
//! 4. A [`Group`] is what it has grown into: whom a signal reaches.
//! 5. [`Programs`](programs::Programs) is what all of them share: one look at the machine's processes
//!    answers all who ask at the time.

mod exit;
mod group;
mod members;
mod programs;
mod recipe;
mod signals;
mod supervise;

pub(crate) use self::exit::Exit;
pub(crate) use self::group::{Group, Reach};
pub use self::programs::reap_orphans;
pub(crate) use self::recipe::{ARGUMENT, CWD, ENV, FORKING, NO_HOLES, PROGRAM, Recipe};
pub use self::signals::ignored_signals;
pub(crate) use self::signals::prepare;
pub(crate) use self::supervise::{Program, Ticket};
