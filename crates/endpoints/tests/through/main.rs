//! `socks5`, `http-connect`, `via=` and `allow=`: clients that say where they want to go, and proxies that we ask.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod clients;
#[path = "../common/mod.rs"]
mod common;
mod destinations;
mod proxies;

use std::net::SocketAddr;

use common::{LONG, bind, connector, failure, registry, shown};
use descriptor::{Report, Syntax};
use endpoint::gate::Credentials;
use endpoint::info::Target;
use endpoint::{
    Accept, Accepted, Answer, Conn, Context, Info, Offer, Refusal, RefusalKind, Result,
};
use plan::kind::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

// === listening ===

async fn listen(kind: &str, more: &str) -> (Box<dyn Accept>, SocketAddr) {
    let accept =
        bind(&Context::new(), &format!("{kind}:{{tcp:0:interface=127.0.0.1}}{more}")).await;
    let at = accept.local().address.unwrap();
    (accept, at)
}

async fn next(accept: &mut dyn Accept) -> Result<Option<Offer>> {
    let mut incoming = accept.accept().await?.expect("there are more");
    timeout(LONG, incoming.next()).await.unwrap()
}

async fn session(offer: Offer) -> Conn {
    match offer.accept(Answer::default()).await.unwrap() {
        Accepted::Session(conn) => conn,
        other => panic!("{other:?}"),
    }
}

fn asked(offer: &Offer) -> (String, u16) {
    let Target { host, port, .. } = offer.info.get::<Target>().unwrap();
    (host.clone(), *port)
}

async fn says(at: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

async fn hears(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(LONG, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

const V5: &[u8] = b"\x05\x01\x00\x05\x01\x00\x03\x09h.example\x00\x50";

const V4A: &[u8] = b"\x04\x01\x00\x50\0\0\0\x01ada\0h.example\0";

const V4: &[u8] = b"\x04\x01\x00\x50\xc0\0\x02\x01\0";

const CONNECT: &[u8] = b"CONNECT h.example:80 HTTP/1.1\r\nHost: h.example:80\r\n\r\n";

// === mistakes ===

#[test]
fn mistakes() {
    let shown = |role, text: &str| {
        let found = match role {
            Role::Listen => registry().listener(text, Syntax::Extended).map(|_| ()),
            Role::Connect => registry().connector(text, Syntax::Extended).map(|_| ()),
        };
        Report::new(text, &found.expect_err("it is a mistake")).to_string()
    };
    let connect = |text: &str| shown(Role::Connect, text);
    insta::assert_snapshot!(
        "mistakes",
        [
            connect("tcp:${target.host}:80"),
            connect("tcp:h:${target.port}"),
            connect("socks5:{tcp:p:1}:host=${target.host}:port=80"),
            connect("tcp:h:80o:allow=*"),
            connect("tcp:h:80:allow={10.0.0.0/33}"),
            connect("tcp:h:80:allow={!10.0.0.0/8}"),
            connect("tcp:h:80:via={ftp://p}"),
            connect("tcp:h:80:via={proxy:3128}"),
            connect("tcp:h:80:via={ssh://ada:secret@b}"),
            connect("ssh:{tcp:b:22}"),
            connect("ssh:{tcp:b:22}:host=h"),
            connect("ssh:{tcp:b:22}:host=h:port=1:unix=/s"),
            connect("ssh:{tcp:b:22}:host=${target.host}:port=1"),
            connect("ssh:{tcp:b:22}:host=h:port=1:user=${tls.sni}:keepalive=0.5"),
            connect("ssh:{tcp:b:22}:host=h:port=1:keepalive=0.5:timeout=0:name={a b}"),
            connect("ssh:{tcp:b:22}:host=h:port=1:known-hosts={a\"b}"),
            connect("tcp:h:via={http://p}"),
            connect("socks5:{tcp:p:1}:host=h"),
            connect("socks5:{tcp:p:1}:host=h:port=1:password=x"),
            connect("socks4:{tcp:p:1}:host=h:port=1:user=a:password=x"),
            connect("http-connect:{tcp:p:1}:host=h:port=1:user={a:b}"),
            connect("http-connect:{tcp:p:1}:host=h:port=1:timeout=0"),
            shown(Role::Listen, "socks5:1080:handshake-timeout=0"),
        ]
        .join("\n")
    );
}
