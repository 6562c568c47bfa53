//! `route:file=PATH`: the destination is looked up for each client, by a key that the client brings.
//!
//! 1. [`Route::connect`] fills the key from the client's facts, and asks the provider;
//! 2. the answer is text: a descriptor, or `HOST:PORT`. It is planned once, and kept;
//! 3. what it names is connected as any destination is.
//!
//! The provider's words are the operator's; a client only chooses among them. They may still not lead to a program or a
//! device unless that is said, since the listener in front was checked for what this kind grants.

mod tokens;
mod websocksy;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use descriptor::{Report, Syntax, Template};
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Fact, Grants, Info, Result};
use plan::Registry;
use plan::kind::{Args, Example, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind};
use tracing::info;

/// Destinations that are looked up.
pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "route:file=/etc/endpointforward/tokens",
            about: "Selects the line `NAME: HOST:PORT` by noVNC's `?token=NAME`, as websockify's TokenFile does, in \
                a file or in the files of a folder.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:file=./hosts:key=${http.path}:default={tcp:127.0.0.1:5900}",
            about: "Selects the line by the path, and connects unlisted paths to a default destination.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:file=/etc/websocksy/peers:format=websocksy:expression={%endpoint%.txt,default.txt}",
            about: "Reads the files of websocksy's `file` backend: each line has a peer, a subprotocol and a \
                framing.",
        },
    ],
    see_also: &["tcp", "fallback", "balance"],
    ..Kind::new("route", "A destination looked up for each client")
};

const PARAMS: &[Param] = &[
    Param::new(
        "file",
        ValueKind::Text,
        "A file with lines `KEY: DESTINATION`, or a folder of such files. DESTINATION is `HOST:PORT`, \
         `unix_socket:PATH` or a descriptor. A changed file is read again. An invalid line is skipped with a warning \
         that has its number.",
    )
    .positional()
    .required(),
    Param::new(
        "key",
        ValueKind::Template,
        "The key that selects the line, filled with facts about the client.",
    )
    .default("${http.query.token}"),
    Param::new(
        "format",
        ValueKind::Choice(&["tokens", "websocksy"]),
        "The format of `file`: `tokens`, lines with a key; or `websocksy`, a folder of websocksy's `file` backend, \
         in which `expression` selects the file.",
    )
    .default("tokens"),
    Param::new(
        "expression",
        ValueKind::List,
        "With `format=websocksy`, the file names to try, in order. `%endpoint%` is replaced by the path, \
         `%cookie:NAME%` by a cookie and `%header:NAME%` by a header; a slash in them becomes `_`.",
    )
    .default("%endpoint%.txt"),
    Param::new(
        "default",
        ValueKind::Text,
        "The destination of clients whose key has no line, as a descriptor. By default, such clients are refused \
         (404).",
    ),
    Param::new(
        "programs",
        ValueKind::Bool,
        "Allow lines with a program or a device as the destination. A listener that other machines can reach then \
         requires `auth`.",
    )
    .topic(Topic::Access)
    .default("false"),
];

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let path = args.text("file").unwrap_or_default();
    let provider: Box<dyn Provider> = match args.text("format") {
        Some("websocksy") => Box::new(websocksy::Folder::new(path, args.list("expression"))),
        _ => Box::new(tokens::Tokens::new(path)),
    };
    let registry = args.registry().clone();
    let default = args.text("default").filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(default) = &default {
        registry.connector(default, Syntax::Extended).map_err(|mistakes| {
            let first = mistakes.first().map_or_else(String::new, |first| first.message.clone());
            let message = format!("`default` can't be planned: {first}");
            vec![args.mistake("default", descriptor::Code::BadValue, message)]
        })?;
    }
    Ok(Box::new(Route {
        descriptor: args.descriptor.clone(),
        key: args.template("key").cloned().expect("`key` has a default"),
        provider,
        default,
        programs: args.flag("programs"),
        registry,
        planned: Mutex::default(),
    }))
}

/// Where routes come from.
#[async_trait]
pub(super) trait Provider: fmt::Debug + Send + Sync {
    /// Whether it needs a key: without one, a client has no route.
    fn needs_key(&self) -> bool {
        true
    }

    /// Looks up a client; `None` if there is no route for it. Files are read in another thread.
    ///
    /// # Errors
    /// The provider fails, in words.
    async fn find(&self, key: &str, info: &Info) -> std::result::Result<Option<Found>, String>;

    /// What it needs and isn't there, in words.
    fn missing(&self) -> Option<String>;
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// A descriptor, or `HOST:PORT`.
    pub(super) text: String,
    /// The subprotocol that the client is told, if the route says it.
    pub(super) subprotocol: Option<String>,
}

struct Route {
    descriptor: String,
    key: Template,
    provider: Box<dyn Provider>,
    default: Option<String>,
    programs: bool,
    registry: Registry,
    /// What was planned before, by its text.
    planned: Mutex<HashMap<String, Arc<dyn Connector>>>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("provider", &self.provider).finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Route {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let key = self.key.fill(&|root: &str, name: &str| info.lookup(root, name)).ok();
        let found = match key.filter(|key| !self.provider.needs_key() || !key.is_empty()) {
            Some(key) => self.provider.find(&key, info).await,
            None if self.provider.needs_key() => Ok(None),
            None => self.provider.find("", info).await,
        };
        let found = found.map_err(|words| self.error(ErrorKind::Unavailable, &words))?;
        let default = || Some(Found { text: self.default.clone()?, subprotocol: None });
        // The key may be a secret, and is in no message.
        let found = found.or_else(default).ok_or_else(|| {
            self.error(ErrorKind::Unrouted, "no route matches the client's request")
        })?;
        let connector = self.planned(&found.text)?;
        info!("routed to {}", found.text);
        let mut conn = connector.connect(cx, info).await?;
        if let Some(subprotocol) = found.subprotocol {
            conn.info = conn.info.with(Settled(vec![subprotocol]));
        }
        Ok(conn)
    }

    fn missing(&self, _: &Context) -> Option<String> {
        self.provider.missing()
    }

    fn grants(&self) -> Grants {
        if self.programs { Grants::Program } else { Grants::Service }
    }
}

impl Route {
    /// Plans a route's text, or takes what was planned of it.
    fn planned(&self, text: &str) -> Result<Arc<dyn Connector>> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = planned.get(text) {
            return Ok(Arc::clone(known));
        }
        let descriptor = self.descriptor_of(text);
        let plan = self.registry.connector(&descriptor, Syntax::Extended).map_err(|mistakes| {
            let report = Report::new(&descriptor, &mistakes).to_string();
            let words = format!("cannot plan the route: {}", report.replace('\n', " "));
            self.error(ErrorKind::Unavailable, &words)
        })?;
        if plan.endpoint.grants().is_unguarded() && !self.programs {
            let words = "the route leads to a program or a device";
            let error = self.error(ErrorKind::Forbidden, words);
            return Err(error.with_hint("allow it with `programs=true`"));
        }
        if planned.len() >= MOST {
            planned.clear();
        }
        let connector: Arc<dyn Connector> = Arc::from(plan.endpoint);
        planned.insert(text.to_owned(), Arc::clone(&connector));
        Ok(connector)
    }

    /// `HOST:PORT` and websockify's `unix_socket:PATH` as descriptors; what names a kind is one.
    fn descriptor_of(&self, text: &str) -> String {
        if let Some(path) = text.strip_prefix("unix_socket:") {
            return format!("unix:{}", descriptor::quote_positional(path));
        }
        match text.rsplit_once(':') {
            Some((host, port))
                if port.parse::<u16>().is_ok()
                    && !host.contains(['{', '/'])
                    && (host.starts_with('[') || !host.contains(':'))
                    && self.registry.find(host).is_none() =>
            {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                format!("tcp:{}:{port}", descriptor::quote_positional(host))
            }
            _ => text.to_owned(),
        }
    }

    fn error(&self, kind: ErrorKind, words: &str) -> Error {
        Error::new(kind, "route", &*self.descriptor, words)
    }
}

/// The subprotocol that a route is for.
#[derive(Debug)]
struct Settled(Vec<String>);

impl Fact for Settled {
    fn root(&self) -> &'static str {
        "route"
    }

    fn get(&self, _: &str) -> Option<std::borrow::Cow<'_, str>> {
        None
    }

    fn subprotocols(&self) -> Option<&[String]> {
        Some(&self.0)
    }
}

/// Routes that are kept planned.
const MOST: usize = 1024;
