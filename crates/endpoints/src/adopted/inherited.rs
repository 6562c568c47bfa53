//! Descriptors that were passed to this program: which there are, and who has taken them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use endpoint::{Context, Error, ErrorKind, Result};

use crate::sockopt::take_inherited;

/// The inherited sockets to use.
#[derive(Clone, Debug)]
pub(super) enum Which {
    Number(RawFd),
    /// The sockets of a name in `LISTEN_FDNAMES`; there may be several.
    Name(String),
    /// The position among those in `LISTEN_FDS`.
    Index(usize),
    StandardInput,
}

/// The inherited sockets of one context. A listening one stays here, so that it can be bound again; a connected one
/// belongs to its session, and is `None` from then on.
#[derive(Default)]
struct Taken(Mutex<BTreeMap<RawFd, Option<OwnedFd>>>);

impl Which {
    /// Returns the descriptors, of any type. `label` is the endpoint's, for errors.
    ///
    /// # Errors
    /// There is none, or it is not for us.
    pub(super) fn take(
        &self,
        cx: &Context,
        act: &'static str,
        label: &str,
    ) -> Result<Vec<OwnedFd>> {
        let error = |words: String| Error::new(ErrorKind::NotFound, act, label, words);
        let numbers = match self {
            Self::Number(number) => vec![*number],
            Self::Name(name) => named(cx, name).map_err(|words| error(words).with_hint(HOW))?,
            Self::Index(index) => {
                let count = passed(cx).map_err(|words| error(words).with_hint(HOW))?;
                if *index >= count {
                    let words =
                        format!("systemd has passed {}, and `index` begins at 0", sockets(count));
                    return Err(error(words));
                }
                vec![FIRST + RawFd::try_from(*index).expect("it is less than their number")]
            }
            Self::StandardInput => {
                return standard_input().map(|fd| vec![fd]).map_err(|cause| {
                    let error = Error::from_io(act, label, cause);
                    error.with_hint("inetd starts it with a connection there, or a .socket unit with Accept=yes and StandardInput=socket")
                });
            }
        };
        let taken = cx.shared::<Taken>();
        let mut taken = taken.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = numbers.into_iter().map(|number| {
            let fd = match taken.entry(number) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(room) => {
                    let fd = take_inherited(number).map_err(|_| {
                        error(format!("this program has not inherited a file descriptor {number}"))
                            .with_hint("a shell passes one with `3<>/dev/tcp/HOST/PORT`; systemd-socket-activate \
                                passes them from 3 on")
                    })?;
                    room.insert(Some(fd))
                }
            };
            let is_listening =
                |fd: &mut OwnedFd| socket2::SockRef::from(&*fd).is_listener().unwrap_or(false);
            let given = match fd.take_if(|fd| !is_listening(fd)) {
                Some(given) => Ok(given),
                None => match fd {
                    Some(fd) => fd.try_clone(),
                    None => {
                        let words = "an earlier session has used the connection";
                        return Err(Error::new(ErrorKind::Busy, act, label, words));
                    }
                },
            };
            given.map_err(|cause| Error::from_io(act, label, cause))
        });
        given.collect()
    }
}

/// Returns the number of sockets in `LISTEN_FDS`.
fn passed(cx: &Context) -> std::result::Result<usize, String> {
    let text = |name: &str| cx.variable(name).map(|value| value.to_string_lossy().into_owned());
    let nothing = || "systemd has passed no sockets to this program (LISTEN_FDS)".to_owned();
    let count = text("LISTEN_FDS").and_then(|count| count.parse().ok()).filter(|count| *count > 0);
    let count = count.ok_or_else(nothing)?;
    // They may be a parent's, whose environment we have.
    match text("LISTEN_PID") {
        Some(pid) if pid == std::process::id().to_string() => Ok(count),
        Some(pid) => Err(format!(
            "the sockets in LISTEN_FDS are for the process {pid}, and not for this one"
        )),
        None => Err(nothing()),
    }
}

fn named(cx: &Context, name: &str) -> std::result::Result<Vec<RawFd>, String> {
    let count = passed(cx)?;
    let names = cx.variable("LISTEN_FDNAMES").map(|names| names.to_string_lossy().into_owned());
    let names = names.unwrap_or_default();
    let names: Vec<_> = names.split(':').take(count).collect();
    let found: Vec<_> =
        (FIRST..).zip(&names).filter(|(_, its)| **its == name).map(|(fd, _)| fd).collect();
    if found.is_empty() && names.iter().all(|its| its.is_empty()) {
        let count = sockets(count);
        return Err(format!(
            "systemd has passed {count} without a name, and none with the name `{name}`"
        ));
    }
    if found.is_empty() {
        let names = names.join("`, `");
        return Err(format!(
            "systemd has passed {}, `{names}`, and none with the name `{name}`",
            sockets(count)
        ));
    }
    Ok(found)
}

fn sockets(count: usize) -> String {
    if count == 1 { "1 socket".to_owned() } else { format!("{count} sockets") }
}

/// Takes standard input. From then on it is nothing, and so is standard output, if both are the same: a connection is
/// closed with its last descriptor.
fn standard_input() -> io::Result<OwnedFd> {
    let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    let fd = stdin.try_clone_to_owned()?;
    let (input, output) = (rustix::fs::fstat(stdin)?, rustix::fs::fstat(stdout));
    if rustix::fs::FileType::from_raw_mode(input.st_mode) != rustix::fs::FileType::Socket {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "standard input is not a socket"));
    }
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(nothing.as_fd())?;
    if output.is_ok_and(|output| (output.st_dev, output.st_ino) == (input.st_dev, input.st_ino)) {
        rustix::stdio::dup2_stdout(nothing.as_fd())?;
    }
    Ok(fd)
}

/// `sd_listen_fds(3)`.
const FIRST: RawFd = 3;
const HOW: &str = "start it with a .socket unit, or try systemd-socket-activate";
