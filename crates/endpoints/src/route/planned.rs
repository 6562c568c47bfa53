//! Plans the text of a route to a connector, once for each text, and checks its exposure.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};

use descriptor::{Syntax, quote_positional};
use endpoint::info::Restriction;
use endpoint::{Connector, Error, ErrorKind, Info, Result};
use plan::kind::Role;
use plan::{Registry, Tree};

use crate::destination::{ALLOW, Allow};

/// The routes that were planned before, by their texts.
pub(super) struct Routes {
    /// The descriptor of the route's kind, for errors.
    pub(super) label: String,
    pub(super) registry: Registry,
    pub(super) programs: bool,
    pub(super) allow: Option<Allow>,
    pub(super) planned: Mutex<HashMap<String, Arc<Planned>>>,
}

/// A route that was planned.
pub(super) struct Planned {
    pub(super) connector: Arc<dyn Connector>,
    /// The route as it is logged, without the secrets that its text may have.
    pub(super) shown: String,
    /// The kind in it that dials something other than addresses, if there is one: a list of addresses doesn't apply
    /// to it.
    unlisted: Option<&'static str>,
}

impl Routes {
    /// Plans a route's text, or takes what was planned of it, for a client that `info` is about.
    ///
    /// # Errors
    /// It can't be planned, or leads to what it may not.
    pub(super) fn get(&self, text: &str, info: &Info) -> Result<Arc<Planned>> {
        let planned = self.planned(text)?;
        let is_restricted = self.allow.is_some() || info.get::<Restriction>().is_some();
        if let Some(kind) = planned.unlisted.filter(|_| is_restricted) {
            let words = format!("the route leads to `{kind}`, but `allow` lists hosts");
            return Err(self.error(ErrorKind::Forbidden, &words));
        }
        Ok(planned)
    }

    /// The facts to connect with: where the route may lead is one.
    pub(super) fn restrict(&self, info: &Info) -> Info {
        let Some(allow) = self.allow.clone() else { return info.clone() };
        let before = info.get::<Restriction>().cloned();
        let both = move |host: &str, address, port| {
            allow.admits(host, address, port)
                && before.as_ref().is_none_or(|before| before.admits(host, address, port))
        };
        info.clone().with(Restriction::new(both))
    }

    fn planned(&self, text: &str) -> Result<Arc<Planned>> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = planned.get(text) {
            return Ok(Arc::clone(known));
        }
        if text.len() > LONGEST {
            let words = format!("the route is longer than {LONGEST} bytes");
            return Err(self.error(ErrorKind::Unavailable, &words));
        }
        let descriptor = self.descriptor_of(text);
        let plan = self.registry.connector(&descriptor, Syntax::Extended).map_err(|mistakes| {
            // Not the route itself: it may hold a password, and where it does can't be known of what has no plan.
            let words: Vec<_> = mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
            let words = format!("cannot plan the route: {}", words.join("; "));
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
        let unlisted = self.unlisted(&plan.tree);
        let (connector, shown) = (Arc::from(plan.endpoint), plan.tree.descriptor);
        let new = Arc::new(Planned { connector, shown, unlisted });
        planned.insert(text.to_owned(), Arc::clone(&new));
        Ok(new)
    }

    /// The first kind at the bottom that has no list of what it may dial.
    fn unlisted(&self, tree: &Tree) -> Option<&'static str> {
        if !tree.beneath.is_empty() {
            return tree.beneath.iter().find_map(|beneath| self.unlisted(beneath));
        }
        let (kind, _) = self.registry.find(tree.kind)?;
        let has_list = kind.params(Role::Connect).iter().any(|param| param.name == ALLOW.name);
        (!has_list).then_some(tree.kind)
    }

    /// `HOST:PORT`, where an IPv6 address needs no brackets, and websockify's `unix_socket:PATH` as descriptors; what
    /// names a kind is one.
    fn descriptor_of(&self, text: &str) -> String {
        if let Some(path) = text.strip_prefix("unix_socket:") {
            return format!("unix:{}", quote_positional(path));
        }
        match text.rsplit_once(':') {
            Some((host, port))
                if port.parse::<u16>().is_ok()
                    && !host.contains(['{', '/'])
                    && (host.starts_with('[')
                        || !host.contains(':')
                        || host.parse::<Ipv6Addr>().is_ok())
                    && self.registry.find(host).is_none() =>
            {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                format!("tcp:{}:{port}", quote_positional(host))
            }
            _ => text.to_owned(),
        }
    }

    pub(super) fn error(&self, kind: ErrorKind, words: &str) -> Error {
        Error::new(kind, "find a destination by", &*self.label, words)
    }
}

/// Routes that are kept planned.
const MOST: usize = 1024;
/// The maximum length of a route's text, in bytes.
const LONGEST: usize = 4096;
