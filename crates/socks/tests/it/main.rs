//! The messages as the documents have them, cut at every byte, and malformed ones.

use proptest::prelude::*;
use socks::{
    Answer, Choice, Command, Error, Greeting, Header, Host, Login, Method, Read, Reply, Request,
    Target, Version, hello, login_answer, login_status,
};

fn target(host: &str, port: u16) -> Target {
    let host = host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Address);
    Target { host, port }
}

/// Reads a message that is all of `bytes`, after every cut of it was found to be one.
fn whole<T: std::fmt::Debug>(bytes: &[u8], read: impl Fn(&[u8]) -> Result<Read<T>, Error>) -> T {
    for length in 0..bytes.len() {
        match read(&bytes[..length]) {
            Ok(Read::More(more)) => assert!(more > 0 && length + more <= bytes.len()),
            other => panic!("{length} bytes of {bytes:?}: {other:?}"),
        }
    }
    let more = [bytes, b"behind"].concat();
    match read(&more) {
        Ok(Read::Message(message, length)) if length == bytes.len() => message,
        other => panic!("{bytes:?}: {other:?}"),
    }
}

#[test]
fn version_5_as_rfc_1928_has_it() {
    assert_eq!(
        whole(&[5, 3, 0, 2, 0x80], Greeting::read),
        Greeting::V5(vec![Method::Nothing, Method::Password, Method::Other(0x80)])
    );
    assert_eq!(whole(&[5, 0], Greeting::read), Greeting::V5(Vec::new()));
    assert_eq!(whole(&[5, 0xff], Choice::read), Choice(None));
    let request = whole(b"\x05\x01\x00\x03\x0bexample.com\x00\x50", Request::read);
    assert_eq!(request, Request::connect(target("example.com", 80)));
    let v6 = [&[5, 1, 0, 4][..], &[0; 15], &[1, 1, 187]].concat();
    assert_eq!(whole(&v6, Request::read).target, target("::1", 443));
    let answer = whole(&[5, 0, 0, 1, 192, 0, 2, 1, 0, 80], Answer::read);
    assert_eq!(answer, Answer { reply: Reply::Succeeded, bound: Some(target("192.0.2.1", 80)) });
    let login = whole(b"\x01\x03ada\x06secret", Login::read);
    assert_eq!((&*login.user, &*login.password), (&b"ada"[..], &b"secret"[..]));
    assert!(!format!("{login:?}").contains("secret"));
    assert!(whole(&[1, 0], login_status));
    assert!(!whole(&login_answer(false), login_status));
}

#[test]
fn version_4_and_4a() {
    let request = whole(b"\x04\x01\x00\x50\xc0\x00\x02\x01ada\0", Greeting::read);
    let user = "ada".to_owned();
    let expected = Request { user, ..Request::connect(target("192.0.2.1", 80)) };
    assert_eq!(request, Greeting::V4(expected));
    let request = whole(b"\x04\x01\x00\x50\0\0\0\x01\0example.com\0", Greeting::read);
    assert_eq!(request, Greeting::V4(Request::connect(target("example.com", 80))));
    assert_eq!(whole(&[0, 90, 0, 80, 192, 0, 2, 1], Answer::read_v4).reply, Reply::Succeeded);
    assert_eq!(whole(&[0, 91, 0, 0, 0, 0, 0, 0], Answer::read_v4).reply, Reply::Other(91));
    let v6 = Request::connect(target("::1", 80));
    assert_eq!(v6.bytes(Version::V4a), Err(Error::NoV6));
    let named = Request::connect(target("example.com", 80));
    assert_eq!(named.bytes(Version::V4), Err(Error::BadName));
}

#[test]
fn what_is_wrong_is_told() {
    assert_eq!(Greeting::read(b"GET / HTTP"), Err(Error::BadVersion(b'G')));
    assert_eq!(Greeting::read(&[6]), Err(Error::BadVersion(6)));
    assert_eq!(Request::read(&[4]), Err(Error::OtherVersion(4)));
    assert_eq!(Request::read(&[5, 1, 0, 2]), Err(Error::BadAddress(2)));
    assert_eq!(Request::read(&[5, 1, 0, 3, 0, 0, 80]), Err(Error::BadName));
    assert_eq!(Request::read(&[5, 1, 0, 3, 1, 0xff, 0, 80]), Err(Error::BadName));
    assert_eq!(Request::read(&[5, 1, 0, 3, 1, b'\n', 0, 80]), Err(Error::BadName));
    let endless = [&[4, 1, 0, 80, 1, 2, 3, 4][..], &[b'x'; 300]].concat();
    assert_eq!(Greeting::read(&endless), Err(Error::Endless));
    let long = Request::connect(target(&"x".repeat(256), 80));
    assert_eq!(long.bytes(Version::V5), Err(Error::TooLong));
    let split = Request { user: "a\0b".into(), ..Request::connect(target("1.2.3.4", 80)) };
    assert_eq!(split.bytes(Version::V4), Err(Error::TooLong));
    assert_eq!(Answer::read(b"HTTP/1.0 400"), Err(Error::OtherVersion(b'H')));
    assert_eq!(Login { user: vec![0; 256], password: vec![1] }.bytes(), Err(Error::TooLong));
}

#[test]
fn datagrams_as_rfc_1928_has_them() {
    let v4 = b"\0\0\0\x01\xc0\0\x02\x35\0\x35query";
    let header = Header { target: target("192.0.2.53", 53) };
    assert_eq!(Header::read(v4), Ok((header.clone(), 10)));
    assert_eq!(header.bytes().unwrap(), v4[..10]);
    let named = [&b"\0\0\0\x03\xff"[..], &[b'x'; 255], b"\0\x35"].concat();
    let (header, length) = Header::read(&named).unwrap();
    assert_eq!((header.target, length), (target(&"x".repeat(255), 53), named.len()));
    // The reserved bytes are ignored.
    assert!(Header::read(b"\xff\xff\0\x01\x7f\0\0\x01\0\x35").is_ok());
}

#[test]
fn a_datagram_is_whole_or_none() {
    let v6 = Header { target: target("2001:db8::1", 443) }.bytes().unwrap();
    for length in 0..v6.len() {
        assert_eq!(Header::read(&v6[..length]), Err(Error::Short), "{length} bytes");
    }
    for fragment in [1, 0x7f, 0x80, 0xff] {
        let datagram = [0, 0, fragment, 1, 127, 0, 0, 1, 0, 53];
        assert_eq!(Header::read(&datagram), Err(Error::Fragment(fragment)));
    }
    assert_eq!(Header::read(&[0, 0, 0, 2, 1, 2, 3, 4]), Err(Error::BadAddress(2)));
    assert_eq!(Header::read(&[0, 0, 0, 3, 0, 0, 53]), Err(Error::BadName));
    assert_eq!(Header::read(&[0, 0, 0, 3, 1, 0xff, 0, 53]), Err(Error::BadName));
    let long = Header { target: target(&"x".repeat(256), 53) };
    assert_eq!(long.bytes(), Err(Error::TooLong));
}

proptest! {
    #[test]
    fn a_datagram_has_what_was_put_into_it(
        name in "[a-z0-9.-]{1,255}", v4: [u8; 4], v6: [u8; 16], which in 0..3_u8, port: u16, data: Vec<u8>,
    ) {
        let host = match which {
            0 => Host::Name(name),
            1 => Host::Address(core::net::Ipv4Addr::from(v4).into()),
            _ => Host::Address(core::net::Ipv6Addr::from(v6).into()),
        };
        let header = Header { target: Target { host, port } };
        let datagram = [header.bytes().unwrap(), data.clone()].concat();
        let (got, length) = Header::read(&datagram).unwrap();
        prop_assert_eq!(got, header);
        prop_assert_eq!(&datagram[length..], data);
        for cut in 0..length {
            prop_assert_eq!(Header::read(&datagram[..cut]), Err(Error::Short));
        }
    }

    #[test]
    fn what_is_written_is_read(
        name in "[a-z0-9.-]{1,255}", v4: [u8; 4], v6: [u8; 16], which in 0..3_u8, port: u16, user in "[a-z]{0,9}",
    ) {
        let host = match which {
            0 => Host::Name(name),
            1 => Host::Address(core::net::Ipv4Addr::from(v4).into()),
            _ => Host::Address(core::net::Ipv6Addr::from(v6).into()),
        };
        let request = Request::connect(Target { host, port });
        prop_assert_eq!(&whole(&request.bytes(Version::V5).unwrap(), Request::read), &request);
        let answer = Answer { reply: Reply::Refused, bound: Some(request.target.clone()) };
        prop_assert_eq!(whole(&answer.bytes(Version::V5), Answer::read), answer);
        let request = Request { user, ..request };
        if let Ok(bytes) = request.bytes(Version::V4a)
            // An address that announces a name.
            && !(which == 1 && v4[..3] == [0; 3] && v4[3] > 0)
        {
            prop_assert_eq!(whole(&bytes, Greeting::read), Greeting::V4(request));
        }
    }

    #[test]
    fn anything_is_taken_without_panic(bytes: Vec<u8>) {
        let _ = Greeting::read(&bytes);
        let _ = Choice::read(&bytes);
        let _ = Request::read(&bytes);
        let _ = Answer::read(&bytes);
        let _ = Answer::read_v4(&bytes);
        let _ = Login::read(&bytes);
        let _ = login_status(&bytes);
        let _ = Header::read(&bytes);
    }
}

#[test]
fn a_greeting_has_what_it_is_given() {
    assert_eq!(hello(&[Method::Nothing, Method::Password]), [5, 2, 0, 2]);
    assert_eq!(Choice(Some(Method::Password)).bytes(), [5, 2]);
    let other = Request { command: Command::Associate, ..Request::connect(target("::", 0)) };
    assert_eq!(whole(&other.bytes(Version::V5).unwrap(), Request::read), other);
}
