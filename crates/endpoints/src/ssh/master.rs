//! The `ssh` that has the connection, and what watches over it.
//!
//! Its standard input and output are a socket whose other end is copied to and from the endpoint beneath. It ends when
//! that does, or when the last [`Master`] is dropped; the rest of its standard error then has the reason.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::info::Target;
use endpoint::{Connector, Context, Error, ErrorKind, Grants, Info, Io, Missing, Result};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{sleep, timeout};
use tracing::{debug, info};

use super::channel::{Channel, To};
use super::mux::{Control, Failure};
use super::options::{Options, control};
use super::said::Said;
use super::words;
use crate::patience;
use crate::program::{self, FORKING, Group, Reach, prepare};

/// The recipe of a connection.
#[derive(Debug)]
pub(super) struct Recipe {
    label: String,
    beneath: Box<dyn Connector>,
    options: Options,
    limit: Duration,
    program: program::Recipe,
}

/// A connection. Dropping it ends `ssh`, and with that all of its sessions.
#[derive(Debug)]
pub(super) struct Master {
    folder: TempDir,
    said: Arc<Said>,
    ended: watch::Receiver<bool>,
    /// Bounds the channels that are being opened.
    opening: Arc<Semaphore>,
    /// Connections without a channel that can't be closed.
    spare: Mutex<Vec<Control>>,
    /// Those of them whose channel the server hasn't closed in time.
    stuck: Mutex<Vec<Control>>,
    /// The number of channels that the server has refused.
    refused: AtomicUsize,
    _stop: oneshot::Sender<()>,
}

impl Recipe {
    pub(super) fn new(
        label: String,
        beneath: Box<dyn Connector>,
        options: Options,
        limit: Duration,
    ) -> Self {
        let program = program::Recipe::new(label.clone(), "ssh");
        Self { label, beneath, options, limit, program }
    }

    pub(super) fn missing(&self, cx: &Context) -> Vec<Missing> {
        // No parameter names the program: the place is that of the kind.
        let mut all = self.program.missing(cx);
        all.extend(self.options.missing(cx));
        all.extend(Missing::within("endpoint", 0, self.beneath.missing(cx)));
        all
    }

    pub(super) fn grants(&self) -> Grants {
        self.beneath.grants()
    }

    /// Connects the endpoint beneath, and logs in. Cancel safe: a process that was started is ended.
    ///
    /// # Errors
    /// The endpoint beneath can't be connected, there is no `ssh`, the server isn't who it is to be, or it doesn't let
    /// us in.
    pub(super) async fn start(&self, cx: &Context) -> Result<Arc<Master>> {
        self.options.check(cx, &self.label).await?;
        // All clients share it: the facts of one of them decide nothing.
        let conn = self.beneath.connect(cx, &Info::new()).await?;
        let dialled = conn.info.get::<Target>();
        let name = self.options.name().map(ToString::to_string);
        let host = name.or_else(|| dialled.map(|target| target.host.clone())).ok_or_else(|| {
            let words = "the endpoint beneath has no host whose key could be looked up";
            Error::new(ErrorKind::Other, "connect", &*self.label, words)
                .with_hint("set the name of the server's key with `name=`")
        })?;
        let port = dialled.filter(|_| self.options.name().is_none());
        let port = port.map_or(22, |target| target.port);
        let failed = |cause| self.program.failed(cause);
        let folder = folder(cx).map_err(failed)?;
        let children = prepare().map_err(failed)?;
        let (ours, its) = StdUnixStream::pair().map_err(failed)?;
        let (errors, its_errors) = io::pipe().map_err(failed)?;
        let errors = Receiver::from_owned_fd(OwnedFd::from(errors)).map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let ours = UnixStream::from_std(ours).map_err(failed)?;
        let filled = self.program.fill(cx, &Info::new()).await?;
        let mut command = filled.command(|_| ());
        self.options.tell(&mut command, folder.path(), &host, port).map_err(failed)?;
        let its_input = its.try_clone().map_err(failed)?;
        command.stdin(OwnedFd::from(its_input)).stdout(OwnedFd::from(its)).stderr(its_errors);
        // A terminal's signals are for us: our sessions may still go on.
        command.process_group(0);
        let group = {
            let _forking = FORKING.read().unwrap_or_else(PoisonError::into_inner);
            let child = command.spawn().map_err(|cause| words::no_program(&filled, cause))?;
            Group::new(filled.name(), child.id(), Reach::Group, children, cx).expendable()
        };
        // It holds the other ends: neither would ever end.
        drop(command);
        let (stop, stopped) = oneshot::channel();
        let (set_ended, ended) = watch::channel(false);
        let said = Arc::<Said>::default();
        let master = Master {
            folder,
            said: Arc::clone(&said),
            ended,
            opening: Arc::new(Semaphore::new(OPENING)),
            spare: Mutex::default(),
            stuck: Mutex::default(),
            refused: AtomicUsize::new(0),
            _stop: stop,
        };
        tokio::spawn(watch_over(group, conn.into_io(), ours, errors, said, stopped, set_ended));
        match patience::timeout(self.limit, master.up()).await {
            Some(true) => {}
            Some(false) => return Err(words::not_up(&self.label, &master.said.start())),
            None => {
                let limit = self.limit.as_secs_f64();
                let words = format!("no login at the server within {limit} s");
                return Err(Error::new(ErrorKind::Timeout, "connect", &*self.label, words));
            }
        }
        master.said.set_up();
        info!(host, port, "ssh connection is up");
        Ok(Arc::new(master))
    }
}

/// Makes a session of a channel.
type Make<S> = fn(Control, Channel, Arc<Master>, Context) -> S;

impl Master {
    /// Has the server connect, and has `make` make a session of the channel. Cancel safe: a session that comes after
    /// that is dropped, which closes its channel.
    pub(super) async fn open<S: Send + 'static>(
        self: &Arc<Self>,
        cx: &Context,
        to: &To,
        limit: Duration,
        make: Make<S>,
    ) -> Result<S, Failure> {
        let opening = async {
            // An attempt that is given up here goes on at the server.
            let place = Arc::clone(&self.opening).acquire_owned().await.expect("it isn't closed");
            let spare = lock(&self.spare).pop();
            let control = match spare {
                Some(control) => control,
                None => Control::connect(&self.control()).await.map_err(unreachable)?,
            };
            let (master, cx, to) = (Arc::clone(self), cx.clone(), to.clone());
            let task =
                tokio::spawn(async move { master.open_on(control, cx, &to, place, make).await });
            task.await.unwrap_or(Err(Failure::Lost))
        };
        patience::timeout(limit, opening).await.unwrap_or(Err(Failure::Late))
    }

    async fn open_on<S>(
        self: Arc<Self>,
        mut control: Control,
        cx: Context,
        to: &To,
        _place: OwnedSemaphorePermit,
        make: Make<S>,
    ) -> Result<S, Failure> {
        match control.open(to).await {
            Ok(channel) => Ok(make(control, channel, self, cx)),
            Err(failure) => {
                if let Failure::Refused(_) = failure {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                self.give_back(control);
                Err(failure)
            }
        }
    }

    /// Takes back a connection without a channel.
    pub(super) fn give_back(&self, control: Control) {
        if control.is_spoiled {
            lock(&self.spare).push(control);
        }
    }

    /// Takes a connection whose channel isn't closed, and which is of no more use. One that can't be closed is kept:
    /// with it,
    /// `ssh` would end all other sessions.
    pub(super) fn give_up(&self, control: Control) {
        if control.is_spoiled {
            lock(&self.stuck).push(control);
        }
    }

    /// Returns `true` if new sessions should use another `ssh`, because each refused channel takes memory of it.
    pub(super) fn is_worn(&self) -> bool {
        self.has_ended() || self.refused.load(Ordering::Relaxed) >= WORN
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Waits until it is known why the connection was lost.
    pub(super) async fn last_words(&self) {
        let _ = timeout(LAST_WORDS, self.ended.clone().wait_for(|ended| *ended)).await;
    }

    /// Returns the reason why the connection was lost.
    pub(super) fn lost(&self) -> io::Error {
        let words = match self.said.last() {
            Some(last) => format!("the ssh connection was lost: {}", last.trim_end_matches('.')),
            None => "the ssh connection was lost".to_owned(),
        };
        io::Error::new(io::ErrorKind::ConnectionReset, words)
    }

    /// Waits until sessions can be asked for, and returns whether that came true.
    async fn up(&self) -> bool {
        let mut ended = self.ended.clone();
        loop {
            // `ssh` makes the socket when it is let in. Nothing tells when, so it is looked for.
            if Control::connect(&self.control()).await.is_ok() {
                return true;
            }
            tokio::select! {
                _ = ended.wait_for(|ended| *ended) => return false,
                () = sleep(LOOK) => {}
            }
        }
    }

    fn control(&self) -> PathBuf {
        control(self.folder.path())
    }
}

/// Copies data between `ssh` and the server, until either ends or the [`Master`] is dropped; then sees that `ssh`
/// ends.
async fn watch_over(
    mut group: Group,
    mut conn: Io,
    mut ours: UnixStream,
    errors: Receiver,
    said: Arc<Said>,
    stopped: oneshot::Receiver<()>,
    ended: watch::Sender<bool>,
) {
    let mut listening = tokio::spawn(async move { said.listen(errors).await });
    tokio::select! {
        done = copy_bidirectional_with_sizes(&mut conn, &mut ours, BUFFER, BUFFER) => {
            if let Err(error) = done {
                debug!("the connection beneath ssh ended: {error}");
            }
        }
        status = group.exit() => debug!("ssh: {status}"),
        // That it is dropped is what is waited for.
        _ = stopped => debug!("ssh is not needed any more"),
    }
    drop((conn, ours));
    if timeout(GRACE, group.exit()).await.is_err() {
        group.send(&[Signal::KILL]).await;
        group.exit().await;
    }
    group.reap();
    if timeout(LAST_WORDS, &mut listening).await.is_err() {
        listening.abort();
    }
    ended.send_replace(true);
}

/// A folder for the control socket, accessible only to this user.
fn folder(cx: &Context) -> io::Result<TempDir> {
    let beneath = cx.variable("TMPDIR").filter(|path| !path.is_empty()).unwrap_or("/tmp".as_ref());
    let private = std::fs::Permissions::from_mode(0o700);
    // The path of a socket has 107 bytes, of which ssh takes 17 for a name that it has before.
    tempfile::Builder::new().prefix(".ssh-").permissions(private).tempdir_in(beneath)
}

/// `ssh` can't be asked.
fn unreachable(error: io::Error) -> Failure {
    let is_exhaustion = error.raw_os_error().is_some_and(|number| {
        let cause = io::Error::from_raw_os_error(number);
        Error::from_io("connect", "", cause).is_exhaustion()
    });
    if is_exhaustion { Failure::Io(error) } else { Failure::Lost }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// More than an SSH packet.
const BUFFER: usize = 64 << 10;

/// Channels that may be asked for at once. The server may take minutes for each.
const OPENING: usize = 1024;

/// Channels that the server has refused before a new connection is made, and at most as many connections without a
/// channel. Each costs `ssh` about 2 kB.
const WORN: usize = 1000;

/// The time to wait for the last output of `ssh`, and for its end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The time in which `ssh` has to end after its connection.
const GRACE: Duration = Duration::from_secs(2);

/// The interval of checks for the control socket: a fraction of the time of a login.
const LOOK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_cannot_be_closed_is_kept_when_its_channel_is_given_up() {
        let master = Master {
            folder: TempDir::new().expect("a folder"),
            said: Arc::default(),
            ended: watch::channel(false).1,
            opening: Arc::new(Semaphore::new(1)),
            spare: Mutex::default(),
            stuck: Mutex::default(),
            refused: AtomicUsize::new(0),
            _stop: oneshot::channel().0,
        };
        for is_spoiled in [false, true] {
            let (stream, ssh) = UnixStream::pair().expect("sockets");
            master.give_up(Control { stream, is_spoiled });
            let read = timeout(Duration::from_millis(50), ssh.readable()).await;
            assert_eq!(read.is_err(), is_spoiled, "`ssh` sees an end unless it is kept");
        }
        assert!(lock(&master.spare).is_empty(), "it is not used again");
    }
}
