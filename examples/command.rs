//! The whole command with additions: a framing `stars`, a provider of routes `digit`, and a gate.
//!
//! `command -e ws:9000 -d framed:{tcp:localhost:7}:by=stars` forwards with them, and so does
//! `command -e 9000 -d route:digit=1`. The gate admits clients of this machine only.

use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use endpointforward::framing::{Decode, Decoded, Encode, Error, Framing, Message};
use endpointforward::gate::{Admitted, Gate};
use endpointforward::kind::{
    Args, AssembleProvider, FramingKind, Param, Planned, ProviderKind, ValueKind,
};
use endpointforward::provider::{Answer, Destination, Found, Provider, Query};
use endpointforward::{Command, Context, Info, Refusal, RefusalKind, async_trait, registry};

fn main() -> ExitCode {
    let registry = registry().add_framing(&STARS).add_provider(&DIGIT);
    Command::new(registry).gate(Here).run()
}

// === the gate ===

struct Here;

#[async_trait]
impl Gate for Here {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let client: Option<IpAddr> = info.client().map(|(address, _)| address);
        match client.filter(IpAddr::is_loopback) {
            Some(_) => Ok(Admitted::unchanged(info)),
            None => Err(Refusal::new(RefusalKind::Forbidden, "only from this machine")),
        }
    }
}

// === the provider ===

static DIGIT: ProviderKind = ProviderKind {
    name: "digit",
    about: "a port of this machine: 9000 and the digit",
    params: &[Param::new("digit", ValueKind::Int(0, 9), "The digit.").required()],
    plan: plan_digit,
};

fn plan_digit(args: &Args) -> Planned<AssembleProvider> {
    let digit = args.int("digit").expect("`digit` is required");
    Ok(Box::new(move |_| Box::new(Digit(digit))))
}

#[derive(Debug)]
struct Digit(u64);

#[async_trait]
impl Provider for Digit {
    async fn find(&self, _: &Context, _: &Query<'_>) -> Result<Answer, String> {
        let text = format!("tcp:127.0.0.1:{}", 9000 + self.0);
        Ok(Answer::new(Found::Destination(Destination::new(text))))
    }
}

// === the framing ===

static STARS: FramingKind = FramingKind {
    name: "stars",
    about: "ends with `*`",
    params: &[],
    plan: |_| Ok(Arc::new(Stars)),
};

#[derive(Debug)]
struct Stars;

impl Framing for Stars {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        Box::new(Decoder { max })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Encoder)
    }
}

struct Decoder {
    max: usize,
}

impl Decode for Decoder {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        let end = buf.iter().position(|byte| *byte == b'*');
        if end.unwrap_or(buf.len()) > self.max {
            return Err(Error::TooLong { max: self.max });
        }
        let Some(end) = end else { return Ok(Decoded::More) };
        let message = buf.split_to(end).freeze();
        buf.advance(1);
        Ok(Decoded::Message(Message::of(message)))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::of(buf.split().freeze())
    }
}

struct Encoder;

impl Encode for Encoder {
    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(data);
        out.extend_from_slice(b"*");
        Ok(())
    }
}
