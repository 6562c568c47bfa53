//! The `url` parameter: where clients find a listener, or what a connection asks for.

use descriptor::{Code, Diagnostic, Text, Url};
use plan::kind::{Args, Role};

/// The parts of a URL besides the address to connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// For the Host header: the port is left out if it is the scheme's own (RFC 9110 section 7.2).
    pub(crate) host: Option<String>,
    /// Path and query, with its leading slash.
    pub(crate) target: String,
}

/// Reads `url`, if it is given.
pub(crate) fn read(args: &Args) -> Result<Option<Place>, Diagnostic> {
    let Some(typed) = args.text("url").filter(|typed| !typed.is_empty()) else { return Ok(None) };
    let mistake = |message: &str| {
        args.mistake("url", "bad-url", message).help("the form is `url={ws://localhost:9000/path}`")
    };
    // Spaces in a path are percent-encoded. Autobahn's own documentation has one in front of the host:
    // `ws\:// localhost\:9000`.
    let typed = typed.trim();
    let authority = typed.find("://").map_or(0, |at| at + 3);
    let path = typed[authority..].find(['/', '?', '#']).map_or(typed.len(), |at| authority + at);
    let mut spaceless: String =
        typed[..path].chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if spaceless != typed[..path] {
        args.warn("url", "space-in-url", "`url` contains a space, which is ignored");
    }
    spaceless.push_str(&typed[path..]);
    let url =
        Url::split(&Text::synthetic(&spaceless, args.span_of("url"))).map_err(
            |found| match found.code {
                Code::NoScheme => mistake("`url` must start with `ws://` or `wss://`"),
                _ => mistake(&found.message),
            },
        )?;
    let own_port = match &*url.scheme.as_str().to_ascii_lowercase() {
        "ws" | "http" => "80",
        "wss" | "https" => "443",
        _ => return Err(mistake("`url` must start with `ws://` or `wss://`")),
    };
    if own_port == "443" && args.role == Role::Connect && !args.goes_over(&["tls", "ssl"]) {
        let message =
            "`url` requires TLS, but this connection is not encrypted: run `ws` over `tls`";
        args.warn("url", "no-tls", message);
    }
    if url.userinfo.is_some() {
        let found = args.mistake("url", "bad-url", "`url` can't carry a user");
        return Err(match args.role {
            Role::Connect => {
                found.help("give the user in the endpoint's URL: `ws://USER:PASSWORD@HOST/`")
            }
            Role::Listen => found,
        });
    }
    let path = url.path.as_str();
    if path.contains('#') {
        return Err(mistake("`url` can't have a fragment (RFC 6455 section 3)"));
    }
    if args.role == Role::Listen && path.contains('?') {
        return Err(mistake("the `url` of a listener can't have a query"));
    }
    let host = url.host.as_str();
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._~:%".contains(c);
    if !host.chars().all(is_host) {
        return Err(mistake("the host in `url` contains invalid characters"));
    }
    let port = url.port.as_ref().map_or("", Text::as_str);
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err(mistake("the port in `url` must be a number from 0 to 65535"));
    }
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let host = match (host, port) {
        ("", _) => None,
        (_, port) if port.is_empty() || port == own_port => Some(bracketed),
        (_, port) => Some(format!("{bracketed}:{port}")),
    };
    Ok(Some(Place { host, target: target(path) }))
}

/// Returns it as the target of a request line (RFC 9112 section 3.2.1): with a slash in front, and nothing in it
/// that would end it. `%` stays: encoded text is not encoded again.
pub(crate) fn target(path: &str) -> String {
    let mut target = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        target.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => {}
            b'!'..=b'~' => {
                target.push(char::from(byte));
                continue;
            }
            _ => {}
        }
        target.push_str(&format!("%{byte:02X}"));
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_never_ends_its_request_line() {
        assert_eq!(target(""), "/");
        assert_eq!(target("?a=b"), "/?a=b");
        assert_eq!(target("/a b\r\nX: y"), "/a%20b%0D%0AX:%20y");
        assert_eq!(target("/ü%20#"), "/%C3%BC%20%23");
    }
}
