//! The planned options of both sides, and their values for a connection.

use std::sync::Arc;
use std::time::Duration;

use endpoint::Clock;
use plan::kind::{Args, Framings, Planned};
use websocket::deflate::Params;
use websocket::{Limits, Role};

use super::negotiate::{Encoding, Mode};
use super::stream::compression::Compression;
use super::stream::core::Terms;
use super::stream::keepalive::{Keepalive, Pace};

/// The options of an endpoint's connections.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) compression: Option<Compression>,
    encoding: Encoding,
    limits: Limits,
    /// The most payload that a frame of ours has.
    fragment: Option<usize>,
    pace: Pace,
    pub(super) close: Option<Duration>,
    /// The framing of the other side's bytes, if there is one.
    pub(super) framing: Option<Arc<Framings>>,
}

impl Options {
    pub(super) fn read(args: &Args) -> Planned<Self> {
        let size = |name| args.int(name).filter(|size| *size > 0);
        let time = |name| args.duration(name).filter(|time| !time.is_zero());
        let framing = args.framing("framing")?.map(Arc::new);
        if framing.is_some() && args.is_given("encoding") && args.text("encoding") != Some("base64")
        {
            let message =
                "`encoding` has no effect: the framing determines which messages are text";
            args.warn("encoding", "no-effect", message);
        }
        Ok(Self {
            framing,
            compression: Compression::read(args),
            encoding: args.text("encoding").and_then(Encoding::read).unwrap_or(Encoding::Binary),
            limits: Limits {
                max_frame: size("max-frame").unwrap_or(u64::MAX),
                max_message: size("max-message").unwrap_or(u64::MAX),
            },
            fragment: size("fragment").map(|most| most.try_into().unwrap_or(usize::MAX)),
            pace: Pace { ping: time("ping"), pong: time("pong-timeout") },
            // Left out, it is whatever the forwarder has.
            close: time("close-timeout").filter(|_| args.is_given("close-timeout")),
        })
    }

    /// The terms of a connection on which this was agreed; `encoding` is what its client has set.
    pub(super) fn terms(
        &self,
        role: Role,
        encoding: Option<Encoding>,
        subprotocol: Option<&str>,
        deflate: Option<&Params>,
        clock: &Clock,
    ) -> Terms {
        let encoding = encoding.unwrap_or(self.encoding);
        let deflate = self.compression.as_ref().zip(deflate);
        Terms {
            role,
            mode: Mode::of(subprotocol, encoding),
            encoding,
            limits: self.limits,
            fragment: self.fragment,
            keepalive: Keepalive::new(self.pace, clock),
            close: self.close,
            deflate: deflate
                .map(|(wanted, params)| wanted.start(role, params, self.limits.max_message)),
        }
    }
}
