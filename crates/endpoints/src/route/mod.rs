//! `route:PROVIDER=…`: the destination is looked up for each client, by a key that the client brings.
//!
//! 1. [`Route::connect`] fills the key from the facts about the client;
//! 2. [`lookup`] asks the provider (a file, a program, a server), unless the answer is cached;
//! 3. the answer is text: a descriptor, or `HOST:PORT`. [`planned`] plans it once, and keeps it;
//! 4. its endpoint is connected like any destination.
//!
//! The operator controls the provider's answers; a client only selects one. They may still not lead to a program or a
//! device unless `programs=true` is set, because the listener was checked for the exposure that this kind declares.

mod answer;
mod answers;
mod exec;
mod facts;
mod file;
mod hole;
mod http;
mod jwt;
mod lookup;
mod names;
mod planned;
mod redis;
mod tokens;
mod websocksy;

use std::borrow::Cow;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use descriptor::{Code, Syntax, Template};
use endpoint::provider::{Destination, Found, Query};
use endpoint::{Conn, Connector, Context, ErrorKind, Fact, Grants, Info, Missing, Result};
use plan::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use tracing::info;

use self::lookup::{Limits, Lookup};
use self::planned::Routes;
use crate::destination::{ALLOW, Allow};
use crate::http::form::decoded;
use crate::through::limit;

/// Destinations that are looked up.
pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::bytes(PARAMS, PlanConnect::Over(plan))),
    providers: &[&file::FILE, &exec::EXEC, &http::HTTP, &redis::REDIS, &jwt::JWT],
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
            descriptor: "route:file=/run/desks:format=names",
            about: "Reads `HOST:PORT` from the file of that name, or connects to the Unix socket of that name.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:file=/etc/websocksy/peers:format=websocksy:expression={%endpoint%.txt,default.txt}",
            about: "Reads the files of websocksy's `file` backend: each line has a peer, a subprotocol and a \
                framing.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:exec=./route.py:cache=60",
            about: "Runs a program that prints the client's destination, and uses it for the same token for a \
                minute.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:http={https://routes.example/where}:bearer-file=/etc/endpointforward/routes.token:allow=private",
            about: "Sends the facts about the client to a server, which answers with the destination, within private \
                networks.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:http={http://127.0.0.1:8000/routes/%s}",
            about: "Asks a server by GET with the token in the URL, as websockify's TokenAPI and JSONTokenApi do.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:redis={tcp:127.0.0.1:6379}:prefix={routes:}:notify=true",
            about: "Looks the token up in a Redis server, as websockify's TokenRedis does. Changes take effect at \
                    once.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:jwt=/etc/endpointforward/jwks.json:aud=vnc:allow=10.0.0.0/8",
            about: "Connects to `host` and `port` of the client's signed token, if they are in this network.",
        },
        Example {
            role: Role::Connect,
            descriptor: "route:jwt={https://id.example/jwks.json}:iss={https://id.example}:allow=10.0.0.0/8",
            about: "The same, with the keys of an identity provider, which are fetched again when they change.",
        },
    ],
    see_also: &["tcp", "fallback", "balance"],
    ..Kind::new("route", "A destination looked up for each client")
};

const PARAMS: &[Param] = &[
    Param::new(
        "by",
        ValueKind::ProviderBeside,
        "The provider of routes. By default, the one whose parameter is given, or `file`.",
    ),
    Param::new(
        "key",
        ValueKind::Template,
        "The key that selects the route, filled with facts about the client. The default is percent-decoded; a key \
         given here is compared as it was sent.",
    )
    .default("${http.query.token}"),
    Param::new(
        "default",
        ValueKind::Text,
        "The destination of clients that have no route, as a descriptor. By default, such clients are refused (404).",
    )
    .hides_query(),
    Param::new(ALLOW.name, ALLOW.value, ROUTED).topic(Topic::Access),
    Param::new(
        "programs",
        ValueKind::Bool,
        "Allow routes to a program or a device. A listener that other machines can reach then requires `auth`.",
    )
    .topic(Topic::Access)
    .default("false"),
    Param::new(
        "cache",
        ValueKind::Duration,
        "The time for which a route is reused for the same key; 0 asks the provider each time. Up to 4096 routes are \
         kept. By default, the provider decides. If the provider gets all facts, its answer for one client is then \
         used for every client with the same key.",
    )
    .topic(Topic::Limits),
    Param::new(
        "negative",
        ValueKind::Duration,
        "The time for which the answer that there is no route is reused, if routes are cached.",
    )
    .topic(Topic::Limits)
    .default("1"),
    Param::new(
        "timeout",
        ValueKind::Duration,
        "The time limit for a lookup, including its wait for other lookups. After it, the client is refused (503).",
    )
    .topic(Topic::Limits)
    .default("5"),
    Param::new(
        "lookups",
        ValueKind::Int(1, 1024),
        "The maximum number of lookups at the same time; further ones wait. Clients with the same key share one.",
    )
    .topic(Topic::Limits)
    .default("16"),
];

const ROUTED: &str = "The permitted destinations of routes: a list like that of `tcp`, which every address is \
    checked against. By default, all are permitted. With a list, routes to other endpoints than hosts, such as a \
    Unix socket, are refused.";

fn plan(args: &Args) -> Planned<Assemble<dyn Connector>> {
    let mut mistakes = Vec::new();
    let registry = args.registry().clone();
    let default = args.text("default").filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(default) = &default
        && let Err(found) = registry.connector(default, Syntax::Extended)
    {
        let first = found.first().map_or_else(String::new, |first| first.message.clone());
        let message = format!("cannot plan `default`: {first}");
        mistakes.push(args.mistake("default", Code::BadValue, message));
    }
    let allow = Allow::read(args).map_err(|mistake| mistakes.push(mistake)).ok().flatten();
    let timeout = limit(args, "timeout").map_err(|found| mistakes.extend(found));
    let provider = args.provider_beside("by").map_err(|found| mistakes.extend(found));
    let (Ok(timeout), Ok(provider), true) = (timeout, provider, mistakes.is_empty()) else {
        return Err(mistakes);
    };
    let limits = Limits {
        cache: args.duration("cache"),
        negative: args.duration("negative").unwrap_or_default(),
        timeout,
        most: args.int("lookups").and_then(|most| usize::try_from(most).ok()).unwrap_or(1),
    };
    let routes = Routes {
        label: args.descriptor.clone(),
        registry,
        programs: args.flag("programs"),
        allow,
        planned: Mutex::default(),
    };
    let key = args.template("key").cloned().expect("`key` has a default");
    let is_token = !args.is_given("key");
    Ok(Box::new(move |mut beneath| {
        let lookup = Lookup::new(provider(&mut beneath), limits);
        Box::new(Route { key, is_token, lookup, default, routes })
    }))
}

struct Route {
    key: Template,
    /// The key is the token of the query, percent-encoded.
    is_token: bool,
    lookup: Lookup,
    default: Option<String>,
    routes: Routes,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route").field("lookup", &self.lookup).finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for Route {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let error = |kind, words: &str| self.routes.error(kind, words);
        let hops = info.get::<Routed>().map_or(0, |routed| routed.hops) + 1;
        if hops > MOST_HOPS {
            return Err(error(ErrorKind::Unavailable, "too many routes lead to further routes"));
        }
        let key = self.key.fill(&|root: &str, name: &str| info.lookup(root, name)).ok();
        let key = match key {
            // As websockify reads its token.
            Some(key) if self.is_token => decoded(&key),
            key => key,
        };
        let key = key.as_deref().filter(|key| !key.is_empty());
        let found = self.lookup.find(cx, &Query { key, info }).await;
        // The key may be a secret, and is in no message.
        let found = match found.map_err(|words| error(ErrorKind::Unavailable, &words))? {
            Found::Destination(destination) => Some(destination),
            Found::Unknown => self.default.as_ref().map(Destination::new),
            Found::Forbidden => {
                return Err(error(
                    ErrorKind::Forbidden,
                    "the client is not admitted to the destination",
                ));
            }
        };
        let found = found
            .ok_or_else(|| error(ErrorKind::Unrouted, "no route matches the client's request"))?;
        let planned = self.routes.get(&found.text, info)?;
        info!("routed to {}", planned.shown);
        let info = self.routes.restrict(info).with(Routed { hops, subprotocol: None });
        let mut conn = planned.connector.connect(cx, &info).await?;
        if found.subprotocol.is_some() {
            let subprotocol = found.subprotocol.map(|name| vec![name]);
            conn.info = conn.info.with(Routed { hops, subprotocol });
        }
        Ok(conn)
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.lookup.provider.missing(cx)
    }

    /// A route may lead to datagrams.
    fn takes_datagrams(&self) -> bool {
        true
    }

    fn grants(&self) -> Grants {
        if self.routes.programs { Grants::Program } else { Grants::Service }
    }
}

/// Facts that a route adds: its subprotocol, and the number of routes that led here.
#[derive(Debug)]
struct Routed {
    hops: u8,
    subprotocol: Option<Vec<String>>,
}

impl Fact for Routed {
    fn root(&self) -> &'static str {
        "route"
    }

    fn get(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn subprotocols(&self) -> Option<&[String]> {
        self.subprotocol.as_deref()
    }
}

/// A route may lead to a route, and a mistake in one back to itself.
const MOST_HOPS: u8 = 4;

/// For the fuzz targets.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzzing(text: &str) {
    let _ = tokens::lines(text);
}

#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzzing_answer(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let found = answer::read(bytes).ok().flatten()?;
    Some((found.text, found.subprotocol))
}

#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzzing_websocksy(text: &str, offered: &[String]) -> Option<(String, Option<String>)> {
    let found = websocksy::choose(text, offered, |line| assert!(line <= text.lines().count()))?;
    Some((found.text, found.subprotocol))
}

#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzzing_expression(expression: &str, path: &str, cookies: &str) -> Option<String> {
    let mut http = endpoint::info::Http::default();
    path.clone_into(&mut http.path);
    http.headers.push(("cookie".to_owned(), cookies.to_owned()));
    websocksy::fill(expression, &http)
}
