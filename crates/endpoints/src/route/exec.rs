//! `route:exec=PROGRAM`: a program is started for each lookup, and prints the destination.
//!
//! It is started as by `process`, in a process group that is killed after the time limit.

use std::ffi::OsString;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use async_trait::async_trait;
use descriptor::{Code, Syntax};
use endpoint::provider::{Answer, Asks, Found, Provider, Query};
use endpoint::{ByteStream, Connector, Context, End, ExitStatus, Missing, describe};
use plan::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer;
use super::facts::Names;

pub(super) static EXEC: ProviderKind = ProviderKind {
    name: "exec",
    about: "a program that prints the destination",
    params: &[Param::new(
        "exec",
        ValueKind::Text,
        "The program, with arguments in braces as for `process`: `exec={./route.py:--site:a}`. It gets the facts \
         about the client, without cookies and credentials, as a JSON object with their template names on standard \
         input, and as ROUTE_KEY, ROUTE_HTTP_PATH and so on in its environment. It prints a descriptor, `HOST:PORT`, \
         or JSON with `destination` and `subprotocol`; no output means that there is no route. Exit status 77 \
         refuses the client (403), and any other than 0 means that the provider is down (503). Its standard error is \
         logged, and it is killed after `timeout`.",
    )
    .required()],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let registry = args.registry();
    // Its parts are quoted by the user, as they are behind `process:`.
    let text = format!("process:{}:grace=0", args.text("exec").unwrap_or_default());
    let plan = registry.connector(&text, Syntax::Extended).map_err(|found| {
        let first = found.first().map_or_else(String::new, |first| first.message.clone());
        let message = format!("cannot plan `exec`: {first}");
        vec![args.mistake("exec", Code::BadValue, message)]
    })?;
    let exec = Exec { program: plan.endpoint, names: Names::of(registry) };
    Ok(Box::new(move |_| Box::new(exec)))
}

#[derive(Debug)]
struct Exec {
    program: Box<dyn Connector>,
    names: Names,
}

#[async_trait]
impl Provider for Exec {
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let cx = cx.with_variables(variables(&self.names.known(query)));
        let conn =
            self.program.connect(&cx, query.info).await.map_err(|error| error.to_string())?;
        let _guard = conn.guard;
        let stream = conn.transport.into_bytes();
        let facts = self.names.json(query) + "\n";
        let mut pipes = Pipes { stream, unsent: facts.as_bytes(), is_told: false };
        let mut said = Vec::new();
        let read = pipes.exchange(&mut said).await;
        read.map_err(|error| format!("cannot read from the program: {}", describe(&error)))?;
        if said.len() > answer::LONGEST {
            return Err(format!("the program prints more than {} bytes", answer::LONGEST));
        }
        match pipes.stream.end().status {
            Some(ExitStatus::Code(0)) => {
                let found = answer::read(&said)?;
                Ok(Answer::new(found.map_or(Found::Unknown, Found::Destination)))
            }
            Some(ExitStatus::Code(NOT_PERMITTED)) => Ok(Answer::new(Found::Forbidden)),
            Some(status) => Err(format!("the program failed: {status}")),
            None => Err("the program closed its output and didn't exit".to_owned()),
        }
    }

    fn asks(&self) -> Asks {
        Asks::Facts
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        Missing::at("exec", self.program.missing(cx))
    }
}

/// A program's input and output. It may print before it has read all, or read nothing.
struct Pipes<'a> {
    stream: Box<dyn ByteStream>,
    unsent: &'a [u8],
    is_told: bool,
}

impl Pipes<'_> {
    /// Writes the unsent rest and the end, and reads to the end, or more than an answer may have.
    async fn exchange(&mut self, said: &mut Vec<u8>) -> io::Result<()> {
        let mut piece = [0; 1024];
        poll_fn(|cx| {
            if let Poll::Ready(error) = self.stream.poll_background(cx) {
                return Poll::Ready(Err(error));
            }
            let _ = self.poll_tell(cx);
            while said.len() <= answer::LONGEST {
                let mut piece = ReadBuf::new(&mut piece);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut piece))?;
                if piece.filled().is_empty() {
                    break;
                }
                said.extend_from_slice(piece.filled());
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// A program that doesn't want to read has closed its input, which is no failure.
    fn poll_tell(&mut self, cx: &mut task::Context<'_>) -> Poll<()> {
        while !self.unsent.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, self.unsent)) {
                Ok(written @ 1..) => self.unsent = &self.unsent[written..],
                _ => self.unsent = &[],
            }
        }
        if !self.is_told {
            let _ = ready!(self.stream.poll_finish(cx, &End::eof()));
            self.is_told = true;
        }
        Poll::Ready(())
    }
}

/// Returns the facts as variables. A client's text makes values; of names, it makes parts behind ours at most.
fn variables(facts: &[(String, String)]) -> Vec<(OsString, OsString)> {
    let name = |fact: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        format!("ROUTE_{}", fact.chars().map(plain).collect::<String>())
    };
    // Of two that have one name then, the later one would count.
    let facts = facts.iter().rev().filter(|(_, value)| !value.contains('\0'));
    facts.map(|(fact, value)| (name(fact).into(), value.into())).collect()
}

/// `EX_NOPERM` of sysexits.h.
const NOT_PERMITTED: i32 = 77;
