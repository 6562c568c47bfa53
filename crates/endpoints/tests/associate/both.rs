//! Connections and datagrams on one side, and one of us through another.

use endpoint::{Context, Info};

use crate::common::{accepted, connector, listener};
use crate::{Server, asked, message, messages, next, offered, send};

#[test]
fn a_side_that_has_both_loses_no_boundaries() {
    let lost = |listen: &str, to: &str| {
        plan::check_boundaries(&listener(listen), &connector(to)).is_some()
    };
    let place = "${target.host}:${target.port}:allow=*";
    for to in [&*format!("udp:{place}"), &format!("tcp:{place}"), "target:allow=*"] {
        assert!(!lost("socks5:1080", to), "{to}");
    }
    assert!(!lost("udp:5353", "udp:192.0.2.53:53:via={socks5://p}"));
    assert!(lost("9000", "udp:192.0.2.53:53:via={socks5://p}"));
    for (to, takes) in [
        ("target:allow=*", true),
        ("retry:{target:allow=*}", true),
        ("tcp:192.0.2.1:80", false),
        ("fallback:{tcp:192.0.2.1:80}:{udp:192.0.2.53:53}", true),
        ("target:{tcp:192.0.2.1:80}", false),
        ("udp:192.0.2.53:53:via={socks5://p}", true),
        ("echo", false),
    ] {
        assert_eq!(connector(to).endpoint.takes_datagrams(), takes, "{to}");
    }
}

#[tokio::test]
async fn one_of_us_goes_through_another() {
    let mut server = Server::new("").await;
    let connector = connector(&format!("udp:h.example:53:via={{socks5://{}}}", server.at));
    let (cx, nobody) = (Context::new(), Info::new());
    let (conn, mut incoming) = {
        let mut connecting = std::pin::pin!(connector.endpoint.connect(&cx, &nobody));
        let mut incoming = tokio::select! {
            _ = &mut connecting => panic!("nobody has answered"),
            incoming = server.accept.accept() => incoming.unwrap().unwrap(),
        };
        let conn = tokio::select! {
            conn = &mut connecting => conn.unwrap(),
            _ = incoming.next() => panic!("nothing was sent"),
        };
        (conn, incoming)
    };
    assert_eq!(asked(&conn.info), ("h.example".to_owned(), 53));
    let mut near = messages(conn);
    send(&mut near, b"question").await.unwrap();
    let offer = offered(&mut incoming).await;
    assert_eq!(asked(&offer.info), ("h.example".to_owned(), 53));
    let mut far = messages(accepted(offer).await);
    assert_eq!(message(&mut far).await, b"question");
    send(&mut far, b"answer").await.unwrap();
    assert_eq!(message(&mut near).await, b"answer");
    drop(near);
    assert!(next(&mut far).await.is_none());
}
