//! Framings over streams of bytes: their planning, and the messages that they carry.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use common::messages::{Messages, messages, next, send};
use common::{LONG, accepted, bind, connect, connector, listener, offer, registry, with_path};
use descriptor::{Report, Syntax};
use endpoint::{Context, End, ExitStatus, Io, Part, Reason, Transport};
use futures_core::Stream;
use plan::kind::{Role, Shape};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Messages over a connection, and the bytes at its other end.
async fn over(framing: &str) -> (Messages, Io) {
    let cx = Context::new();
    let mut accept = bind(&cx, "mem:x").await;
    let text = format!("framed:{{mem:x}}:{framing}");
    let connector = connector(&text);
    let near = async { connector.endpoint.connect(&cx, &endpoint::Info::new()).await.unwrap() };
    let far = async { accepted(offer(&mut *accept).await).await.into_io() };
    let (near, far) = tokio::join!(near, far);
    (messages(near), far)
}

async fn message(from: &mut Messages) -> Part {
    next(from).await.unwrap().unwrap()
}

#[tokio::test]
async fn lines_are_messages_of_text_and_messages_are_lines() {
    let (mut near, mut far) = over("by=lines").await;
    far.write_all("GPGGA,1\r\nprü".as_bytes()).await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("GPGGA,1"));
    far.write_all("fung\n\n\u{FF}\n".as_bytes()).await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("prüfung"));
    assert_eq!(message(&mut near).await, Part::text(""));
    assert_eq!(message(&mut near).await, Part::text("\u{FF}"));
    far.write_all(b"no \xFF text\n").await.unwrap();
    assert_eq!(message(&mut near).await, Part::binary(&b"no \xFF text"[..]));
    for (data, last) in [("on", false), ("e", true), ("two\n", true), ("", true)] {
        send(&mut near, Part { data: data.into(), text: true, last }).await.unwrap();
    }
    let mut got = [0; 9];
    far.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"one\ntwo\n\n");
}

#[tokio::test]
async fn a_length_is_put_in_front_and_taken_off() {
    let (mut near, mut far) = over("by=length:width=2").await;
    far.write_all(b"\0\x05hello\0").await.unwrap();
    assert_eq!(message(&mut near).await, Part::binary("hello"));
    far.write_all(b"\0\0\x01x").await.unwrap();
    assert_eq!(message(&mut near).await, Part::binary(""));
    assert_eq!(message(&mut near).await, Part::binary("x"));
    for (data, last) in [("in ", false), ("parts", true)] {
        send(&mut near, Part { data: data.into(), text: false, last }).await.unwrap();
    }
    let mut got = [0; 10];
    far.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"\0\x08in parts");
}

#[tokio::test]
async fn what_is_too_long_ends_the_session_with_a_reason() {
    let (mut near, mut far) = over("by=lines:max=4").await;
    far.write_all(b"okay\nnot okay").await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("okay"));
    let error = next(&mut near).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "a message is longer than 4 bytes");
    assert_eq!(End::lost(&error).why, Reason::TooBig);

    let (mut near, mut far) = over("by=length:width=8:max=4").await;
    far.write_all(&u64::MAX.to_be_bytes()).await.unwrap();
    let error = next(&mut near).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "a message is longer than 4 bytes");
    let error = send(&mut near, Part::binary("five!")).await.unwrap_err();
    assert_eq!(error.to_string(), "refused a message of 5 bytes: the limit is 4");

    let (mut near, _far) = over("by=length:width=1").await;
    let error = send(&mut near, Part::binary(vec![0; 256])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "a message of 256 bytes is too long for a length field of 1 bytes"
    );
    assert!(next(&mut near).await.is_none());
    assert_eq!(near.end().why, Reason::TooBig);
}

/// The end of a stream inside a message never makes a whole one of it.
#[tokio::test]
async fn a_stream_that_ends_inside_a_message() {
    let (mut near, mut far) = over("by=length:width=2").await;
    far.write_all(b"\0\x05hel").await.unwrap();
    far.shutdown().await.unwrap();
    let error = next(&mut near).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the stream ended inside a message, after 5 bytes of it");
    assert_eq!(End::lost(&error).why, Reason::Truncated);

    let (mut near, mut far) = over("by=lines").await;
    far.write_all(b"whole\nhalf").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("whole"));
    assert!(next(&mut near).await.is_none(), "half a line is dropped, with a warning");

    let (mut near, mut far) = over("by=lines:partial=send").await;
    far.write_all(b"half").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("half"));
    assert!(next(&mut near).await.is_none());

    let (mut near, mut far) = over("by=json").await;
    far.write_all(b" {} 12").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("{}"));
    assert_eq!(message(&mut near).await, Part::text("12"), "a number ends with the stream");
    assert!(next(&mut near).await.is_none());

    // A reset is no end: nothing of a message that isn't complete is passed on.
    let (mut near, mut far) = over("by=lines:partial=send").await;
    far.write_all(b"half").await.unwrap();
    drop(far);
    assert!(next(&mut near).await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_message_is_waited_for_as_long_as_was_said() {
    let (mut near, mut far) = over("by=lines:timeout=2s").await;
    far.write_all(b"half a").await.unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(message(&mut near).await, Part::text("half a"));
    assert!(began.elapsed() >= Duration::from_secs(2));

    let (mut near, mut far) = over("by=length:width=1:timeout=2s:partial=drop").await;
    far.write_all(b"\x05xx").await.unwrap();
    assert!(
        timeout(Duration::from_secs(10), poll_fn(|cx| Pin::new(&mut near).poll_next(cx)))
            .await
            .is_err()
    );
    far.write_all(b"\x01y").await.unwrap();
    assert_eq!(message(&mut near).await, Part::binary("y"));

    let (mut near, mut far) = over("by=fixed:fixed=3:timeout=1s:partial=error").await;
    far.write_all(b"ab").await.unwrap();
    let error = next(&mut near).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the stream paused inside a message, after 2 bytes of it");

    // Without a limit, for ever.
    let (mut near, mut far) = over("by=lines").await;
    far.write_all(b"half a").await.unwrap();
    assert!(
        timeout(Duration::from_secs(3600), poll_fn(|cx| Pin::new(&mut near).poll_next(cx)))
            .await
            .is_err()
    );
    far.write_all(b" line\n").await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("half a line"));
}

#[tokio::test(start_paused = true)]
async fn text_is_not_cut_inside_a_character_unless_nothing_more_is_there() {
    let (mut near, mut far) = over("by=auto").await;
    far.write_all(b"caf\xC3").await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("caf"));
    assert_eq!(message(&mut near).await, Part::binary(&b"\xC3"[..]));
    far.write_all(b"\xC3").await.unwrap();
    far.write_all(b"\xA9").await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("é"));

    let (mut near, mut far) = over("by=text").await;
    far.write_all(b"ok\xFF").await.unwrap();
    assert_eq!(message(&mut near).await, Part::text("ok"));
    let error = next(&mut near).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the data is not text (UTF-8)");
    assert_eq!(End::lost(&error).why, Reason::InvalidData);
}

#[tokio::test]
async fn directions_may_differ() {
    let (mut near, mut far) = over("in=slip:out={lines:eol=crlf}").await;
    far.write_all(b"\xC0osc\xC0").await.unwrap();
    assert_eq!(message(&mut near).await, Part::binary("osc"));
    send(&mut near, Part::text("AT")).await.unwrap();
    let mut got = [0; 4];
    far.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"AT\r\n");
}

/// Beneath a listener too, and the end and its reason go through.
#[tokio::test]
async fn a_listener_takes_messages_apart_as_well() {
    let cx = Context::new();
    let mut accept = bind(&cx, "framed:{tcp:0:interface=127.0.0.1}:separator=%00%FF").await;
    let to = accept.local().descriptor.clone();
    assert!(to.starts_with("framed:{tcp:127.0.0.1:"), "{to}");
    let address = accept.local().address.unwrap();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut near = messages(accepted(offer(&mut *accept).await).await);
    client.write_all(b"one\0").await.unwrap();
    client.write_all(b"\xFFtwo\0\xFF").await.unwrap();
    assert_eq!(message(&mut near).await, Part::binary("one"));
    assert_eq!(message(&mut near).await, Part::binary("two"));
    send(&mut near, Part::binary("back")).await.unwrap();
    poll_fn(|cx| near.poll_finish(cx, &End::eof())).await.unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"back\0\xFF");
}

/// The listener beneath still decides: a web page could have made the connection.
#[tokio::test]
async fn a_browser_is_kept_from_a_program_behind_framed_lines() {
    let cx = Context::new();
    let mut accept = bind(&cx, "framed:{tcp:0:interface=127.0.0.1}:by=lines").await;
    let address = accept.local().address.unwrap();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nrm -rf /\n").await.unwrap();
    let mut offer = offer(&mut *accept).await;
    let refusal = timeout(LONG, offer.screen()).await.unwrap().unwrap_err();
    offer.refuse(refusal).await;
    let mut got = String::new();
    client.read_to_string(&mut got).await.unwrap();
    assert!(got.starts_with("HTTP/1.1 400 "), "{got}");
}

#[tokio::test]
async fn a_program_takes_and_gives_lines() {
    let cx = with_path();
    let text =
        "process:sh:-c:{while read x; do echo \"<$x>\"; done; printf tail; exit 3}:framing=lines";
    let mut near = messages(connect(&cx, text).await);
    for word in ["a", "b\n"] {
        send(&mut near, Part::text(word)).await.unwrap();
    }
    assert_eq!(message(&mut near).await, Part::text("<a>"));
    assert_eq!(message(&mut near).await, Part::text("<b>"));
    poll_fn(|cx| near.poll_finish(cx, &End::eof())).await.unwrap();
    assert!(next(&mut near).await.is_none());
    assert_eq!(near.end().status, Some(ExitStatus::Code(3)));
    drop(near);
    assert!(cx.settled(LONG).await);
}

/// Our page shows messages, unless a terminal is behind it; another forwarder wants what the program writes, line ends and
/// all.
#[tokio::test]
async fn our_page_gets_messages_and_a_terminals_bytes_as_they_come() {
    let cx = with_path();
    for (text, face, is_framed) in [
        ("process:printf:{a\\nb}:framing=lines", None, true),
        ("framed:{process:printf:{a\\nb}}:by=lines", None, true),
        ("pty:cat:framing=lines", None, false),
        ("process:printf:{a\\nb}:framing=lines", Some("stream"), false),
        ("framed:{process:printf:{a\\nb}}:by=lines", Some("stream"), false),
    ] {
        let mut http = endpoint::info::Http::default();
        http.subprotocols = vec!["endpointforward.v1".into()];
        let face = face.map(|face| ("endpointforward-face".to_owned(), face.to_owned()));
        http.headers.extend(face);
        let near = endpoint::Info::new().with(http);
        let conn = connector(text).endpoint.connect(&cx, &near).await.unwrap();
        assert_eq!(matches!(conn.transport, Transport::Messages(_)), is_framed, "{text}");
        if is_framed || text.starts_with("pty") {
            continue;
        }
        let mut got = String::new();
        conn.into_io().read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "a\nb");
    }
    assert!(cx.settled(LONG).await);
}

#[tokio::test]
async fn a_terminal_gives_lines_too() {
    let cx = with_path();
    let mut near = messages(
        connect(
            &cx,
            "pty:sh:-c:{stty -echo; echo one; echo two; exec sleep 100}:framing={lines:eol=crlf}",
        )
        .await,
    );
    assert_eq!(message(&mut near).await, Part::text("one"));
    assert_eq!(message(&mut near).await, Part::text("two"));
}

#[test]
fn what_is_framed_gives_messages() {
    assert_eq!(connector("framed:9000:by=lines").tree.gives, Shape::Messages);
    assert_eq!(connector("process:cat:framing=lines").tree.gives, Shape::Messages);
    assert_eq!(connector("process:cat").tree.gives, Shape::Bytes);
    assert_eq!(connector("process:cat:framing=chunks").tree.gives, Shape::Bytes);
    assert_eq!(connector("process:cat:framing={out=lines}").tree.gives, Shape::Messages);
    let tree = connector("process:cat:framing={length:width=2}").tree;
    let width = tree.settings.iter().find(|(name, ..)| name == "framing.width");
    assert_eq!(width.map(|(_, value, given)| (&**value, *given)), Some(("2", true)));
    for kind in endpoints::KINDS {
        for framing in kind.framings {
            assert!(!framing.about.ends_with('.'), "{}", framing.name);
            for param in framing.params {
                assert!(param.doc.ends_with('.'), "{} {}", framing.name, param.name);
                assert!(param.required || param.default.is_some());
            }
        }
    }
}

#[test]
fn a_framing_is_written_in_several_ways() {
    for text in [
        "framed:9000:by=lines",
        "framed:9000:lines",
        "framed:9000:by=LINES:eol=any:delimiter=keep",
        "framed:{tcp:h:80}:separator=%0D%0A",
        "framed:{tcp:h:80}:by=separator:separator=%0D%0A",
        "framed:9000:fixed=16",
        "framed:9000:by=length:width=8:endian=little:constant=-8:max=64k",
        "framed:9000:by=dynamic32:offset=4:static=2:endian=big",
        "framed:9000:in=json:out={lines:eol=crlf}",
        "framed:9000:by=json:in=slip:timeout=5s:partial=drop",
        "process:cat:framing={separator=%00}",
        "process:cat:framing={in=lines:out=json:max=4k}",
        "process:cat:framing={length:width=2:header=keep:offset=3}",
    ] {
        connector(text);
    }
    listener("ws:9000:framing=lines");
    listener("ws:9000:framing={fixed=188}");
}

#[test]
fn mistakes_of_framings() {
    let wrong = |role, text: &str| {
        let found = match role {
            Role::Listen => registry().listener(text, Syntax::Extended).map(|_| ()),
            Role::Connect => registry().connector(text, Syntax::Extended).map(|_| ()),
        };
        Report::new(text, &found.expect_err("a mistake")).to_string()
    };
    let all = [
        "framed:9000",
        "framed:9000:by=line",
        "framed:9000:by=lines:width=2",
        "framed:9000:by=length:width=3",
        "framed:9000:by=length:offset=4",
        "framed:9000:by=dynamic32:constant=x",
        "framed:9000:by=fixed",
        "framed:9000:fixed=0",
        "framed:9000:by=lines:max=0",
        "process:cat:framing=linse",
        "process:cat:framing={length:width=3}",
        "process:cat:framing={length:widht=2}",
        "process:cat:framing={lines:in={json:in=slip}}",
        "process:cat:framing=",
        "process:cat:framing={lines:crlf}",
    ];
    let shown: Vec<_> = all.iter().map(|text| wrong(Role::Connect, text)).collect();
    insta::assert_snapshot!(shown.join("\n"));
    let text = "ws:9000:framing=lines:encoding=text";
    let warning = Report::new(text, &listener(text).warnings).to_string();
    assert!(warning.contains("the framing determines which messages are text"), "{warning}");
}

/// websocksy's framings, by their documentation: the bytes that stay in messages, and which messages are text.
#[tokio::test]
async fn websocksys_framings_are_as_they_are_documented() {
    let cases: [(&str, &[u8], &[Part]); 9] = [
        ("by=auto", b"text", &[Part::text("text")]),
        ("by=auto", b"no \xFF text", &[Part::binary(&b"no \xFF text"[..])]),
        (
            "separator=%0D%0A:delimiter=keep",
            b"a\r\nb\r\n",
            &[Part::binary("a\r\n"), Part::binary("b\r\n")],
        ),
        ("separator=A:delimiter=keep", b"xAyA", &[Part::binary("xA"), Part::binary("yA")]),
        (
            "by=lines:eol=crlf:delimiter=keep",
            b"text\r\n\xFF\xFE\r\ntext\r\n",
            &[Part::text("text\r\n"), Part::binary(&b"\xFF\xFE\r\n"[..]), Part::text("text\r\n")],
        ),
        ("fixed=3", b"abcdef", &[Part::binary("abc"), Part::binary("def")]),
        ("by=dynamic32", b"\x02\0\0\0hi", &[Part::binary(&b"\x02\0\0\0hi"[..])]),
        (
            "by=dynamic32:offset=2:static=1:endian=big",
            b"xx\0\0\0\x02hi!xx\0\0\0\0.",
            &[Part::binary(&b"xx\0\0\0\x02hi!"[..]), Part::binary(&b"xx\0\0\0\0."[..])],
        ),
        (
            "by=json",
            "{\"a\":[1,\"x\\\\\"]} \"ü\" true".as_bytes(),
            &[Part::text("{\"a\":[1,\"x\\\\\"]}"), Part::text("\"ü\""), Part::text("true")],
        ),
    ];
    for (framing, input, expected) in cases {
        // Cut anywhere: a separator that straddles two reads was missed there.
        for cut in [input.len(), 1, 2] {
            if framing == "by=auto" && cut < input.len() {
                continue;
            }
            let (mut near, mut far) = over(framing).await;
            for piece in input.chunks(cut) {
                far.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            for part in expected {
                assert_eq!(message(&mut near).await, *part, "{framing} cut by {cut}");
            }
        }
    }
    // A message that is sent has its delimiter or header already, or gets it.
    let (mut near, mut far) = over("by=dynamic32").await;
    send(&mut near, Part::binary(&b"\x02\0\0\0hi"[..])).await.unwrap();
    let mut got = [0; 6];
    far.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"\x02\0\0\0hi");
}
