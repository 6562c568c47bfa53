//! A port as it is typed: a number, or the name of a service, which the system has a table of.

use std::fmt;
use std::io;

/// A port, or the name of what listens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Port(u16),
    Named(String),
}

impl Service {
    /// The one that `text` means.
    pub(crate) fn new(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Named(text.to_owned()), Self::Port)
    }

    /// Returns its port, looking up a name in the system's table.
    pub(crate) async fn port(&self) -> io::Result<u16> {
        let name = match self {
            Self::Port(port) => return Ok(*port),
            Self::Named(name) => name,
        };
        let table = tokio::fs::read_to_string(TABLE).await?;
        find(&table, name).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "{port}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Finds a service by its name or an alias: `http 80/tcp www`.
fn find(table: &str, name: &str) -> Option<u16> {
    table.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let official = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?.parse().ok()?;
        (official == name || words.any(|alias| alias == name)).then_some(port)
    })
}

pub(crate) const TABLE: &str = "/etc/services";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found() {
        let table = "# a comment\ndomain 53/udp\ndomain\t\t53/tcp\nhttp 80/tcp www # WorldWideWeb\nbroken\n";
        for (name, port) in [
            ("domain", Some(53)),
            ("www", Some(80)),
            ("http", Some(80)),
            ("#", None),
            ("gopher", None),
        ] {
            assert_eq!(find(table, name), port, "{name}");
        }
    }
}
