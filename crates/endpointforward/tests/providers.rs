//! A provider of routes from another crate.

use async_trait::async_trait;
use endpointforward::info::Target;
use endpointforward::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};
use endpointforward::provider::{Answer, Destination, Found, Provider, Query};
use endpointforward::{Connector, Context, ErrorKind, Info, Syntax, registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Keys that are a known word lead to that word as a destination. The connection to the endpoint beneath is dropped.
static WORDS: ProviderKind = ProviderKind {
    name: "words",
    about: "words that are known",
    params: &[
        Param::new("words", ValueKind::Connector, "An endpoint beneath.").required(),
        Param::new("known", ValueKind::List, "The words.").default("echo"),
    ],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let known = args.list("known").to_vec();
    Ok(Box::new(move |beneath| Box::new(Words { known, beneath: beneath.connector("words") })))
}

#[derive(Debug)]
struct Words {
    known: Vec<String>,
    beneath: Box<dyn Connector>,
}

#[async_trait]
impl Provider for Words {
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let key = query.key.unwrap_or_default();
        self.beneath.connect(cx, query.info).await.map_err(|error| error.to_string())?;
        Ok(Answer::new(match self.known.iter().any(|word| word == key) {
            _ if key == "no" => Found::Forbidden,
            true => Found::Destination(Destination::new(key)),
            false => Found::Unknown,
        }))
    }
}

#[tokio::test]
async fn a_provider_of_ones_own_is_asked_as_others_are() {
    let registry = registry().add_provider(&WORDS);
    let plan = |text: &str| registry.connector(text, Syntax::Extended);
    let route = plan("route:words={null}:known={echo,process:cat}:key=${target.host}")
        .expect("it is planned");
    let cx = Context::new();
    let connect = |host: &str| {
        let info = Info::new().with(Target::new(host, 1));
        let (cx, endpoint) = (&cx, &route.endpoint);
        async move { endpoint.connect(cx, &info).await }
    };
    let mut io = connect("echo").await.expect("there is a route").into_io();
    io.write_all(b"hello").await.expect("it is written");
    io.flush().await.expect("it is written");
    let mut read = [0; 5];
    io.read_exact(&mut read).await.expect("it comes back");
    assert_eq!(&read, b"hello");
    for (host, kind) in [
        ("else", ErrorKind::Unrouted),
        ("no", ErrorKind::Forbidden),
        ("process:cat", ErrorKind::Forbidden),
    ] {
        assert_eq!(connect(host).await.expect_err(host).kind(), kind, "{host}");
    }
    let down =
        plan("route:words={unix:/nowhere/at/all}:key=${target.host}").expect("it is planned");
    let info = Info::new().with(Target::new("echo", 1));
    let error = down.endpoint.connect(&cx, &info).await.expect_err("it is down");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(plan("route:words={null}:known=a:file=b").is_err(), "one provider is asked");
}

#[test]
fn mistakes_name_the_provider() {
    let registry = registry().add_provider(&WORDS);
    let first = |text: &str| {
        let mistakes = registry.connector(text, Syntax::Extended).expect_err(text);
        mistakes[0].message.clone()
    };
    assert_eq!(first("route:by=wrds"), "`wrds` is not a provider of routes");
    assert_eq!(
        first("route:by=words"),
        "`route` needs an endpoint to run over, in braces or with `:` as `\\:`"
    );
    assert_eq!(first("route"), "`route` needs `file`");
    assert_eq!(first("route:words={nul}"), "`nul` is not a kind of endpoint");
    assert_eq!(
        first("route:a:timeout=0"),
        "`timeout` must be more than 0: otherwise a silent peer is never closed"
    );
    assert_eq!(first("route:a:allow=,"), "`allow` permits no destination");
    assert_eq!(
        first("route:a:format=websocksy:cache=1"),
        "`format=websocksy` selects by more than the key, so it can't be cached by the key"
    );
}

#[tokio::test]
async fn routes_that_lead_to_themselves_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens");
    let text = format!("route:file={}:key=x", file.display());
    std::fs::write(&file, format!("x: {text}\n")).expect("it is written");
    let plan = registry().connector(&text, Syntax::Extended).expect("it is planned");
    let error = plan.endpoint.connect(&Context::new(), &Info::new()).await.expect_err("no end");
    assert!(error.to_string().contains("too many routes"), "{error}");
}
