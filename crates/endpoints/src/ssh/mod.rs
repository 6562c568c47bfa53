//! `ssh:ENDPOINT`: connections that an SSH server makes for us, many sessions over one connection to it.
//!
//! OpenSSH's own `ssh` speaks the protocol, so known hosts, agents, keys and algorithms are what its users have. We
//! give it the endpoint beneath to speak over, and have it open sessions by its multiplexing (OpenSSH's PROTOCOL.mux).
//!
//! 1. [`Ssh::connect`] has one connection for all sessions, made when one is needed and again after it was lost.
//! 2. [`options`] is how `ssh` is started.
//! 3. [`master`] is the `ssh` that runs, and its supervision; [`said`] is the text on its standard error.
//! 4. [`mux`] asks it to pass on what a session sends and receives: [`channel`] is that, and [`stream`] the session.
//! 5. [`words`] are the errors, [`key`] is what can be wrong with the file of one.

mod channel;
mod key;
mod master;
mod mux;
mod options;
mod said;
mod stream;
mod words;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use descriptor::{Code, Diagnostic};
use endpoint::info::Target;
use endpoint::{Conn, Connector, Context, Error, Grants, Info, Missing, Result};
use plan::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::channel::To;
use self::master::{Master, Recipe};
use self::mux::Failure;
use self::options::Options;
use self::stream::Session;
use crate::destination::{ALLOW, Destination, Family};
use crate::through::{self, FACTS, limit};

/// SSH.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::ssh),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Over(plan))),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "ssh:{tcp:bastion.example:22}:user=ada:host=db.example:port=5432",
            about: "Connects to a database through a bastion. It is the same as \
                    `tcp:db.example:5432:via={ssh://ada@bastion.example}`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ssh:{tcp:h.example:22}:user=forward:key=/etc/forward/id_ed25519:known-hosts=/etc/forward/known_hosts:host=localhost:port=80",
            about: "Uses a specific key and known_hosts file, as a service does.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ssh:{tcp:h.example:22}:key=agent:unix=/run/docker.sock",
            about: "Connects to a Unix socket on the server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ssh:{tcp:inner.example:22:via={ssh://ada@outer.example}}:host=localhost:port=80",
            about: "Connects through two servers.",
        },
    ],
    see_also: &["socks5", "http-connect", "tcp", "process"],
    ..Kind::new("ssh", "Connections through an SSH server, as with `ssh -W`")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint to run over: the connection to the SSH server. OpenSSH's \
        `ssh` is started for it and must be installed; it doesn't read ssh_config(5).")
        .positional()
        .required(),
    Param::new("user", ValueKind::Text, "The user name to log in with. The default is the name of the user that \
        endpointforward runs as.")
        .no_holes(&NO_HOLES),
    Param::new(
        "host",
        ValueKind::Text,
        "The destination host. The server resolves a name; with `allow`, it is resolved locally, and may contain facts \
         about the client.",
    )
    .fillable(),
    Param { required: false, ..through::PORT },
    ALLOW,
    Param::new(
        "unix",
        ValueKind::Text,
        "The path of a Unix socket on the server to connect to, instead of `host` and `port`.",
    )
    .no_holes(&NO_HOLES),
    Param::new(
        "key",
        ValueKind::Text,
        "The file with the private key, which must have no passphrase and be readable by its owner only; or `agent`, \
         for the keys of ssh-agent(1) at SSH_AUTH_SOCK. If neither `key` nor `password-file` is given, `ssh` tries its \
         defaults: the agent, then ~/.ssh/id_*.",
    )
    .no_holes(&NO_HOLES),
    Param::new(
        "password-file",
        ValueKind::Text,
        "The file whose first line is the password. It is read whenever the connection to the server is opened.",
    )
    .no_holes(&NO_HOLES),
    Param::new(
        "known-hosts",
        ValueKind::Text,
        "The file with the servers' keys. The default is ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. A server \
         whose key is missing or different is refused.",
    )
    .topic(Topic::Access)
    .no_holes(&NO_HOLES),
    Param::new(
        "accept-new",
        ValueKind::Bool,
        "Accept a server that has no key in `known-hosts` yet, and add its key. A server whose key has changed is \
         still refused.",
    )
    .topic(Topic::Access)
    .default("false"),
    Param::new(
        "name",
        ValueKind::Text,
        "The name under which `known-hosts` has the server's key. The default is the host that the endpoint beneath \
         connects to, or `[HOST]:PORT` if the port isn't 22.",
    )
    .topic(Topic::Access)
    .no_holes(&NO_HOLES),
    Param::new(
        "keepalive",
        ValueKind::Duration,
        "Probe a server that has been silent for this long, in whole seconds (ServerAliveInterval in ssh_config(5)). \
         After three probes without an answer, the connection is closed. 0 disables probes.",
    )
    .topic(Topic::Limits)
    .default("15"),
    Param::new(
        "timeout",
        ValueKind::Duration,
        "The time limit for the handshake and the login together, and then for the server to connect to each \
         destination.",
    )
    .topic(Topic::Limits)
    .default("30"),
];

const NO_HOLES: &str = "the connection is shared by all clients";

/// The destination of sessions.
#[derive(Debug)]
enum Goal {
    Port(Destination),
    Path(String),
}

fn plan(args: &Args) -> Planned<Assemble<dyn Connector>> {
    let mut mistakes = Vec::new();
    let goal = goal(args).map_err(|found| mistakes.extend(found));
    let options = Options::read(args).map_err(|found| mistakes.extend(found));
    let limit = limit(args, "timeout").map_err(|found| mistakes.extend(found));
    let (Ok(goal), Ok(options), Ok(limit)) = (goal, options, limit) else { return Err(mistakes) };
    let label = args.descriptor.clone();
    Ok(Box::new(move |mut beneath| {
        let beneath = beneath.connector("endpoint");
        let recipe = Recipe::new(label.clone(), beneath, options, limit);
        Box::new(Ssh { label, recipe, goal, limit, connection: Mutex::default() })
    }))
}

fn goal(args: &Args) -> Planned<Goal> {
    let missing = |name: &str, message: &str| -> Vec<Diagnostic> {
        let mistake = args.mistake(name, Code::MissingParameter, message);
        vec![mistake.help("give the destination with `host=HOST:port=PORT` or `unix=PATH`")]
    };
    let given = ["host", "port"].into_iter().find(|name| args.is_given(name));
    match (args.text("unix").filter(|path| !path.is_empty()), given) {
        (Some(path), None) => {
            if path.contains('\0') {
                return Err(vec![args.mistake("unix", Code::BadValue, "`unix` is no path")]);
            }
            Ok(Goal::Path(path.to_owned()))
        }
        (Some(_), Some(name)) => {
            let message = format!("`unix` and `{name}` are both given");
            Err(vec![args.mistake(name, Code::BadValue, message)])
        }
        (None, None) => Err(missing("unix", "neither `host` nor `unix` is given")),
        (None, Some(_)) if !args.is_given("port") => Err(missing("host", "`host` needs `port`")),
        (None, Some(_)) if !args.is_given("host") => Err(missing("port", "`port` needs `host`")),
        (None, Some(_)) => Ok(Goal::Port(Destination::read(args, Family::Any)?)),
    }
}

#[derive(Debug)]
struct Ssh {
    label: String,
    recipe: Recipe,
    goal: Goal,
    limit: Duration,
    connection: Mutex<Connection>,
}

/// The connection of all sessions.
#[derive(Debug, Default)]
struct Connection {
    master: Option<Arc<Master>>,
    /// The time and the error of the last failed attempt: sessions that waited for it don't try again.
    failed: Option<(Instant, Error)>,
}

#[async_trait]
impl Connector for Ssh {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let (to, target) = self.target(cx, info).await?;
        let mut is_last = false;
        loop {
            let master = self.master(cx).await?;
            match master.open(cx, &to, self.limit, Session::new).await {
                Ok(session) => {
                    let info = target.map_or_else(Info::new, |target| Info::new().with(target));
                    return Ok(Conn::bytes(session, info));
                }
                // It was lost before this session came, unnoticed until now.
                Err(Failure::Lost) if !is_last => self.forget(&master).await,
                Err(failure) => {
                    return Err(words::failed(&self.label, &failure, &master.lost().to_string()));
                }
            }
            is_last = true;
        }
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.recipe.missing(cx)
    }

    fn grants(&self) -> Grants {
        let beneath = self.recipe.grants();
        match &self.goal {
            Goal::Port(destination) => beneath.max(destination.grants()),
            Goal::Path(_) => beneath.max(Grants::Service),
        }
    }
}

impl Ssh {
    /// Returns the destination of this session: as sent to the server, and as a fact.
    async fn target(&self, cx: &Context, info: &Info) -> Result<(To, Option<Target>)> {
        let destination = match &self.goal {
            Goal::Path(path) => return Ok((To::Path(path.clone()), None)),
            Goal::Port(destination) => destination,
        };
        let place = destination.of(info, &self.label).await?;
        let mut host = place.host.to_string();
        if destination.is_restricted(&place) {
            let addresses = destination.addresses(cx, &place, &self.label).await?;
            let address = addresses.first().expect("without one it is an error");
            host = address.ip().to_canonical().to_string();
        }
        let target = Target::new(place.host.to_string(), place.port);
        Ok((To::Port(host, place.port), Some(target)))
    }

    /// Returns the connection, made if there is none. Sessions that come while it is made wait for that, and don't try
    /// again if it fails.
    async fn master(&self, cx: &Context) -> Result<Arc<Master>> {
        let asked = Instant::now();
        let mut connection = self.connection.lock().await;
        if let Some(master) = connection.master.as_ref().filter(|master| !master.is_worn()) {
            return Ok(Arc::clone(master));
        }
        if let Some((_, error)) = connection.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(words::again(error));
        }
        connection.master = None;
        match self.recipe.start(cx).await {
            Ok(master) => {
                connection.master = Some(Arc::clone(&master));
                connection.failed = None;
                Ok(master)
            }
            Err(error) => {
                connection.failed = Some((Instant::now(), words::again(&error)));
                Err(error)
            }
        }
    }

    async fn forget(&self, lost: &Arc<Master>) {
        let mut connection = self.connection.lock().await;
        if connection.master.as_ref().is_some_and(|master| Arc::ptr_eq(master, lost)) {
            connection.master = None;
        }
    }
}
