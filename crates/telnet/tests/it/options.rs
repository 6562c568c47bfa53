//! The answer to each option, and its consequences.

use telnet::{
    Command, Event, Opt, Policy, Role, Settings, Side, Size, Subnegotiation, Telnet, TerminalType,
};

use crate::common::{Item, SIZE, answers, client, feed, server};

const DO_TTYPE: &[u8] = b"\xff\xfd\x18";
const SEND_TTYPE: &[u8] = b"\xff\xfa\x18\x01\xff\xf0";
const DO_NAWS: &[u8] = b"\xff\xfd\x1f";

fn is(name: &str) -> Vec<u8> {
    [b"\xff\xfa\x18\0", name.as_bytes(), b"\xff\xf0"].concat()
}

fn size(bytes: &[u8]) -> Vec<u8> {
    [b"\xff\xfa\x1f", bytes, b"\xff\xf0"].concat()
}

fn events(telnet: &mut Telnet, input: &[u8]) -> Vec<Item> {
    feed(telnet, [input]).received
}

#[test]
fn a_client_says_nothing_by_itself() {
    let mut telnet = client();
    assert!(!telnet.wants_flush());
    telnet.resize(Size { cols: 1, rows: 1 });
    assert_eq!(answers(&mut telnet, b"SSH-2.0-x\r\n"), b"");
}

#[test]
fn terminal_types_are_named_one_after_the_other_and_the_last_twice() {
    let mut telnet = client();
    answers(&mut telnet, DO_TTYPE);
    for name in ["xterm-256color", "xterm", "vt100", "vt100", "xterm-256color", "xterm"] {
        assert_eq!(answers(&mut telnet, SEND_TTYPE), is(name));
    }
}

#[test]
fn one_terminal_type_is_repeated_for_ever() {
    let terminal_types = TerminalType::new("vt100").into_iter().collect();
    let mut telnet = Telnet::new(Role::Client, Settings { terminal_types, ..Settings::default() });
    answers(&mut telnet, DO_TTYPE);
    for _ in 0..5 {
        assert_eq!(answers(&mut telnet, SEND_TTYPE), is("vt100"));
    }
}

#[test]
fn without_a_terminal_type_the_option_is_refused() {
    let settings = Settings { terminal_types: vec![], ..Settings::default() };
    let mut telnet = Telnet::new(Role::Client, settings);
    assert_eq!(answers(&mut telnet, DO_TTYPE), b"\xff\xfc\x18");
}

#[test]
fn subnegotiations_of_what_is_off_are_ignored() {
    assert_eq!(answers(&mut client(), SEND_TTYPE), b"");
    assert_eq!(events(&mut client(), b"\xff\xfa\x2c\x01\xff\xf0"), []);
    assert_eq!(events(&mut server(), &size(&[0, 80, 0, 24])), []);
}

#[test]
fn the_size_is_told_at_once_and_at_each_change() {
    let mut telnet = client();
    telnet.resize(Size { cols: 255, rows: 0xffff });
    let (doubled, mut out) = (b"\0\xff\xff\xff\xff\xff\xff", Vec::new());
    assert_eq!(answers(&mut telnet, DO_NAWS), [b"\xff\xfb\x1f", &size(doubled)[..]].concat());
    telnet.resize(Size { cols: 255, rows: 0xffff });
    assert!(!telnet.wants_flush());
    telnet.resize(SIZE);
    telnet.resize(Size { cols: 80, rows: 24 });
    assert!(telnet.wants_flush());
    telnet.send(b"x", &mut out);
    assert_eq!(out, [&size(&[0, 80, 0, 24])[..], b"x"].concat());
}

#[test]
fn a_size_that_is_not_known_is_told_when_it_is() {
    let mut telnet = Telnet::new(Role::Client, Settings::default());
    assert_eq!(answers(&mut telnet, DO_NAWS), b"\xff\xfb\x1f");
    telnet.resize(SIZE);
    assert_eq!(answers(&mut telnet, b""), size(&[0, 100, 0, 30]));
}

#[test]
fn a_server_hears_of_the_terminal() {
    let mut telnet = server();
    telnet.start();
    let input = [b"\xff\xfb\x18\xff\xfb\x1f", &is("VT220")[..], &size(&[0, 80, 0, 24])].concat();
    let size = Size { cols: 80, rows: 24 };
    let name = TerminalType::new("VT220").expect("a name");
    assert_eq!(
        events(&mut telnet, &input),
        [
            Event::Remote(Opt::TTYPE, true),
            Event::Remote(Opt::NAWS, true),
            Event::TerminalType(name),
            Event::WindowSize(size)
        ]
        .map(Item::Event)
    );
    // Malformed values are dropped.
    for input in [is("$(id)"), is(""), self::size(&[1, 2, 3]), self::size(&[1, 2, 3, 4, 5])] {
        assert_eq!(events(&mut telnet, &input), []);
    }
}

#[test]
fn commands_are_events() {
    for byte in [239, 241, 242, 243, 244, 245, 246, 247, 248, 249] {
        let command = Command::new(byte).expect("a command");
        assert_eq!(events(&mut client(), &[255, byte]), [Item::Event(Event::Command(command))]);
        let mut out = Vec::new();
        client().send_command(command, &mut out);
        assert_eq!(out, [255, byte]);
    }
}

#[test]
fn unknown_commands_have_two_bytes_and_do_nothing() {
    for byte in (0..=238).chain([240]) {
        let seen = feed(&mut client(), [&[b'a', 255, byte, b'b'][..]]);
        assert_eq!((seen.received, seen.answers), (vec![Item::Data(b"ab".to_vec())], vec![]));
    }
}

#[test]
fn only_a_server_answers_are_you_there() {
    assert_eq!(answers(&mut server(), b"\xff\xf6"), b"\r\n[Yes]\r\n");
    assert_eq!(answers(&mut client(), b"\xff\xf6"), b"");
}

#[test]
fn a_timing_mark_is_answered_each_time() {
    assert_eq!(answers(&mut client(), &b"\xff\xfd\x06".repeat(100)), b"\xff\xfc\x06".repeat(100));
    assert_eq!(
        answers(&mut server(), b"\xff\xfd\x06\xff\xfe\x06\xff\xfd\x06"),
        b"\xff\xfb\x06\xff\xfb\x06"
    );
}

#[test]
fn a_timing_mark_can_be_asked_for_again_and_again() {
    let mut telnet = server();
    for on in [true, false, true] {
        telnet.request(Opt::TIMING_MARK, Side::Remote, true);
        assert_eq!(answers(&mut telnet, b""), b"\xff\xfd\x06");
        let answer = [255, if on { 251 } else { 252 }, 6];
        let event = Event::Remote(Opt::TIMING_MARK, on);
        assert_eq!(events(&mut telnet, &answer), [Item::Event(event)]);
    }
    assert_eq!(feed(&mut telnet, [&b"\xff\xfb\x06"[..]]), feed(&mut telnet, []));
}

#[test]
fn a_forgotten_se_ends_the_subnegotiation_at_the_next_command() {
    let mut telnet = client();
    answers(&mut telnet, DO_TTYPE);
    let input = [b"\xff\xfa\x18\x01\xff\xfb\x01x", SEND_TTYPE].concat();
    let seen = feed(&mut telnet, [&input[..]]);
    assert_eq!(seen.answers, [b"\xff\xfd\x01", &is("xterm-256color")[..]].concat());
    let event = Event::Remote(Opt::ECHO, true);
    assert_eq!(seen.received, [Item::Event(event), Item::Data(b"x".to_vec())]);
}

#[test]
fn other_options_go_to_whoever_agreed_to_them() {
    let mut telnet = server();
    telnet.agree(Opt::COM_PORT, Side::Remote, Policy::Agree);
    let input = b"\xff\xfb\x2c\xff\xfa\x2c\x05\xff\xff\xff\xf0";
    let sub = Subnegotiation { option: Opt::COM_PORT, data: vec![5, 255], truncated: false };
    assert_eq!(
        events(&mut telnet, input),
        [Event::Remote(Opt::COM_PORT, true), Event::Subnegotiation(sub)].map(Item::Event)
    );
    let mut out = Vec::new();
    telnet.send_subnegotiation(Opt::COM_PORT, &[105, 255], &mut out);
    assert_eq!(out, b"\xff\xfa\x2c\x69\xff\xff\xff\xf0");
}
