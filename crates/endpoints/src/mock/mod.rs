//! `mock:SCRIPT`: a peer that follows a script, for tests.
//!
//! Whole set-ups run against it without a peer and without timing: data that the script doesn't
//! expect is an error with the expected and the received data. See [`script`] for the language.

mod script;
mod stream;

use async_trait::async_trait;
use endpoint::{Conn, Connector, Context, Grants, Info, Result, Times};
use plan::kind::{Args, Example, Kind, Param, PlanConnect, Planned, Role, Side, ValueKind};

use self::script::{Script, Step};
use self::stream::Mock;

/// Scripted peers.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::opened(Times::Once)),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: r"mock:{w PING\r\n|r PONG\r\n|eof}",
            about: "Expects a ping, answers it and ends.",
        },
        Example {
            role: Role::Listen,
            descriptor: "mock:r hello|fin|r bye",
            about: "Sends \"hello\", waits for the end of the other side, and sends \"bye\".",
        },
    ],
    see_also: &["echo", "mem"],
    ..Kind::new("mock", "A peer that follows a script, for tests")
};

const PARAMS: &[Param] = &[Param::new(
    "script",
    ValueKind::Text,
    "Steps of the peer, separated by `|`: `r TEXT` sends TEXT, `w TEXT` expects it, `eof` ends the peer's \
     output, `fin` expects the end of its input, `wait TIME` waits (`wait` alone waits forever), `err` \
     breaks the connection. TEXT may contain \\r \\n \\t \\0 \\\\ \\| and \\xHH; write such a script in braces.",
)
.positional()
.required()];

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    match Script::parse(args.text("script").unwrap_or_default()) {
        Ok(script) => Ok(Box::new(Connect(script))),
        Err(message) => Err(vec![args.mistake("script", "bad-script", message)]),
    }
}

#[derive(Debug)]
struct Connect(Script);

#[async_trait]
impl Connector for Connect {
    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
        Ok(Conn::bytes(Mock::new(&self.0), Info::new()))
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}
