//! The facts about a client for a provider, by their names in templates.

use endpoint::Info;
use endpoint::info::Http;
use endpoint::provider::Query;
use plan::Registry;
use serde_json::{Map, Value};

/// The names of the facts that there may be.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<&'static str>);

impl Names {
    /// Returns the names that the kinds declare. Facts with names that clients choose are found in the request.
    pub(super) fn of(registry: &Registry) -> Self {
        let mut names: Vec<_> = registry.facts().map(|(_, fact)| fact.name).collect();
        names.retain(|name| !name.ends_with(".NAME"));
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    /// Returns the client's facts: `key` first, if there is one.
    pub(super) fn known(&self, query: &Query<'_>) -> Vec<(String, String)> {
        let key = query.key.map(|key| ("key".to_owned(), key.to_owned()));
        let fixed = self.0.iter().filter_map(|name| {
            let (root, rest) = name.split_once('.')?;
            Some(((*name).to_owned(), query.info.lookup(root, rest)?.into_owned()))
        });
        key.into_iter().chain(fixed).chain(of_request(query.info)).collect()
    }

    /// The same as a JSON object.
    pub(super) fn json(&self, query: &Query<'_>) -> String {
        let facts = self.known(query).into_iter();
        let facts: Map<_, _> = facts.map(|(name, value)| (name, Value::String(value))).collect();
        Value::Object(facts).to_string()
    }
}

/// Header fields and parameters of the query, of each name the first one.
fn of_request(info: &Info) -> Vec<(String, String)> {
    let Some(http) = info.get::<Http>() else { return Vec::new() };
    let headers = http.headers.iter().filter(|(name, _)| !SECRETS.contains(&&**name));
    let headers = headers.map(|(name, value)| (format!("http.header.{name}"), value.clone()));
    let query = http.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (format!("http.query.{name}"), value.to_owned())
    });
    let mut found: Vec<(String, String)> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (name, value) in headers.chain(query) {
        if seen.insert(name.clone()) {
            found.push((name, value));
        }
    }
    found
}

/// Header fields with credentials: a provider gets the user's name, and not the credentials.
const SECRETS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

#[cfg(test)]
mod tests {
    use endpoint::info::Target;

    use super::*;

    #[test]
    fn facts_have_their_names_and_no_credentials() {
        let mut http = Http::default();
        "/a".clone_into(&mut http.path);
        "token=t&token=u&x".clone_into(&mut http.query);
        for (name, value) in [("host", "h"), ("cookie", "c=1"), ("authorization", "Basic x")] {
            http.headers.push((name.to_owned(), value.to_owned()));
        }
        let info = Info::new().with(http).with(Target::new("t\n", 7));
        let names = Names::of(&Registry::with(crate::KINDS));
        let json = names.json(&Query { key: Some("t"), info: &info });
        assert_eq!(
            json,
            r#"{"key":"t","http.host":"h","http.hostname":"h","http.path":"/a","http.query":"token=t&token=u&x","target.host":"t\n","target.network":"tcp","target.port":"7","http.header.host":"h","http.query.token":"t","http.query.x":""}"#
        );
    }
}
