//! Offers, answers and their acceptance (RFC 7692 §7.1).

use proptest::prelude::*;
use websocket::deflate::{Config, Params, accept, answer, offer};

use crate::inflated::FULL;

/// Returns the answer to one header, with the default configuration.
fn plain(header: &str) -> Option<String> {
    answer(&Config::default(), [header]).map(|(_, answer)| answer)
}

fn server(bits: u8) -> Config {
    Config { server_max_window_bits: bits, ..Config::default() }
}

fn client(bits: u8) -> Config {
    Config { client_max_window_bits: bits, ..Config::default() }
}

const NO_CONTEXT: Config = Config {
    server_no_context_takeover: true,
    client_no_context_takeover: true,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

#[test]
fn one_offer_to_a_server_without_wishes() {
    let accepted = [
        ("permessage-deflate", "permessage-deflate"),
        // Chromium and Firefox.
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits=10", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits=8", "permessage-deflate"),
        (
            "permessage-deflate;server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            "permessage-deflate; client_no_context_takeover",
            "permessage-deflate; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            "permessage-deflate; server_max_window_bits=\"9\"",
            "permessage-deflate; server_max_window_bits=9",
        ),
        (
            "permessage-deflate; server_max_window_bits=15",
            "permessage-deflate; server_max_window_bits=15",
        ),
        (
            "permessage-deflate; client_max_window_bits; server_max_window_bits=12; \
             client_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=12",
        ),
    ];
    for (offer, expected) in accepted {
        assert_eq!(plain(offer).as_deref(), Some(expected), "{offer}");
    }
    let declined = [
        // Unknown, twice.
        "permessage-deflate; strength=9",
        "permessage-deflate; Server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=9; client_max_window_bits",
        // Values where there are none, none where there are, and wrong ones.
        "permessage-deflate; server_no_context_takeover=true",
        "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=09",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; server_max_window_bits=ten",
        "permessage-deflate; client_max_window_bits=0",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=99999999999999999999",
        // zlib can't.
        "permessage-deflate; server_max_window_bits=8",
        // Others.
        "",
        "x-webkit-deflate-frame",
        "permessage-bzip2; permessage-deflate",
        // Malformed.
        "permessage-deflate;",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate permessage-deflate",
        "permessage-deflate, =",
    ];
    for offer in declined {
        assert_eq!(plain(offer), None, "{offer}");
    }
}

#[test]
fn the_first_offer_that_can_be_accepted() {
    let table: [(&[&str], _); 6] = [
        (&["foo, permessage-deflate, bar"], Some("permessage-deflate")),
        (
            &["permessage-deflate; server_max_window_bits=8, \
               permessage-deflate; server_max_window_bits=9, permessage-deflate"],
            Some("permessage-deflate; server_max_window_bits=9"),
        ),
        (
            &[
                "foo; a=\"b\"",
                "permessage-deflate; x",
                "permessage-deflate",
                "permessage-deflate; server_no_context_takeover",
            ],
            Some("permessage-deflate"),
        ),
        // A malformed header isn't read, the others are.
        (&["permessage-deflate; =", "permessage-deflate"], Some("permessage-deflate")),
        (&["permessage-deflate, \"", "foo"], None),
        (&[], None),
    ];
    for (offers, expected) in table {
        let answer = answer(&Config::default(), offers.iter().copied());
        assert_eq!(answer.map(|(_, answer)| answer).as_deref(), expected, "{offers:?}");
    }
}

#[test]
fn wishes_of_a_server() {
    const D: &str = "permessage-deflate";
    let table = [
        // The client's window: asked for only where the client has said that it can.
        (client(10), "", "", 15, 15),
        (client(10), "; client_max_window_bits", "; client_max_window_bits=10", 15, 10),
        (client(10), "; client_max_window_bits=12", "; client_max_window_bits=10", 15, 10),
        (client(12), "; client_max_window_bits=10", "", 15, 15),
        (client(8), "; client_max_window_bits", "; client_max_window_bits=8", 15, 8),
        // Our own: unasked; never more than asked for.
        (server(10), "", "; server_max_window_bits=10", 10, 15),
        (server(10), "; server_max_window_bits=12", "; server_max_window_bits=10", 10, 15),
        (server(12), "; server_max_window_bits=10", "; server_max_window_bits=10", 10, 15),
        // A size that zlib can't have becomes 9; one that doesn't exist becomes the nearest that does.
        (server(8), "", "; server_max_window_bits=9", 9, 15),
        (server(0), "", "; server_max_window_bits=9", 9, 15),
        (server(99), "", "", 15, 15),
        (client(3), "; client_max_window_bits", "; client_max_window_bits=8", 15, 8),
    ];
    for (config, asked, answered, server_bits, client_bits) in table {
        let (params, header) = answer(&config, [&*format!("{D}{asked}")]).unwrap();
        assert_eq!(header, format!("{D}{answered}"), "{asked}");
        let bits = (params.server_max_window_bits, params.client_max_window_bits);
        assert_eq!(bits, (server_bits, client_bits), "{asked}");
    }
    let (params, header) = answer(&NO_CONTEXT, [D]).unwrap();
    assert!(params.server_no_context_takeover && params.client_no_context_takeover);
    assert_eq!(header, format!("{D}; server_no_context_takeover; client_no_context_takeover"));
}

#[test]
fn offers_of_a_client() {
    assert_eq!(offer(&Config::default()), "permessage-deflate; client_max_window_bits");
    assert_eq!(offer(&client(10)), "permessage-deflate; client_max_window_bits=10");
    assert_eq!(offer(&client(8)), "permessage-deflate; client_max_window_bits=9", "zlib can't");
    assert_eq!(
        offer(&Config { server_max_window_bits: 8, ..NO_CONTEXT }),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=8; client_max_window_bits"
    );
}

#[test]
fn answers_that_a_client_accepts() {
    let full = FULL;
    let table = [
        (Config::default(), "permessage-deflate", full),
        (
            Config::default(),
            " permessage-deflate ; server_no_context_takeover,",
            Params { server_no_context_takeover: true, ..full },
        ),
        (
            Config::default(),
            "permessage-deflate; client_no_context_takeover",
            Params { client_no_context_takeover: true, ..full },
        ),
        (
            Config::default(),
            "permessage-deflate; server_max_window_bits=8",
            Params { server_max_window_bits: 8, ..full },
        ),
        // Legal: then nothing of ours is compressed.
        (
            Config::default(),
            "permessage-deflate; client_max_window_bits=8",
            Params { client_max_window_bits: 8, ..full },
        ),
        // Ours holds whether the server repeats it or not: the offer said so.
        (client(10), "permessage-deflate", Params { client_max_window_bits: 10, ..full }),
        (
            client(10),
            "permessage-deflate; client_max_window_bits=9",
            Params { client_max_window_bits: 9, ..full },
        ),
        (
            Config { client_no_context_takeover: true, ..Config::default() },
            "permessage-deflate",
            Params { client_no_context_takeover: true, ..full },
        ),
        (
            server(10),
            "permessage-deflate; server_max_window_bits=10",
            Params { server_max_window_bits: 10, ..full },
        ),
        (
            server(10),
            "permessage-deflate; server_max_window_bits=9",
            Params { server_max_window_bits: 9, ..full },
        ),
    ];
    for (config, answer, params) in table {
        assert_eq!(accept(&config, answer), Ok(Some(params)), "{answer}");
    }
    assert_eq!(accept(&Config::default(), ""), Ok(None));
    assert_eq!(accept(&NO_CONTEXT, " , "), Ok(None));
}

#[test]
fn answers_that_end_the_connection() {
    let table = [
        (
            "permessage-deflate;",
            "the server's Sec-WebSocket-Extensions doesn't follow the grammar of RFC 6455",
        ),
        ("foo", "the server answered with the extension `foo`, which was not offered"),
        ("foo, bar", "the server answered with the extension `foo`, which was not offered"),
        (
            "permessage-deflate, foo",
            "the server answered with several extensions; only permessage-deflate was offered",
        ),
        (
            "foo, permessage-deflate",
            "the server answered with several extensions; only permessage-deflate was offered",
        ),
        (
            "permessage-deflate, permessage-deflate",
            "the server answered with several extensions; only permessage-deflate was offered",
        ),
        (
            "permessage-deflate; foo",
            "the server answered with the unknown parameter `foo` of permessage-deflate",
        ),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "the server answered with server_no_context_takeover twice",
        ),
        (
            "permessage-deflate; client_no_context_takeover=1",
            "the server answered with client_no_context_takeover=1, which has no value",
        ),
        (
            "permessage-deflate; client_max_window_bits",
            "the server answered with client_max_window_bits without the number of bits, 8 to 15",
        ),
        (
            "permessage-deflate; server_max_window_bits=16",
            "the server answered with server_max_window_bits=16; it has to be 8 to 15",
        ),
        (
            "permessage-deflate; client_max_window_bits=9; client_max_window_bits=9",
            "the server answered with client_max_window_bits twice",
        ),
    ];
    for (answer, expected) in table {
        let error = accept(&Config::default(), answer).unwrap_err();
        assert_eq!(error.to_string(), expected, "{answer}");
    }
    let table = [
        (
            server(10),
            "permessage-deflate",
            "the server accepted permessage-deflate without server_max_window_bits, which the offer requires",
        ),
        (
            server(10),
            "permessage-deflate; server_max_window_bits=11",
            "the server answered with server_max_window_bits=11, but the maximum offered is 10",
        ),
        (
            client(10),
            "permessage-deflate; client_max_window_bits=11",
            "the server answered with client_max_window_bits=11, but the maximum offered is 10",
        ),
        (
            NO_CONTEXT,
            "permessage-deflate; client_no_context_takeover",
            "the server accepted permessage-deflate without server_no_context_takeover, which the offer requires",
        ),
    ];
    for (config, answer, expected) in table {
        assert_eq!(accept(&config, answer).unwrap_err().to_string(), expected, "{answer}");
    }
}

fn configs() -> impl Strategy<Value = Config> {
    (any::<bool>(), any::<bool>(), 7..=16_u8, 7..=16_u8).prop_map(|(server, client, s, c)| Config {
        server_no_context_takeover: server,
        client_no_context_takeover: client,
        server_max_window_bits: s,
        client_max_window_bits: c,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The two ends never differ about what the *sender* may do: the receiver allows at least that.
    #[test]
    fn both_ends_understand_each_other(client in configs(), server in configs()) {
        let offer = offer(&client);
        let Some((theirs, answer)) = answer(&server, [&*offer]) else {
            prop_assert!(client.server_max_window_bits <= 8, "only zlib's limit declines: {}", offer);
            return Ok(());
        };
        let ours = accept(&client, &answer).unwrap().unwrap();
        prop_assert_eq!(ours.server_max_window_bits, theirs.server_max_window_bits);
        prop_assert_eq!(ours.server_no_context_takeover, theirs.server_no_context_takeover);
        prop_assert_eq!(ours.client_no_context_takeover, theirs.client_no_context_takeover);
        prop_assert!(ours.client_max_window_bits <= theirs.client_max_window_bits);
    }

    #[test]
    fn any_header_is_read(header in "[a-z;=, \"\\\\_0-9é]{0,40}", config in configs()) {
        let _ = accept(&config, &header);
        let with = format!("permessage-deflate; {header}");
        for offers in [[&*header, "x"], [&*with, &*header]] {
            if let Some((params, answer)) = answer(&config, offers) {
                prop_assert!((9..=15).contains(&params.server_max_window_bits));
                prop_assert!((8..=15).contains(&params.client_max_window_bits));
                prop_assert!(accept(&Config::default(), &answer).unwrap().is_some(), "{}", answer);
            }
        }
    }
}
