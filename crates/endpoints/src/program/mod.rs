//! What every program needs that a session starts, whatever it is connected with.
//!
//! 1. A [`Recipe`] is what was planned: the program, its arguments, where and with what it runs.
//! 2. A [`Program`] is one that runs; [`Program::watch`] watches over it in a task that outlives
//!    the session: it is asked, then told, then made to end, and always reaped.
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
