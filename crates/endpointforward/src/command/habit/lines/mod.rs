//! What the options and words of other programs mean here.

mod pairs;
mod parts;
mod tunnels;
mod web;

pub(super) use self::pairs::{netcat, ports, socat, websocat};
pub(super) use self::tunnels::{caddy, gost, published, ssh, tunnel};
pub(super) use self::web::{ttyd, websocketd, websockify};
