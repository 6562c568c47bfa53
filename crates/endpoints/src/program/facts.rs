//! The environment that a program gets of what is known about its client: CGI's (RFC 3875 section 4.1), with what
//! websocketd adds.
//!
//! All of it is text that a client chose, more or less: so it has no NUL and no line ends, and is bounded; headers are
//! those of a list. Never among them: `Proxy`, which would become `HTTP_PROXY` and have the program's own requests go
//! through the client (CVE-2016-5385, "httpoxy"), and credentials.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;

use descriptor::Diagnostic;
use endpoint::Info;
use endpoint::info::{Http, Proxied, Tcp, Udp};
use percent_encoding::percent_decode_str;
use plan::kind::Args;

/// The facts of a session that become environment variables.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Names of headers, in lower case, in addition to [`HEADERS`].
    more: Vec<String>,
}

/// The script's part of the URL's path, and the rest of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) script: Vec<u8>,
    pub(crate) rest: Vec<u8>,
}

impl Facts {
    /// Parses `facts` and `headers`; `None` if no facts are wanted.
    pub(crate) fn read(args: &Args, found: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut more = Vec::new();
        for word in args.list("headers") {
            let name = word.to_ascii_lowercase();
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_name {
                let message = format!("`{word}` is not the name of a header");
                let help = "a name has letters, digits and `-`";
                found.push(args.mistake("headers", "bad-header", message).help(help));
            } else if NEVER.contains(&&*name) {
                let message = format!("the header `{word}` is never passed to a program");
                let help = match &*name {
                    "proxy" => {
                        "it would become HTTP_PROXY, with which the client could redirect the program's requests"
                    }
                    _ => "credentials are for `auth=` only; REMOTE_USER has the user",
                };
                found.push(args.mistake("headers", "secret-header", message).help(help));
            } else {
                more.push(name);
            }
        }
        args.flag("facts").then_some(Self { more })
    }

    /// The variables of a session. `place` is where its script stands, if the URL chose it.
    pub(crate) fn variables(
        &self,
        info: &Info,
        place: Option<&Place>,
    ) -> Vec<(OsString, OsString)> {
        let mut set = Variables(Vec::new());
        if let Some((peer, port)) = info.client() {
            set.put("REMOTE_ADDR", peer.to_string());
            // As the RFC has it where no name is known: looking one up would have the client wait.
            set.put("REMOTE_HOST", peer.to_string());
            if let Some(port) = port {
                set.put("REMOTE_PORT", port.to_string());
            }
        }
        if let Some(user) = info.identity().and_then(|identity| identity.name()) {
            set.put("REMOTE_USER", user);
        }
        // As Apache's mod_ssl names them.
        for (name, fact) in [("SSL_CLIENT_S_DN", "subject"), ("SSL_CLIENT_S_DN_CN", "cn")] {
            if let Some(value) = info.lookup("tls", &format!("client.{fact}")) {
                set.put(name, value.into_owned());
            }
        }
        set.put("SERVER_SOFTWARE", SOFTWARE);
        let local = server(info);
        let Some(http) = info.get::<Http>() else {
            if let Some(local) = local {
                set.put("SERVER_NAME", local.ip().to_string());
                set.put("SERVER_PORT", local.port().to_string());
            }
            return set.0;
        };
        self.request(&mut set, info, http, place);
        let host = info.lookup("proxy", "host").or_else(|| info.lookup("http", "host"));
        let (name, port) = host.as_deref().map(host_and_port).unwrap_or_default();
        let name = name.map(str::to_owned).or_else(|| local.map(|at| at.ip().to_string()));
        let default = if is_secure(info) { "443" } else { "80" };
        set.put("SERVER_NAME", name.unwrap_or_default());
        set.put("SERVER_PORT", port.unwrap_or(default));
        if let Some(unique) = unique() {
            set.put("UNIQUE_ID", unique);
        }
        set.0
    }

    fn request(&self, set: &mut Variables, info: &Info, http: &Http, place: Option<&Place>) {
        set.put("GATEWAY_INTERFACE", "CGI/1.1");
        set.put("SERVER_PROTOCOL", "HTTP/1.1");
        set.put("REQUEST_METHOD", "GET");
        let uri = match &*http.query {
            "" => http.path.clone(),
            query => format!("{}?{query}", http.path),
        };
        set.put("REQUEST_URI", uri);
        set.put("QUERY_STRING", &*http.query);
        match place {
            Some(Place { script, rest }) => {
                set.put("SCRIPT_NAME", script.clone());
                set.put("PATH_INFO", rest.clone());
            }
            None => {
                // The program is the whole of the URL's space, as with websocketd.
                set.put("SCRIPT_NAME", "/");
                set.put("PATH_INFO", percent_decode_str(&http.path).collect::<Vec<_>>());
            }
        }
        if is_secure(info) {
            set.put("HTTPS", "on");
        }
        let mut done: Vec<&str> = Vec::new();
        for (name, _) in &http.headers {
            let wanted = HEADERS.contains(&&**name) || self.more.contains(name);
            if !wanted || NEVER.contains(&&**name) || done.contains(&&**name) {
                continue;
            }
            done.push(name);
            let all = http.headers.iter().filter(|(other, _)| other == name);
            let values: Vec<_> = all.map(|(_, value)| &**value).collect();
            let variable = format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_"));
            set.put(&variable, values.join(", "));
        }
    }
}

/// Returns `true` if an inherited variable could be mistaken for one about the client.
pub(crate) fn is_about_a_client(name: &str) -> bool {
    let is_header = name.starts_with("HTTP_") && name != "HTTP_PROXY";
    is_header || NAMES.contains(&name)
}

/// Returns a unique identifier; `None` if the system has no random bytes.
fn unique() -> Option<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

struct Variables(Vec<(OsString, OsString)>);

impl Variables {
    /// Adds one, if its value may be in an environment.
    fn put(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        if let Some(value) = clean(value.into()) {
            self.0.push((name.into(), OsString::from_vec(value)));
        }
    }
}

/// `None` for what can't be a variable, and for what bash before 2014 would have run (CVE-2014-6271).
fn clean(mut value: Vec<u8>) -> Option<Vec<u8>> {
    if value.len() > MOST || value.contains(&0) || value.starts_with(b"() {") {
        return None;
    }
    for byte in value.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
    Some(value)
}

/// The address that the client connected to.
fn server(info: &Info) -> Option<SocketAddr> {
    let told = info.get::<Proxied>().and_then(|proxied| proxied.destination);
    let tcp = || info.get::<Tcp>().map(|tcp| tcp.local);
    told.or_else(tcp).or_else(|| info.get::<Udp>().map(|udp| udp.local))
}

fn is_secure(info: &Info) -> bool {
    match info.lookup("proxy", "scheme") {
        Some(scheme) => scheme == "https",
        None => info.lookup("tls", "version").is_some(),
    }
}

/// The two parts of a Host header; an IPv6 address without its brackets, as websocketd has it.
fn host_and_port(host: &str) -> (Option<&str>, Option<&str>) {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    (Some(bare).filter(|name| !name.is_empty()), port.filter(|port| !port.is_empty()))
}

const SOFTWARE: &str = concat!("endpointforward/", env!("CARGO_PKG_VERSION"));

/// The longest value.
const MOST: usize = 64 << 10;

/// Names of variables about a client or a request.
const NAMES: [&str; 25] = [
    "AUTH_TYPE",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "GATEWAY_INTERFACE",
    "HTTPS",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_IDENT",
    "REMOTE_PORT",
    "REMOTE_USER",
    "REQUEST_METHOD",
    "REQUEST_SCHEME",
    "REQUEST_URI",
    "SCRIPT_FILENAME",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
    "SSL_CLIENT_S_DN",
    "SSL_CLIENT_S_DN_CN",
    "UNIQUE_ID",
];

/// Headers that become variables.
const HEADERS: [&str; 25] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "dnt",
    "host",
    "origin",
    "pragma",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-gpc",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "upgrade",
    "user-agent",
];

/// Headers that are never passed: credentials, those that name a signed-in user, and one that would be `HTTP_PROXY`.
const NEVER: [&str; 10] = [
    "authorization",
    "cookie",
    "proxy",
    "proxy-authorization",
    "remote-user",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-forwarded-user",
    "x-remote-user",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_no_line_ends_and_no_nul() {
        assert_eq!(clean(b"a\r\nb".to_vec()).as_deref(), Some(&b"a  b"[..]));
        assert_eq!(clean(b"a\0b".to_vec()), None);
        assert_eq!(clean(b"() { :; }; echo".to_vec()), None);
        assert_eq!(clean(vec![b'a'; MOST + 1]), None);
    }

    #[test]
    fn a_host_has_a_name_and_a_port() {
        assert_eq!(host_and_port("a.example:81"), (Some("a.example"), Some("81")));
        assert_eq!(host_and_port("a.example"), (Some("a.example"), None));
        assert_eq!(host_and_port("[::1]:81"), (Some("::1"), Some("81")));
        assert_eq!(host_and_port("[::1]"), (Some("::1"), None));
        assert_eq!(host_and_port(":81"), (None, Some("81")));
    }
}
