//! The forwarding command as a library: plan, bind, serve.

use std::fmt;
use std::sync::Arc;

use descriptor::{Diagnostic, Severity, Stage};
use endpoint::{Accept, Connector, Exposure, Listener, Local, Missing};
use forward::{Config, Destination, Gate, Log, Observer, OpenGate, Stop, Summary};
use plan::kind::Role;
use plan::{Plan, check_boundaries, check_exposure};
use tokio::task::JoinSet;

use crate::{BadDescriptor, Endpoints, Error, Result, Which};

/// Planned endpoints to listen on and a destination, not open.
///
/// ```
/// use endpointforward::{Forwarder, connect};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let forwarding = Forwarder::new("tcp:0:interface=127.0.0.1", "echo")?.bind().await?;
/// let port = forwarding.locals()[0].address.expect("tcp has one").port();
/// tokio::spawn(forwarding.run());
///
/// let mut client = connect(&format!("tcp:127.0.0.1:{port}")).await?.into_io();
/// client.write_all(b"hello").await?;
/// client.shutdown().await?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "hello");
/// # Ok(())
/// # }
/// ```
///
/// For a route that no descriptor describes, see [`forward::Forwarder`].
pub struct Forwarder {
    endpoints: Endpoints,
    listeners: Vec<(String, Plan<dyn Listener>)>,
    destination: (String, Plan<dyn Connector>),
    config: Config,
    gate: Option<Arc<dyn Gate>>,
    observers: Vec<Box<dyn Observer>>,
}

impl Forwarder {
    /// Plans to forward from `listen` to `destination`.
    ///
    /// # Errors
    /// The mistakes of both, or that other machines could reach a program or a device.
    pub fn new(listen: &str, destination: &str) -> Result<Self> {
        Self::with(Endpoints::new(), &[listen], destination)
    }

    /// Plans to forward from all of `listen` to `destination`, with the kinds and the syntax of `endpoints`.
    ///
    /// # Errors
    /// The mistakes of all of them, or that other machines could reach a program or a device.
    pub fn with<T: AsRef<str>>(
        endpoints: Endpoints,
        listen: &[T],
        destination: &str,
    ) -> Result<Self> {
        let mut wrong = Wrong::default();
        let mut listeners = Vec::new();
        for (index, text) in listen.iter().map(AsRef::as_ref).enumerate() {
            let planned = wrong.unless(Which::Listen(index), text, endpoints.listener(text));
            listeners.push((text.to_owned(), planned));
        }
        let connector = endpoints.connector(destination);
        let mut connector = wrong.unless(Which::Destination, destination, connector);
        if let Some(connector) = &mut connector {
            for (index, (text, plan)) in listeners.iter_mut().enumerate() {
                let Some(plan) = plan else { continue };
                if let Err(mistake) = check_exposure(plan, connector) {
                    wrong.add(Which::Listen(index), text, vec![mistake]);
                }
                match check_boundaries(plan, connector) {
                    Some((Role::Listen, warning)) => plan.warnings.push(warning),
                    // The destination is told once, however many listeners it has.
                    Some((Role::Connect, warning)) if !connector.warnings.contains(&warning) => {
                        connector.warnings.push(warning);
                    }
                    _ => {}
                }
            }
        }
        match connector {
            Some(connector) if wrong.0.is_empty() => {
                let planned = |(text, plan): (String, Option<_>)| plan.map(|plan| (text, plan));
                Ok(Self {
                    endpoints,
                    listeners: listeners.into_iter().filter_map(planned).collect(),
                    destination: (destination.to_owned(), connector),
                    config: Config::default(),
                    gate: None,
                    observers: vec![Box::new(Log)],
                })
            }
            _ => Err(Error::Descriptor(wrong.0)),
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Sets the gate, which admits or refuses every client before the destination is connected, and before a listener
    /// answers without a session, as with a page. It is asked after `auth` of a listener. It gets the credentials that
    /// clients have sent, and may ask for some; see [`Gate`].
    ///
    /// A gate isn't visible in a descriptor: for a program or a device behind an address that other machines can reach,
    /// the listener still needs `auth`, such as `auth=none`.
    #[must_use]
    pub fn gate(mut self, gate: impl Gate + 'static) -> Self {
        self.gate = Some(Arc::new(gate));
        self
    }

    /// Adds an observer of sessions to those that are notified already; the first one writes the log.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Returns the warnings about descriptors that are accepted.
    #[must_use]
    pub fn warnings(&self) -> Vec<BadDescriptor> {
        let listeners = self.listeners.iter().enumerate();
        let listeners =
            listeners.map(|(index, (text, plan))| (Which::Listen(index), text, &plan.warnings));
        let (text, plan) = &self.destination;
        let warnings: Vec<_> = plan.warnings.iter().cloned().chain(self.unfilled()).collect();
        listeners
            .chain([(Which::Destination, text, &warnings)])
            .filter(|(_, _, warnings)| !warnings.is_empty())
            .map(|(which, text, warnings)| BadDescriptor {
                which,
                text: text.clone(),
                diagnostics: warnings.clone(),
            })
            .collect()
    }

    /// Returns a warning for each fact in the destination that no session of some listener has.
    fn unfilled(&self) -> Vec<Diagnostic> {
        // A gate of the program's own may add any fact.
        let listeners = if self.gate.is_some() { &[] } else { &*self.listeners };
        let destination = &self.destination.1.tree;
        let mut found = Vec::new();
        for (_, plan) in listeners {
            for (hole, default) in destination.unfilled_from(&plan.tree) {
                let fact = (&*hole.root, &*hole.name);
                let known = self.endpoints.kinds().facts();
                let kinds = known.filter(|(kind, it)| {
                    it.is_called(fact.0, fact.1) && !it.opened && kind.listen.is_some()
                });
                let kinds: Vec<_> = kinds.map(|(kind, _)| format!("`{}`", kind.name)).collect();
                if kinds.is_empty() {
                    continue;
                }
                let help = if plan.tree.declares(fact.0, fact.1) {
                    "set `auth=` of the listener".to_owned()
                } else {
                    format!("only sessions of {} have it", kinds.join(", "))
                };
                let listener = &plan.tree.descriptor;
                let of = default.as_ref().map(|param| format!(", the default of `{param}`"));
                let of = of.unwrap_or_default();
                let words =
                    format!("no session of {listener} has the fact `{}.{}`{of}", fact.0, fact.1);
                let code = "fact-of-no-session";
                found.push(Diagnostic::warning(Stage::Plan, code, hole.span, words).help(help));
            }
        }
        found
    }

    /// Returns a warning for each program, device, file and folder that an endpoint needs and that isn't there now. Unlike
    /// everything before [`bind`](Self::bind), this looks at the file system.
    #[must_use]
    pub fn missing(&self) -> Vec<BadDescriptor> {
        let cx = self.endpoints.shared();
        let listeners = self.listeners.iter().enumerate().map(|(index, (text, plan))| {
            (Which::Listen(index), text, &plan.tree, plan.endpoint.missing(cx))
        });
        let (text, plan) = &self.destination;
        let destination = (Which::Destination, text, &plan.tree, plan.endpoint.missing(cx));
        let found = listeners.chain([destination]).filter(|(.., missing)| !missing.is_empty());
        let bad = found.map(|(which, text, tree, missing)| {
            let warning = |missing: &Missing| {
                let span = tree.place_of(missing);
                let warning = Diagnostic::warning(Stage::Plan, "missing", span, missing.message());
                let typed = text.get(span.start..span.end).unwrap_or_default();
                // `ssh:` replaces it itself, and its message has the whole path.
                match typed.strip_prefix("~/").filter(|_| missing.message().contains('~')) {
                    Some(rest) => warning.help(format!(
                        "a shell replaces `~` only at the beginning of a word: write `$HOME/{rest}`"
                    )),
                    None => warning,
                }
            };
            let diagnostics = missing.iter().map(warning).collect();
            BadDescriptor { which, text: text.clone(), diagnostics }
        });
        bad.collect()
    }

    /// Opens the listeners. If one can't be opened, none stays open.
    ///
    /// # Errors
    /// Why the first one of them can't be opened.
    pub async fn bind(self) -> Result<Forwarding> {
        let mut accepts = Vec::new();
        let destination = &self.destination.1.endpoint;
        let cx = self.endpoints.shared().in_front_of(destination.grants());
        let cx = cx.with_datagrams(destination.takes_datagrams());
        // A gate that admits every peer isn't asked: some layers offer a login if there is a gate.
        let cx = match &self.gate {
            Some(gate) => cx.guarded_by(Arc::clone(gate)),
            None => cx,
        };
        for (_, plan) in &self.listeners {
            let exposure = plan.unstated_exposure();
            accepts.push((plan.endpoint.bind(&cx).await?, exposure));
        }
        let locals = accepts.iter().map(|(accept, _)| accept.local().clone()).collect();
        let Plan { endpoint, tree, .. } = self.destination.1;
        let destination = Destination::new(tree.descriptor, endpoint);
        let cx = self.endpoints.shared().clone();
        let gate = self.gate.unwrap_or_else(|| Arc::new(OpenGate));
        let forwarder =
            forward::Forwarder::observed(cx, gate, destination, self.config, self.observers);
        Ok(Forwarding { forwarder, accepts, locals, stop: Stop::new() })
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listeners, destination, config, .. } = self;
        f.debug_struct("Forwarder")
            .field("listeners", listeners)
            .field("destination", destination)
            .field("config", config)
            .finish_non_exhaustive()
    }
}

/// Open endpoints whose connections are to be forwarded. Dropping it closes them.
pub struct Forwarding {
    forwarder: forward::Forwarder,
    accepts: Vec<(Box<dyn Accept>, Exposure)>,
    locals: Vec<Local>,
    stop: Stop,
}

impl Forwarding {
    /// Returns the addresses that it listens on, in the order in which the endpoints were given.
    #[must_use]
    pub fn locals(&self) -> &[Local] {
        &self.locals
    }

    /// Returns the handle that stops it.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Forwards until it is stopped and all sessions have ended, or until no listener can accept more.
    ///
    /// # Cancel safety
    /// Dropping the future closes the listeners and all sessions at once; [`Forwarding::stop`] lets them end.
    pub async fn run(self) -> Summary {
        let mut listeners = JoinSet::new();
        for (accept, exposure) in self.accepts {
            let (forwarder, stop) = (self.forwarder.clone(), self.stop.clone());
            listeners.spawn(async move { forwarder.serve_exposed(accept, exposure, stop).await });
        }
        let mut all = Summary::default();
        while let Some(done) = listeners.join_next().await {
            match done {
                Ok(one) => all += one,
                Err(_) => all.panicked += 1,
            }
        }
        all
    }
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarding").field("locals", &self.locals).finish_non_exhaustive()
    }
}

/// Descriptors with mistakes so far.
#[derive(Default)]
struct Wrong(Vec<BadDescriptor>);

impl Wrong {
    fn unless<T>(
        &mut self,
        which: Which,
        text: &str,
        planned: Result<T, Vec<Diagnostic>>,
    ) -> Option<T> {
        planned.map_err(|found| self.add(which, text, found)).ok()
    }

    fn add(&mut self, which: Which, text: &str, diagnostics: Vec<Diagnostic>) {
        debug_assert!(diagnostics.iter().any(|found| found.severity == Severity::Error));
        self.0.push(BadDescriptor { which, text: text.to_owned(), diagnostics });
    }
}
