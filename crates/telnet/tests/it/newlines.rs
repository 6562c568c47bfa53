//! CR, LF and NUL, and the doubled IAC.

use telnet::{Enter, Opt, Role, Settings, Side, Telnet};

use crate::common::{Item, answers, client, feed, sent, server};

const WILL_SGA: &[u8] = b"\xff\xfb\x03";
const WONT_SGA: &[u8] = b"\xff\xfc\x03";
const DO_BINARY: &[u8] = b"\xff\xfd\x00";
const DONT_BINARY: &[u8] = b"\xff\xfe\x00";
const WILL_BINARY: &[u8] = b"\xff\xfb\x00";
const WONT_BINARY: &[u8] = b"\xff\xfc\x00";

fn data(telnet: &mut Telnet, input: &[u8]) -> Vec<u8> {
    let whole = feed(telnet, [input]).received;
    whole
        .into_iter()
        .flat_map(|item| match item {
            Item::Data(data) => data,
            Item::Event(_) => Vec::new(),
        })
        .collect()
}

#[test]
fn enter_ends_a_line_for_a_server_that_reads_lines() {
    // Manhole's login prompt and MUDs.
    assert_eq!(sent(&mut client(), b"admin\r"), b"admin\r\n");
}

#[test]
fn enter_is_a_key_for_a_server_that_reads_characters() {
    let mut telnet = client();
    answers(&mut telnet, WILL_SGA);
    assert_eq!(sent(&mut telnet, b"ls\r"), b"ls\r\0");
    assert_eq!(sent(&mut telnet, b"\r\n"), b"\r\0\n");
    answers(&mut telnet, WONT_SGA);
    assert_eq!(sent(&mut telnet, b"ls\r"), b"ls\r\n");
}

#[test]
fn enter_can_be_set() {
    for (enter, lines, characters) in
        [(Enter::CrLf, b"\r\n", b"\r\n"), (Enter::CrNul, b"\r\0", b"\r\0")]
    {
        let mut telnet = Telnet::new(Role::Client, Settings { enter, ..Settings::default() });
        assert_eq!(sent(&mut telnet, b"\r"), lines);
        answers(&mut telnet, WILL_SGA);
        assert_eq!(sent(&mut telnet, b"\r"), characters);
    }
}

#[test]
fn a_line_s_end_is_one_however_it_is_cut() {
    let mut telnet = client();
    assert_eq!(sent(&mut telnet, b"a\r\nb\n\rc"), b"a\r\nb\n\r\nc");
    let pieces =
        [&b"a\r"[..], b"", b"\nb\n", b"\r", b"c", b"\n"].map(|piece| sent(&mut telnet, piece));
    assert_eq!(pieces.concat(), b"a\r\nb\n\r\nc\n");
}

#[test]
fn a_server_s_newlines_stay_and_its_returns_are_padded() {
    let mut telnet = server();
    assert_eq!(sent(&mut telnet, b"50%\r100%\r\n\r"), b"50%\r\x00100%\r\n\r\0");
}

#[test]
fn in_binary_everything_but_iac_is_a_byte() {
    let mut telnet = client();
    answers(&mut telnet, DO_BINARY);
    assert_eq!(sent(&mut telnet, b"\r\n\r\0\xff"), b"\r\n\r\0\xff\xff");
    // The answer comes first, and what is after it is written in the old way again.
    let mut at = 0;
    assert_ne!(telnet.next(DONT_BINARY, &mut at), None);
    assert_eq!(sent(&mut telnet, b"\r"), b"\xff\xfc\x00\r\n");
}

#[test]
fn an_iac_in_the_data_is_doubled_and_undoubled() {
    assert_eq!(sent(&mut client(), b"a\xff\xffb"), b"a\xff\xff\xff\xffb");
    assert_eq!(data(&mut client(), b"a\xff\xff\xff\xffb"), b"a\xff\xffb");
}

#[test]
fn padding_is_taken_out_of_what_comes() {
    assert_eq!(data(&mut client(), b"\r\0\r\n\0\r\r\0\0x\ry\r"), b"\r\r\n\0\r\r\0x\ry\r");
}

#[test]
fn both_forms_of_enter_are_one_key_to_a_server() {
    assert_eq!(data(&mut server(), b"a\r\nb\r\0c\nd\r\n\n"), b"a\rb\rc\nd\r\n");
}

#[test]
fn binary_is_read_as_it_is_from_the_answer_on() {
    let mut telnet = client();
    let input = [b"\r\0", WILL_BINARY, b"\r\0\xff\xff", WONT_BINARY, b"\r\0"].concat();
    assert_eq!(data(&mut telnet, &input), b"\r\r\0\xff\r");
    assert!(!telnet.is_on(Opt::BINARY, Side::Remote));
}

#[test]
fn a_return_is_given_out_before_its_padding_has_come() {
    assert_eq!(data(&mut server(), b"x\r"), b"x\r");
}
