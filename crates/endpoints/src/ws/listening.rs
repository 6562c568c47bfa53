//! The planned settings of the listening side.

use std::fmt;
use std::sync::Arc;

use endpoint::info::Http;
use endpoint::{Answer, DialLayer, Grants};

use super::negotiate::{FRAMINGS, Spoken};
use super::options::Options;
use super::query::Query;
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
    /// Headers of the answer in addition to those of the handshake.
    pub(super) headers: Vec<(String, String)>,
    pub(super) options: Options,
    /// The settings that clients may have in the query of their URL.
    pub(super) query: Query,
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
    /// Returns the face for a client if it isn't a terminal: messages, or MQTT packets.
    pub(super) fn face(&self, answer: &Answer, http: &Http) -> Option<Face> {
        // A client that is no terminal gets the data as it is; a terminal or a device is one to a page, too.
        if is_plain(http)
            || answer.signals
            || !matches!(self.show, Show::Auto | Show::Nothing | Show::Folder(_))
        {
            return None;
        }
        if self.spoken.is_for_mqtt() {
            return Some(Face::Mqtt);
        }
        // The messages of another WebSocket are pieces of a stream if its subprotocol is one of the framings.
        let is_stream = answer.subprotocol.as_ref().is_some_and(|name| FRAMINGS.contains(&&**name));
        let framed = self.options.framing.is_some() || answer.messages && !is_stream;
        framed.then_some(Face::Messages)
    }

    /// Returns the layer between a terminal and the far side.
    pub(super) fn through(&self, answer: &Answer, http: &Http) -> Option<Arc<dyn DialLayer>> {
        let telnet = match self.show {
            // A service that takes signals is a terminal already: telnet that is typed, or one of us.
            Show::Auto => answer.far == Some(Grants::Service) && !answer.signals,
            Show::Telnet => answer.far.is_some(),
            Show::Terminal | Show::Nothing | Show::Folder(_) => false,
        };
        // A client that is no terminal gets the data as it is.
        self.telnet.clone().filter(|_| telnet && !is_plain(http))
    }
}

fn is_plain(http: &Http) -> bool {
    http.header(terminal::PLAIN) == Some(Face::Stream.name())
}
