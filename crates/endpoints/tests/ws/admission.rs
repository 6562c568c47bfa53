//! Admission: a client that is admitted spends credentials that work once, and all answers but errors need credentials.

use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Challenge, Credentials, Gate, Identity, Role, Scheme};
use endpoint::info::Http;
use endpoint::{Context, Info, Refusal, RefusalKind};

use crate::page::Site;
use crate::support::*;
use crate::terminal::V1;

fn token(site: &Site) -> String {
    let invitation = site.accept.local().invitation.clone().unwrap();
    invitation.url().split_once("#token=").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_request_that_is_refused_for_another_reason_spends_no_token() {
    let mut site = Site::new(":auth=token:subprotocol=mqtt").await;
    let token = token(&site);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for headers in [
        format!("{V1}Origin: https://evil.example\r\n"),
        "Sec-WebSocket-Protocol: unknown\r\n".to_owned(),
        "Sec-WebSocket-Key: x\r\n".to_owned(),
    ] {
        let request = upgrade("/", &format!("{headers}{bearer}Connection: close\r\n"));
        let got = site.say(&request).await;
        assert!(matches!(got.status, 400 | 403), "{got:?}");
    }
    // An offer that is dropped, as one whose destination is down.
    assert!(site.say(&upgrade("/", &format!("{V1}{bearer}"))).await.offered);
    assert_eq!(site.ask("POST", "/", &bearer).await.status, 200);
    assert_eq!(site.ask("POST", "/", &bearer).await.status, 401);
}

#[tokio::test]
async fn a_session_spends_the_token() {
    let mut server = Server::new(":auth=token").await;
    let invitation = server.accept.local().invitation.clone().unwrap();
    let (_, token) = invitation.url().split_once("#token=").unwrap();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    // Both are let in by the same token; the first that becomes a session spends it.
    let (mut first, mut one) = server.client().await;
    let (mut second, mut other) = server.client().await;
    first.send(upgrade("/", &bearer)).await;
    second.send(upgrade("/", &bearer)).await;
    let (one, other) = (one.next().await.unwrap().unwrap(), other.next().await.unwrap().unwrap());
    let conn = accepted(one).await;
    assert_eq!(first.response().await.status, 101);
    let late = tokio::spawn(other.accept(endpoint::Answer::default()));
    assert_eq!(second.response().await.status, 403);
    drop(second);
    assert!(late.await.unwrap().unwrap_err().to_string().contains("used already"));
    drop(conn);
}

/// Remembers what it was asked for, and knows one user.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

#[async_trait]
impl Gate for Asked {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let http = info.get::<Http>().unwrap();
        self.0.lock().unwrap().push(http.path.clone());
        let scheme = |scheme| Challenge { scheme, realm: "files".to_owned() };
        match info.get::<Credentials>().unwrap().bearer.as_deref() {
            Some("good") => Ok(Admitted::new(info, Identity::user("ada"), Role::ReadOnly)),
            Some(_) => Err(Refusal::new(RefusalKind::Forbidden, "not you")),
            None => {
                let ways = [Scheme::Basic, Scheme::Page("/login".to_owned())].map(scheme);
                Err(Refusal::challenge("say who you are", ways))
            }
        }
    }
}

#[tokio::test]
async fn the_listeners_gate_is_asked_for_all_that_becomes_no_offer() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
    let gate = Arc::new(Asked::default());
    let cx = Context::new().guarded_by(Arc::clone(&gate) as _);
    let text = format!(
        "ws:{{tcp:0:interface=127.0.0.1}}:health=/healthz:page={{{}/}}",
        folder.path().display()
    );
    let mut site = Site { accept: bind(&cx, &text).await };
    assert_eq!(site.get("/healthz", "").await.status, 200);
    assert_eq!(site.get("/a.txt", "Authorization: Bearer good\r\n").await.text(), "hello");
    assert_eq!(site.get("/b.txt", "Authorization: Bearer bad\r\n").await.status, 403);
    let asked = site.get("/a.txt", "").await;
    assert_eq!(asked.status, 401);
    let challenge = asked.header("www-authenticate").unwrap();
    assert_eq!(challenge, "Basic realm=\"files\", charset=\"UTF-8\"");
    let browser = site.get("/a.txt", "Accept: text/html,*/*\r\n").await;
    assert_eq!((browser.status, browser.header("location")), (303, Some("/login")));
    // The forwarder asks its own gate for that.
    assert!(site.say(&upgrade("/", V1)).await.offered);
    assert_eq!(*gate.0.lock().unwrap(), ["/a.txt", "/b.txt", "/a.txt", "/a.txt"]);
}

#[tokio::test]
async fn the_listeners_gate_gets_the_credentials_of_an_offer_and_nothing_else_does() {
    let cx = Context::new().guarded_by(Arc::new(Asked::default()));
    let mut server = Server::with(&cx, "ws:{mem:s}").await;
    let (mut client, mut incoming) = server.client().await;
    let basic = "Authorization: Basic YWRhOmxvdmVsYWNl\r\nCookie: endpointforward=x\r\n";
    client.send(upgrade("/", basic)).await;
    let offer = incoming.next().await.unwrap().unwrap();
    let shown = offer.info.get::<Credentials>().unwrap();
    assert_eq!((shown.user.as_deref(), shown.password.as_deref()), (Some("ada"), Some("lovelace")));
    assert!(shown.cookies.is_empty());
    assert_eq!(offer.info.get::<Http>().unwrap().header("authorization"), None);
    let conn = accepted(offer).await;
    assert!(conn.info.get::<Credentials>().is_none());
}

#[tokio::test]
async fn nothing_behind_sees_what_lets_in() {
    let mut server = Server::new(":auth=token").await;
    let invitation = server.accept.local().invitation.clone().unwrap();
    let (_, token) = invitation.url().split_once("#token=").unwrap();
    let (mut client, mut incoming) = server.client().await;
    client
        .send(upgrade(
            "/",
            &format!(
                "Authorization: Bearer {token}\r\nSec-WebSocket-Protocol: endpointforward.ticket.x, chat, \
                 endpointforward.refusals\r\n"
            ),
        ))
        .await;
    let offer = incoming.next().await.unwrap().unwrap();
    let http = offer.info.get::<Http>().unwrap();
    assert_eq!(http.subprotocols, ["chat"]);
    assert_eq!(http.header("authorization"), None);
    assert!(!http.headers.iter().any(|(_, value)| value.contains("ticket")), "{:?}", http.headers);
}

#[tokio::test]
async fn a_client_that_asks_for_it_is_told_a_refusal_by_a_close() {
    use endpoint::RefusalKind::{Broken, Busy, Forbidden, NotFound, Refused, Timeout};
    for (kind, code) in [
        (Broken, 4500),
        (Busy, 4503),
        (Forbidden, 4403),
        (NotFound, 4404),
        (Refused, 4502),
        (Timeout, 4504),
    ] {
        let mut server = Server::new("").await;
        let (mut client, mut incoming) = server.client().await;
        let tells = "Sec-WebSocket-Protocol: endpointforward.v1, endpointforward.refusals\r\n";
        client.send(upgrade("/", tells)).await;
        let offer = incoming.next().await.unwrap().unwrap();
        let refusing = tokio::spawn(offer.refuse(Refusal::new(kind, "it is not to be")));
        assert_eq!(client.response().await.status, 101);
        let frame = client.frame().await.unwrap();
        assert_eq!((frame.close_code(), frame.reason()), (Some(code), "it is not to be"));
        drop(client);
        refusing.await.unwrap();
    }
}
