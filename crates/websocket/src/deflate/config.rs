//! The wishes of our end, and the agreed parameters.

use crate::Role;

/// The settings to negotiate. By default, none is requested: full windows, kept from message to message, in both
/// directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Each message of the server is compressed for itself (§7.1.1.1): a client insists on it; a server does it.
    pub server_no_context_takeover: bool,
    /// Each message of the client is compressed for itself (§7.1.1.2): a server insists on it; a client does it.
    pub client_no_context_takeover: bool,
    /// The server compresses with a window of 2ⁿ bytes at most, 8 to 15; 15 is no wish (§7.1.2.1). A client insists on
    /// it.
    pub server_max_window_bits: u8,
    /// The client compresses with a window of 2ⁿ bytes at most, 8 to 15; 15 is no wish (§7.1.2.2). A server gets it
    /// from clients that declare support: from browsers.
    pub client_max_window_bits: u8,
}

/// The parameters that both ends agreed upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Set if each message of the server is compressed independently.
    pub server_no_context_takeover: bool,
    /// Set if each message of the client is compressed independently.
    pub client_no_context_takeover: bool,
    /// Binary logarithm of the window that the server compresses with, at most: 8 to 15.
    pub server_max_window_bits: u8,
    /// Binary logarithm of the window that the client compresses with, at most: 8 to 15.
    pub client_max_window_bits: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_BITS,
            client_max_window_bits: MAX_BITS,
        }
    }
}

impl Config {
    /// Limits the windows to sizes that exist and that `sender` supports.
    pub(super) fn usable(self, sender: Role) -> Self {
        let bits = |bits: u8, own| bits.clamp(if own { MIN_OWN_BITS } else { MIN_BITS }, MAX_BITS);
        Self {
            server_max_window_bits: bits(self.server_max_window_bits, sender == Role::Server),
            client_max_window_bits: bits(self.client_max_window_bits, sender == Role::Client),
            ..self
        }
    }
}

impl Params {
    /// Returns the compression of one end's messages: the bits of the window, and `true` if it is kept.
    pub(super) fn of(&self, sender: Role) -> (u8, bool) {
        match sender {
            Role::Server => (self.server_max_window_bits, !self.server_no_context_takeover),
            Role::Client => (self.client_max_window_bits, !self.client_no_context_takeover),
        }
    }
}

/// §7.1.2: the windows that there are.
pub(super) const MIN_BITS: u8 = 8;
pub(super) const MAX_BITS: u8 = 15;
/// zlib can't compress with a window of 256 bytes: it takes 512 in its place, which the peer couldn't undo.
pub(super) const MIN_OWN_BITS: u8 = 9;
