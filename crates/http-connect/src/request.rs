//! A client's request.

use crate::error::{Error, Fault};
use crate::{FIELDS, Login, MOST, Read};

/// A request for a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The destination host, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The client's credentials, if given.
    pub login: Option<Login>,
}

impl Request {
    /// Parses it from the start of `bytes`.
    ///
    /// # Errors
    /// It is no such request, whatever follows.
    pub fn read(bytes: &[u8]) -> Result<Read<Self>, Error> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let status = request.parse(bytes).map_err(Error::of)?;
        // The rest of a request that is refused in any case is not waited for.
        if let Some(method) = request.method.filter(|method| *method != "CONNECT") {
            let words = format!("received `{method}`, but only CONNECT is supported");
            return Err(Error::new(Fault::Method, words));
        }
        let length = match status {
            httparse::Status::Complete(length) if length <= MOST => length,
            httparse::Status::Partial if bytes.len() < MOST => return Ok(Read::More),
            _ => return Err(Error::too_large()),
        };
        let target = request.path.unwrap_or_default();
        let (host, port) = place(target).ok_or_else(|| {
            let words = format!("CONNECT needs HOST:PORT, but received `{}`", shown(target));
            Error::new(Fault::Malformed, words)
        })?;
        host_field(request.headers)?;
        let login = login(request.headers)?;
        Ok(Read::Head(Self { host, port, login }, length))
    }

    /// Returns its bytes.
    ///
    /// # Errors
    /// The host can't stand in a request.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let is_host = |c: char| c.is_ascii_graphic() && !"/?#@[]\\".contains(c);
        if self.host.is_empty() || !self.host.chars().all(is_host) {
            let words = format!("the host `{}` can't be part of a request", shown(&self.host));
            return Err(Error::new(Fault::Malformed, words));
        }
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let mut text = format!("CONNECT {host}:{0} HTTP/1.1\r\nHost: {host}:{0}\r\n", self.port);
        if let Some(login) = &self.login {
            text.push_str(&format!("Proxy-Authorization: {}\r\n", login.value()));
        }
        text.push_str("\r\n");
        Ok(text.into_bytes())
    }
}

/// `HOST:PORT`, `[::1]:PORT`.
fn place(target: &str) -> Option<(String, u16)> {
    let (host, port) = target.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = |c: char| c.is_ascii_graphic() && !"/?#@[]\\".contains(c);
    let host = match bare {
        Some(v6) => v6.contains(':').then_some(v6)?,
        None => (!host.contains(':')).then_some(host)?,
    };
    if host.is_empty()
        || !host.chars().all(is_host)
        || !port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let port = port.parse().ok().filter(|port| *port > 0)?;
    Some((host.to_owned(), port))
}

/// Checks the Host header (RFC 9112 section 3.2). The target names the destination, so a request without the header is
/// accepted, as small clients send it; but another proxy may read another one of two.
fn host_field(fields: &[httparse::Header<'_>]) -> Result<(), Error> {
    let Some(value) = single(fields, "Host")? else { return Ok(()) };
    let is_host = |byte: &u8| byte.is_ascii_graphic() && !b"/?#@\\,".contains(byte);
    match value.iter().all(is_host) {
        true => Ok(()),
        false => Err(Error::new(Fault::Malformed, "Host is not a host and a port")),
    }
}

fn login(fields: &[httparse::Header<'_>]) -> Result<Option<Login>, Error> {
    let value = single(fields, "Proxy-Authorization")?;
    Ok(value.and_then(|value| std::str::from_utf8(value).ok()).and_then(Login::of))
}

/// The value of a field that may be given once at most: of two, one would be checked and the other one meant.
fn single<'f>(fields: &[httparse::Header<'f>], name: &str) -> Result<Option<&'f [u8]>, Error> {
    let mut found = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let first = found.next().map(|field| field.value);
    match found.next() {
        None => Ok(first),
        Some(_) => Err(Error::new(Fault::Malformed, format!("{name} is given twice"))),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
