//! The planned settings of the listening side.

use std::fmt;
use std::sync::Arc;

use endpoint::info::Http;
use endpoint::{Answer, DialLayer, Grants};

use super::negotiate::Spoken;
use super::options::Options;
use super::terminal::{self, Face};
use crate::auth::Auth;
use crate::http::origin::Origins;
use crate::http::page::Show;

/// The layer, planned.
pub(super) struct Listening {
    /// `ws` or `autobahn`.
    pub(super) called: String,
    pub(super) path: Option<String>,
    pub(super) spoken: Spoken,
    pub(super) origins: Origins,
    /// The path of the health check.
    pub(super) health: Option<String>,
    pub(super) auth: Auth,
    pub(super) show: Show,
    /// Set if a folder without `index.html` lists its files.
    pub(super) lists: bool,
    /// The layer through which a page sees a service.
    pub(super) telnet: Option<Arc<dyn DialLayer>>,
    /// Beside what the handshake needs in its answer.
    pub(super) headers: Vec<(String, String)>,
    pub(super) options: Options,
}

impl fmt::Debug for Listening {
    /// Headers may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening")
            .field("called", &self.called)
            .field("path", &self.path)
            .field("spoken", &self.spoken)
            .finish_non_exhaustive()
    }
}

impl Listening {
    /// Returns the layer through which a terminal sees the far side.
    pub(super) fn through(&self, answer: &Answer, http: &Http) -> Option<Arc<dyn DialLayer>> {
        let telnet = match self.show {
            // A service that takes signals is a terminal already: telnet that is typed, or one of us.
            Show::Auto => answer.far == Some(Grants::Service) && !answer.signals,
            Show::Telnet => answer.far.is_some(),
            Show::Terminal | Show::Nothing | Show::Folder(_) => false,
        };
        // Who is no terminal wants what is there.
        let plain = http.header(terminal::PLAIN) == Some(Face::Stream.name());
        self.telnet.clone().filter(|_| telnet && !plain)
    }
}
