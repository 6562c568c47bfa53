//! The folder of websocksy's `file` backend: an expression names a file, whose lines are `PEER SUBPROTOCOL [FRAMING
//! [CONFIG]]`.
//!
//! As in websocksy, expressions are tried in order, and one whose variable or file is missing is skipped; a slash in a
//! variable becomes `_`, so no client leaves the folder. The first line of the file counts whose subprotocol the client
//! offers; `*` is the client's first. A client that offers none gets the first line.

use std::path::{Path, PathBuf};

use descriptor::quote_positional;
use endpoint::info::Http;
use endpoint::provider::{Answer, Destination, Found};
use endpoint::{Info, Missing, describe};
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::watched::read_lines;

/// The folder and the expressions.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    expressions: Vec<String>,
}

impl Folder {
    pub(super) fn new(path: &str, expressions: &[String]) -> Self {
        Self { path: path.into(), expressions: expressions.to_vec() }
    }
}

impl Folder {
    pub(super) async fn find(&self, info: &Info) -> Result<Answer, String> {
        let nothing = Http::default();
        let http = info.get::<Http>().unwrap_or(&nothing);
        let filled = self.expressions.iter().map(|one| Some((one.clone(), fill(one, http)?)));
        let names: Vec<_> = filled.flatten().collect();
        let (folder, offered) = (self.path.clone(), http.subprotocols.clone());
        let found = spawn_blocking(move || look(&folder, &names, &offered)).await;
        let found = found.map_err(|error| error.to_string())??;
        Ok(Answer::new(found.map_or(Found::Unknown, Found::Destination)))
    }

    pub(super) fn missing(&self) -> Vec<Missing> {
        let message = || format!("there is no folder {}", self.path.display());
        if self.path.is_dir() { Vec::new() } else { vec![Missing::of("file", message())] }
    }
}

/// Fills an expression in; `None` if a variable isn't there.
pub(super) fn fill(expression: &str, http: &Http) -> Option<String> {
    let (mut filled, mut rest) = (String::new(), expression);
    while let Some((before, variable)) = rest.split_once('%') {
        let (name, behind) = variable.split_once('%')?;
        let value = match name.split_once(':') {
            None if name == "endpoint" => {
                let path = http.path.strip_prefix('/').unwrap_or(&http.path);
                let path = path.strip_suffix('/').unwrap_or(path);
                let query = if http.query.is_empty() { "" } else { "?" };
                format!("{path}{query}{}", http.query)
            }
            Some(("cookie", name)) => http.cookie(name)?.to_owned(),
            Some(("header", name)) => http.header(&name.to_ascii_lowercase())?.to_owned(),
            _ => return None,
        };
        filled.push_str(before);
        filled.push_str(&value.replace(['/', '\0'], "_"));
        rest = behind;
    }
    filled.push_str(rest);
    // A client's text has no slash, but it may be dots. A name that is nothing but dots is no file.
    let climbs = |text: &str| text.split('/').filter(|part| matches!(*part, "." | "..")).count();
    let is_name = !filled.trim_matches('.').is_empty();
    (is_name && climbs(&filled) == climbs(expression)).then_some(filled)
}

fn look(
    folder: &Path,
    names: &[(String, String)],
    offered: &[String],
) -> Result<Option<Destination>, String> {
    for (expression, name) in names {
        let path = folder.join(name);
        // The operator's expression may have folders; a client's part of it has none.
        if !path.is_file() {
            continue;
        }
        // The name may be a client's secret, such as a cookie, and so is in no message.
        let shown = format!("{} for `{expression}`", folder.display());
        let (text, not_text) =
            read_lines(&path).map_err(|error| format!("{shown}: {}", describe(&error)))?;
        for line in not_text.iter().take(SAID) {
            warn!("{shown}: line {line} of its file is not UTF-8");
        }
        let mut said = 0;
        let found = choose(&text, offered, |line| {
            said += 1;
            if said <= SAID {
                warn!(
                    "{shown}: line {line} of its file has no peer, or a framing that websocksy doesn't have"
                );
            }
        });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The first line that fits. `wrong` is told the numbers of lines that are none.
pub(super) fn choose(
    text: &str,
    offered: &[String],
    mut wrong: impl FnMut(usize),
) -> Option<Destination> {
    for (number, line) in text.lines().enumerate() {
        let mut rest = line;
        let Some(peer) = next_field(&mut rest) else { continue };
        let (protocol, framing) = (next_field(&mut rest), next_field(&mut rest));
        let config = Some(rest.trim()).filter(|config| !config.is_empty());
        let subprotocol = match (protocol, offered.first()) {
            (_, None) => None,
            (Some("*"), Some(first)) => Some(first.clone()),
            (Some(name), _) if offered.iter().any(|it| it == name) => Some(name.to_owned()),
            _ => continue,
        };
        let described = peer_of(peer).and_then(|peer| framed(&peer, framing, config));
        match described {
            Some(text) => return Some(Destination { text, subprotocol }),
            None => wrong(number + 1),
        }
    }
    None
}

/// Takes the next field of a line, behind any number of blanks.
fn next_field<'l>(rest: &mut &'l str) -> Option<&'l str> {
    let line = rest.trim_start();
    let (field, behind) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    *rest = behind;
    (!field.is_empty()).then_some(field)
}

/// Converts a peer such as `tcp://host:port` to a descriptor.
fn peer_of(peer: &str) -> Option<String> {
    let (scheme, rest) = peer.split_once("://").unwrap_or(("tcp", peer));
    match scheme {
        "tcp" | "udp" => {
            let (host, port) = rest.rsplit_once(':')?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some(format!("{scheme}:{}:{}", quote_positional(host), quote_positional(port)))
        }
        "unix" | "unix-dgram" => Some(format!("{scheme}:{}", quote_positional(rest))),
        _ => None,
    }
}

/// Returns the peer's bytes as messages, if the line has a framing. Delimiters and headers stay, and data sent to the
/// peer isn't framed, as in websocksy.
fn framed(peer: &str, framing: Option<&str>, config: Option<&str>) -> Option<String> {
    let config = config.unwrap_or_default().trim();
    let by = match framing.unwrap_or("auto") {
        // Bytes become messages as they come.
        "auto" | "binary" => return Some(peer.to_owned()),
        "json" => "json".to_owned(),
        "newline" => match config {
            "" => "lines:delimiter=keep".to_owned(),
            "crlf" | "lf" | "cr" => format!("lines:eol={config}:delimiter=keep"),
            _ => return None,
        },
        "separator" if !config.is_empty() => {
            format!("separator={}:delimiter=keep", encoded(config))
        }
        "fixedlength" => format!("fixed={}", config.parse::<u32>().ok()?),
        "dynamic32" => {
            let fields = config.split(',').map(str::trim).filter(|field| !field.is_empty());
            fields.fold("dynamic32".to_owned(), |by, field| format!("{by}:{field}"))
        }
        _ => return None,
    };
    // Datagrams are messages already.
    if peer.starts_with("udp") || peer.starts_with("unix-dgram") {
        return Some(peer.to_owned());
    }
    Some(format!("framed:{{{peer}}}:in={{{by}}}:out=chunks"))
}

/// A separator with C's escapes, percent-encoded.
fn encoded(separator: &str) -> String {
    let (mut encoded, mut bytes) = (String::new(), separator.bytes());
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\\' => match bytes.next() {
                Some(b'r') => b'\r',
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'0') => 0,
                Some(other) => other,
                None => b'\\',
            },
            byte => byte,
        };
        encoded.push_str(&format!("%{byte:02X}"));
    }
    encoded
}

/// Lines of a file that are warned of for one client.
const SAID: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> Http {
        let mut http = Http::default();
        path.clone_into(&mut http.path);
        http.headers.push(("cookie".to_owned(), "host=a/../b".to_owned()));
        http
    }

    #[test]
    fn no_client_leaves_the_folder() {
        assert_eq!(fill("%endpoint%.txt", &request("/a/b/")).as_deref(), Some("a_b.txt"));
        assert_eq!(fill("%endpoint%.txt", &request("/")).as_deref(), Some(".txt"));
        assert_eq!(fill("x-%cookie:host%", &request("/")).as_deref(), Some("x-a_.._b"));
        assert_eq!(fill("%endpoint%", &request("/..")), None);
        for dots in ["/..", "/."] {
            assert_eq!(fill("%endpoint%/peer", &request(dots)), None);
            assert_eq!(fill("hosts/%endpoint%/peer", &request(dots)), None);
            assert_eq!(fill("hosts/%endpoint%", &request(dots)), None);
        }
        assert_eq!(fill(".%endpoint%", &request("/./")), None);
        assert_eq!(fill("../%endpoint%", &request("/...")).as_deref(), Some("../..."));
        assert_eq!(fill("%cookie:none%", &request("/")), None);
        assert_eq!(fill("%header:x%", &request("/")), None);
    }

    #[test]
    fn a_line_is_chosen_by_what_is_offered() {
        let text = "tcp://h:1 mqtt\nunix:///run/x other json\ntcp://h:2 *\n";
        let choose = |offered: &[&str]| {
            let offered: Vec<_> = offered.iter().map(|&it| it.to_owned()).collect();
            choose(text, &offered, |_| {}).map(|found| (found.text, found.subprotocol))
        };
        let some =
            |text: &str, name: Option<&str>| Some((text.to_owned(), name.map(str::to_owned)));
        assert_eq!(choose(&["x", "mqtt"]), some("tcp:h:1", Some("mqtt")));
        assert_eq!(
            choose(&["other"]),
            some("framed:{unix:/run/x}:in={json}:out=chunks", Some("other"))
        );
        assert_eq!(choose(&["x", "y"]), some("tcp:h:2", Some("x")));
        // It crashes websocksy.
        assert_eq!(
            super::choose("tcp://h:3", &[], |_| {}).map(|it| it.text).as_deref(),
            Some("tcp:h:3")
        );
        assert_eq!(choose(&[]), some("tcp:h:1", None));
    }

    #[test]
    fn columns_may_be_aligned() {
        let json = "framed:{tcp:h:1}:in={json}:out=chunks";
        let separator = "framed:{tcp:h:1}:in={separator=%61%20%62:delimiter=keep}:out=chunks";
        for (line, text) in [
            ("tcp://h:1 mqtt json", json),
            ("tcp://h:1   mqtt    json  ", json),
            ("\t tcp://h:1\t\tmqtt  json", json),
            ("tcp://h:1    mqtt", "tcp:h:1"),
            ("tcp://h:1  mqtt   separator  a b", separator),
        ] {
            let found = choose(line, &["mqtt".to_owned()], |_| {}).expect(line);
            assert_eq!((&*found.text, found.subprotocol.as_deref()), (text, Some("mqtt")));
        }
    }

    #[test]
    fn framings_are_planned_as_they_were_meant() {
        for (framing, config, expected) in [
            ("separator", r"\r\n", "separator=%0D%0A:delimiter=keep"),
            ("newline", "crlf", "lines:eol=crlf:delimiter=keep"),
            ("fixedlength", "188", "fixed=188"),
            ("dynamic32", "offset=4,static=2,endian=big", "dynamic32:offset=4:static=2:endian=big"),
        ] {
            let text = framed("tcp:h:1", Some(framing), Some(config)).expect(framing);
            assert_eq!(text, format!("framed:{{tcp:h:1}}:in={{{expected}}}:out=chunks"));
            let kinds = plan::Registry::with(crate::KINDS);
            let planned = kinds.connector(&text, descriptor::Syntax::Extended);
            assert!(planned.is_ok(), "{text}: {planned:?}");
        }
        assert_eq!(framed("tcp:h:1", Some("nothing"), None), None);
    }
}
