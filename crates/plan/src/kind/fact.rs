//! Facts that a kind's connections carry, as templates name them.

/// A fact about a connection, declared by the kind whose connections carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactName {
    /// The name: `tcp.peer`. The author of the template chooses a last part in capitals, as in `http.header.NAME`.
    pub name: &'static str,
    /// Its description, in one sentence.
    pub about: &'static str,
    /// Set if only connections that this process opens have it, and not those that it accepts.
    pub opened: bool,
}

impl FactName {
    /// Declares a fact.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, opened: false }
    }

    /// Restricts it to connections that this process opens.
    #[must_use]
    pub const fn of_opened(self) -> Self {
        Self { opened: true, ..self }
    }

    /// Returns the first part of the name.
    #[must_use]
    pub fn root(self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(root, _)| root)
    }

    /// Returns `true` if its name is `root.name`.
    #[must_use]
    pub fn is_called(self, root: &str, name: &str) -> bool {
        let Some(own) = self.name.strip_prefix(root).and_then(|rest| rest.strip_prefix('.')) else {
            return false;
        };
        match own.strip_suffix("NAME") {
            Some(start) => name.len() > start.len() && name.starts_with(start),
            None => name == own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_users_choice_is_not_empty() {
        let header = FactName::new("http.header.NAME", "");
        assert_eq!(header.root(), "http");
        assert!(header.is_called("http", "header.x-token"));
        for (root, name) in [("http", "header"), ("http", "header."), ("tls", "header.x")] {
            assert!(!header.is_called(root, name), "{root}.{name}");
        }
        let peer = FactName::new("tcp.peer", "");
        assert!(peer.is_called("tcp", "peer") && !peer.is_called("tcp", "peer_host"));
    }
}
