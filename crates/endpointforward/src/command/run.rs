//! Forwarding: plans, binds, logs the addresses, and serves until the end or a signal.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::thread;
use std::time::Duration;

use crate::{
    BadDescriptor, Config, Endpoints, Error, Forwarder, Forwarding, Report, Severity, Stop,
    Summary, Timers, Which,
};
use descriptor::{Code, Diagnostic};
use endpoint::{Clock, Context, End, Local, Reason};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout};
use tracing::{debug, error, info, warn};

use super::added::Added;
use super::addresses;
use super::cli::{Forward, Limit, LogFormat, Logging};
use super::exit::Exit;
use super::files;
use super::log::{self, LISTENING};
use super::notify::Manager;
use super::output::{complain, report_columns};

/// Forwards, or only checks.
// Inlined, its frame and those of all verbs would be one, which is private memory for as long as the process runs.
#[inline(never)]
pub(crate) fn run(
    endpoints: Endpoints,
    options: &Forward,
    logging: &Logging,
    added: &Added,
) -> Exit {
    let labels = Labels { several: options.endpoint.len() > 1 };
    let _log = log::install(logging, labels.several);
    let endpoints = endpoints.syntax(options.syntax.into());
    let destination = options.dest_endpoint.clone().unwrap_or_default();
    let forwarder = match Forwarder::with(endpoints.clone(), &options.endpoint, &destination) {
        Ok(forwarder) => added.to(forwarder.config(config(options))),
        Err(error) => {
            let exit = labels.fail(&error, logging.log_format);
            if let [endpoint] = &*options.endpoint
                && logging.log_format == LogFormat::Pretty
                // One that lacks a parameter is on its own side.
                && endpoints.listener(endpoint).is_err_and(|found| found.iter().all(is_of_side))
                && endpoints.connector(endpoint).is_ok()
                && endpoints.listener(&destination).is_ok()
                // A program is never meant to be listened on.
                && !endpoints
                    .connector(&destination)
                    .is_ok_and(|plan| plan.endpoint.grants().is_unguarded())
            {
                complain(format_args!(
                    "\nhelp: each descriptor is valid on the other side; are `-e` and `-d` swapped?"
                ));
            }
            return exit;
        }
    };
    let mut warnings = forwarder.warnings();
    let mut unopened = Vec::new();
    for mut missing in forwarder.missing() {
        // A listener is opened at once, and its error has the reason.
        if !options.check && missing.which != Which::Destination {
            unopened.push(missing);
            continue;
        }
        match warnings.iter_mut().find(|known| known.which == missing.which) {
            Some(known) => known.diagnostics.append(&mut missing.diagnostics),
            None => warnings.push(missing),
        }
    }
    for warning in &warnings {
        labels.show(warning, logging.log_format);
    }
    if options.check {
        for descriptor in options.endpoint.iter().chain([&destination]) {
            complain(format_args!("ok: {descriptor}"));
        }
        return Exit::Ok;
    }
    let hangup = Hangup::now();
    in_runtime(
        options,
        endpoints.shared(),
        Box::pin(async {
            match with_signals(hangup, forwarder.bind()).await {
                Ok((Ok(forwarding), signals)) => {
                    serve(forwarding, endpoints.shared(), options.grace, signals, invite).await
                }
                Ok((Err(error), _)) => {
                    // The place of what its error is about.
                    for missing in &unopened {
                        labels.show(missing, logging.log_format);
                    }
                    labels.fail(&error, logging.log_format)
                }
                Err(exit) => exit,
            }
        }),
    )
}

/// Returns `true` if a mistake may come from the wrong side.
fn is_of_side(found: &Diagnostic) -> bool {
    found.code != Code::MissingParameter
}

/// Shows the links that let a person in: to the user at the terminal, and past every log. Standard output may
/// be carrying data.
fn invite(locals: &[Local]) {
    for local in locals {
        let Some(invitation) = &local.invitation else { continue };
        complain(format_args!("open {} (it works once)", invitation.url()));
        // The same link, as it is from another machine.
        for link in addresses::links(local, invitation.url()) {
            complain(format_args!("  or {link}"));
        }
    }
}

/// Runs the work of the command, which is on the heap: each function that it passes through would have a place for it
/// on the stack.
pub(crate) fn in_runtime(
    options: &Forward,
    cx: &Context,
    work: Pin<Box<dyn Future<Output = Exit> + '_>>,
) -> Exit {
    match clock() {
        Ok(clock) => {
            cx.set_clock(clock);
        }
        // Sessions do without, and cost a little more.
        Err(error) => debug!("cannot start the clock's thread: {error}"),
    }
    let runtime = match builder(options.threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("error: cannot start: {}", endpoint::describe(&error)));
            return Exit::Unavailable;
        }
    };
    let exit = runtime.block_on(work);
    endpoints::restore_terminal(cx);
    // A thread may sit in a read of standard input that never returns.
    runtime.shutdown_background();
    exit
}

/// A thread that waits for time, so that those that wait for data needn't. It runs until the process ends. It starts
/// with the process and not with the first alarm: where memory is short by then, a thread that can't start would leave
/// alarms that never fire.
fn clock() -> std::io::Result<Clock> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let handle = runtime.handle().clone();
    let clock = Clock::by(move |at| {
        // A timer belongs to the runtime that it is made in, whichever task waits for it.
        let _within = handle.enter();
        sleep_until(at)
    });
    let run = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("clock".to_owned()).stack_size(CLOCK_STACK).spawn(run)?;
    Ok(clock)
}

/// A runtime of so many threads. One that has a single thread needs no other to wake it, which makes
/// a small message cheaper.
fn builder(threads: usize) -> Builder {
    if threads == 1 {
        return Builder::new_current_thread();
    }
    let mut builder = Builder::new_multi_thread();
    // Threads that wait for a disk have the runtime's usual name.
    builder.worker_threads(threads).thread_name("worker");
    builder
}

pub(crate) fn config(options: &Forward) -> Config {
    // Connections without a session must leave files for those that have one.
    let files = usize::try_from(files::raise()).unwrap_or(usize::MAX);
    let default = Config::default();
    Config {
        max_undecided: default.max_undecided.min(files / 4),
        max_undecided_total: default.max_undecided_total.min(files / 2),
        timers: Timers {
            connect: options.connect_timeout,
            linger: options.linger.unwrap_or(LINGER).0,
            own_linger: options.linger.is_none(),
            grace: options.grace,
            // Nothing moves within no time at all: 0 is the same as `off`.
            idle: options.idle_timeout.0.filter(|time| !time.is_zero()),
            ..Timers::default()
        },
        max_sessions: options.max_sessions,
        once: options.once,
    }
}

// === serving ===

/// Takes signals, and waits for `bind`. They are taken first: a terminal that it opens relies on it that a signal is an
/// end of the session (`stdio:raw=true`).
///
/// # Errors
/// The exit status, if there can be no signals or one has come before the end of `bind`.
pub(crate) async fn with_signals<T>(
    hangup: Hangup,
    bind: impl Future<Output = T>,
) -> Result<(T, Signals), Exit> {
    let mut signals = Signals::new(hangup).map_err(|error| {
        complain(format_args!("error: cannot handle signals: {}", endpoint::describe(&error)));
        Exit::Unavailable
    })?;
    tokio::select! {
        // A listener that is bound is served, and stopped in the usual way.
        biased;
        bound = bind => Ok((bound, signals)),
        name = signals.next() => {
            info!("stopped ({name}) before the listeners were bound");
            Err(Exit::Ok)
        }
    }
}

/// Serves until the end; `tell` reports the addresses.
pub(crate) async fn serve(
    forwarding: Forwarding,
    cx: &Context,
    grace: Duration,
    signals: Signals,
    tell: impl FnOnce(&[Local]),
) -> Exit {
    for local in forwarding.locals() {
        let (event, endpoint, url) = ("listening", &*local.descriptor, local.url.as_deref());
        info!(target: LISTENING, event, endpoint, url, "listening on {endpoint}");
    }
    tell(forwarding.locals());
    let manager = Manager::of(cx);
    manager.ready(forwarding.locals());
    tokio::spawn(manager.clone().watchdog());
    let stop = forwarding.stop();
    let (level, mut levels) = watch::channel(0_u32);
    tokio::spawn(obey(signals, stop.clone(), level, grace, manager));
    // As process 1, this process inherits the programs' orphans. All its children are theirs.
    let orphans = endpoints::reap_orphans(cx.clone());
    tokio::spawn(async move {
        if let Err(error) = orphans.await {
            warn!("cannot reap processes that programs leave behind: {error}");
        }
    });
    let hurried = async move {
        // The sender lives in a task that doesn't end before the process does.
        let _ = levels.wait_for(|signals| *signals > 1).await;
        sleep(LAST_WORDS).await;
    };
    let sessions = Cell::new(true);
    let served = async {
        let summary = forwarding.run().await;
        sessions.set(false);
        info!("{summary}");
        if !cx.settled(PATIENCE).await {
            info!("waiting for programs to end and for output to devices");
            cx.finished().await;
        }
        summary
    };
    let mut served = pin!(served);
    tokio::select! {
        summary = &mut served => return end(&summary, &stop),
        () = hurried => {}
    }
    if sessions.get() {
        // Each says what it lost.
        stop.now();
    }
    // Programs are killed, and the log names them.
    cx.cut_work();
    match timeout(CUT, served).await {
        Ok(summary) => end(&summary, &stop),
        Err(_) if sessions.get() => {
            warn!("stopped before all sessions had ended");
            Exit::Cut
        }
        Err(_) => Exit::Ok,
    }
}

fn end(summary: &Summary, stop: &Stop) -> Exit {
    match stop.is_stopped() {
        true if summary.cut_by_stop > 0 => Exit::Cut,
        true => Exit::Ok,
        false => Exit::of_summary(summary),
    }
}

/// SIGINT, SIGTERM, and SIGHUP: a terminal that closes ends the programs that run in it, and the
/// programs started here are in separate groups.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Not under `nohup`, which has it ignored.
    hangup: Option<Signal>,
}

/// The treatment of SIGHUP.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hangup {
    Stops,
    /// Ignored, as under `nohup`.
    Ignored,
}

impl Hangup {
    /// Returns the treatment that the process was started with. To be called before a program is
    /// started: SIGHUP isn't ignored any more from then on.
    pub(crate) fn now() -> Self {
        if endpoints::ignored_signals() & 1 == 1 { Self::Ignored } else { Self::Stops }
    }
}

impl Signals {
    fn new(hangup: Hangup) -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let hangup = match hangup {
            Hangup::Stops => Some(signal(SignalKind::hangup())?),
            Hangup::Ignored => None,
        };
        Ok(Self { interrupt, terminate, hangup })
    }

    async fn next(&mut self) -> &'static str {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hangup => "SIGHUP",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// The first signal stops us, the second one at once.
async fn obey(
    mut signals: Signals,
    stop: Stop,
    level: watch::Sender<u32>,
    grace: Duration,
    manager: Manager,
) {
    let name = signals.next().await;
    info!("stopping ({name}): sessions may go on for {grace:?}; a second signal ends them now");
    manager.stopping();
    stop.drain(End::of(Reason::Stopping));
    level.send_replace(1);
    let name = signals.next().await;
    info!("stopping now ({name})");
    stop.end();
    level.send_replace(2);
    signals.next().await;
    stop.now();
    // More of them change nothing.
    loop {
        signals.next().await;
    }
}

// === messages ===

/// Names descriptors by the options that they were given with.
#[derive(Clone, Copy)]
pub(crate) struct Labels {
    pub(crate) several: bool,
}

impl Labels {
    fn of(self, which: Which) -> String {
        match which {
            Which::Listen(index) if self.several => format!("--endpoint {}", index + 1),
            Which::Listen(_) => "--endpoint".to_owned(),
            Which::Destination => "--dest-endpoint".to_owned(),
            Which::Only => "the descriptor".to_owned(),
        }
    }

    fn show(self, bad: &BadDescriptor, format: LogFormat) {
        let option = self.of(bad.which);
        if format == LogFormat::Pretty {
            let report = Report::new(&bad.text, &bad.diagnostics).columns(report_columns());
            let report = report.to_string();
            complain(format_args!("in {option}:\n{}", report.trim_end()));
            return;
        }
        for diagnostic in &bad.diagnostics {
            let (code, at, help) =
                (diagnostic.code.as_str(), diagnostic.span.start, &diagnostic.help);
            let help = help.as_deref();
            match diagnostic.severity {
                Severity::Error => {
                    error!(option, descriptor = bad.text, code, at, help, "{}", diagnostic.message);
                }
                Severity::Warning => {
                    warn!(option, descriptor = bad.text, code, at, help, "{}", diagnostic.message);
                }
            }
        }
    }

    pub(crate) fn fail(self, error: &Error, format: LogFormat) -> Exit {
        match error {
            Error::Descriptor(descriptors) => {
                for (index, bad) in descriptors.iter().enumerate() {
                    if index > 0 && format == LogFormat::Pretty {
                        complain("");
                    }
                    self.show(bad, format);
                }
            }
            Error::Endpoint(cause) if format == LogFormat::Json => {
                error!(endpoint = cause.endpoint(), help = cause.hint(), "{cause}");
            }
            error => complain(format_args!("error: {error}")),
        }
        Exit::of(error)
    }
}

/// The default of `--linger`.
const LINGER: Limit = Limit(Some(Duration::from_secs(60)));

/// It only wakes others.
const CLOCK_STACK: usize = 64 * 1024;

/// After a second signal: time to write what ends a session, not to wait for an answer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Ends that take longer than this after the last session get a line in the log.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time that the kernel may take to end programs that were killed.
const CUT: Duration = Duration::from_secs(2);
