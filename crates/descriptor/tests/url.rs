//! URLs, split and wrongly written.

use descriptor::{Descriptor, Report, Span, Syntax, Text, Url};

#[test]
fn a_url_is_split() {
    for (text, parts) in [
        ("ws://localhost:9000/p?q=1", "ws|-|localhost|9000|/p?q=1"),
        ("tcp://h:1", "tcp|-|h|1|"),
        ("http://h", "http|-|h|-|"),
        ("http://h/", "http|-|h|-|/"),
        ("http://h:/", "http|-|h||/"),
        ("http://h?q", "http|-|h|-|?q"),
        ("http://h#f/g", "http|-|h|-|#f/g"),
        ("unix:///run/x.sock", "unix|-||-|/run/x.sock"),
        ("x-y+z.1://", "x-y+z.1|-||-|"),
        ("WS://[::1]:80/a:b", "WS|-|::1|80|/a:b"),
        ("ws://[fe80::1%eth0]", "ws|-|fe80::1%eth0|-|"),
        ("ws://u:p@h:1/@", "ws|u:p|h|1|/@"),
        ("ws://a@b@h", "ws|a@b|h|-|"),
        ("ws://@h", "ws||h|-|"),
        ("ws:// localhost:9000", "ws|-| localhost|9000|"),
        ("tcp://:9000", "tcp|-||9000|"),
    ] {
        let url = Url::split(&Text::typed(text)).unwrap();
        let maybe = |text: &Option<Text>| text.as_ref().map_or("-".into(), ToString::to_string);
        let (user, port) = (maybe(&url.userinfo), maybe(&url.port));
        assert_eq!(format!("{}|{user}|{}|{port}|{}", url.scheme, url.host, url.path), parts);
    }
}

#[test]
fn what_is_no_url() {
    for text in ["", "h:80", "//h", "://h", "1x://h", "é://h", "ws:/h", "ws :// h", "ws:{://}"] {
        let text = Text::typed(text);
        assert!(!Url::starts(&text), "{text}");
        assert_eq!(Url::split(&text).unwrap_err().code.as_str(), "no-scheme");
    }
}

#[test]
fn parts_point_into_what_was_typed() {
    let typed = Text::typed("x:k=ws\\://[\\:\\:1]\\:80/p");
    let read = Descriptor::parse(&typed, Syntax::Extended).unwrap();
    let url = Url::split(&read.kwargs[0].1).unwrap();
    assert_eq!(url.host.span(), Span { start: 11, end: 16 });
    assert_eq!(url.port.unwrap().span(), Span { start: 19, end: 21 });
    assert_eq!(url.path.span(), Span { start: 21, end: 23 });
}

#[test]
fn mistakes_are_pointed_at() {
    let show = |text| Report::new(text, &[Url::split(&Text::typed(text)).unwrap_err()]).to_string();
    insta::assert_snapshot!(show("ws://::1:80/p"), @r#"
    error: an IPv6 address in a URL must be in brackets
      | ws://::1:80/p
      |      ^^^^^^
      = help: write `[::1]:80` for the address `::1` and the port 80
    "#);
    insta::assert_snapshot!(show("ws://[::1:80/p"), @r#"
    error: this `[` has no matching `]`
      | ws://[::1:80/p
      |      ^
    "#);
    insta::assert_snapshot!(show("ws://[::1]80/p"), @r#"
    error: `]` must be followed by `:` and a port, by `/`, or by the end
      | ws://[::1]80/p
      |           ^^
    "#);
    insta::assert_snapshot!(show("localhost"), @r#"
    error: this is not a URL
      | localhost
      | ^^^^^^^^^
      = help: a URL starts with a scheme and `://`
    "#);
}
