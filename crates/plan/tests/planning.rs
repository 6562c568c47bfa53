//! Planning by definitions, with kinds that exist only here.

mod support;

use descriptor::{Diagnostic, Report, Syntax};
use endpoint::{Exposure, Grants};
use plan::kind::Shape;
use plan::{Registry, check_exposure};
use support::KINDS;

fn registry() -> Registry {
    Registry::with(KINDS)
}

fn mistakes(typed: &str) -> String {
    let found = registry().listener(typed, Syntax::Extended).expect_err("it should be refused");
    report(typed, &found)
}

fn report(typed: &str, found: &[Diagnostic]) -> String {
    Report::new(typed, found).to_string()
}

#[test]
fn defaults_and_positions_are_filled_in() {
    let plan = registry().listener("net:80::7", Syntax::Extended).expect("it plans");
    let settings: Vec<_> = plan.tree.settings.iter().map(|(n, v, g)| (&**n, &**v, *g)).collect();
    assert_eq!(
        settings,
        [("port", "80", true), ("interface", "any", false), ("backlog", "7", true)]
    );
    assert_eq!(plan.tree.descriptor, "net:80::7");
}

#[test]
fn a_layer_goes_over_what_is_in_braces_or_escaped() {
    for typed in ["over:{net:80:interface=lo}:path=/x", "over:net\\:80\\:interface=lo:path=/x"] {
        let plan = registry().listener(typed, Syntax::Extended).expect("it plans");
        assert_eq!(plan.tree.kind, "over");
        assert_eq!(plan.tree.gives, Shape::Messages);
        let inner = plan.tree.beneath.into_iter().next().expect("there is an endpoint beneath");
        assert_eq!(inner.descriptor, "net:80:interface=lo");
    }
}

#[test]
fn sugar_is_expanded_after_parsing() {
    for (typed, inner) in
        [("over:80", "net:80:interface=lo"), ("over://h:80/p", "net:80:interface=h")]
    {
        let plan = registry().listener(typed, Syntax::Extended).expect("it plans");
        assert_eq!(
            plan.tree.beneath.into_iter().next().expect("there is an endpoint beneath").descriptor,
            inner,
            "{typed}"
        );
    }
    registry().listener("80", Syntax::Twisted).expect_err("Twisted has no sugar");
}

#[test]
fn a_url_in_braces_takes_options_beside_it() {
    let plan = registry().listener("{over://h:80/p}:path=/q", Syntax::Extended).expect("it plans");
    assert!(plan.tree.says("path", "/q"));
}

#[test]
fn an_alias_changes_defaults_and_adds_parameters() {
    let plan =
        registry().listener("OLDOVER:{net:80}:debug=true", Syntax::Extended).expect("it plans");
    assert_eq!(plan.tree.kind, "over");
    assert_eq!(plan.tree.called, "oldover");
    assert!(plan.tree.says("path", "/old"));
    registry()
        .listener("over:{net:80}:debug=true", Syntax::Extended)
        .expect_err("it is the alias's own");
}

#[test]
fn a_switch_is_a_word_or_has_parameters_of_its_own() {
    for (typed, read) in [
        ("over:80", None),
        ("over:80:squeeze=off", None),
        ("over:80:squeeze=0", None),
        ("over:80:squeeze=on", Some("level 1, fair false")),
        ("over:80:squeeze=TRUE", Some("level 1, fair false")),
        ("over:80:squeeze={level=9:fair=yes}", Some("level 9, fair true")),
        ("over:80:squeeze=fair=yes", Some("level 1, fair true")),
        (r"over:80:squeeze=level\=3\:fair\=no", Some("level 3, fair false")),
    ] {
        let plan = registry().listener(typed, Syntax::Extended).expect("it plans");
        let said = plan.warnings.first().map(|warning| &*warning.message);
        assert_eq!(said, read, "{typed}");
    }
}

#[test]
fn mistakes_inside_a_switch_are_pointed_at() {
    insta::assert_snapshot!(mistakes("over:80:squeeze={level=10:fare=yes}"), @r#"
    error: `level` must be a number from 1 to 9
      | over:80:squeeze={level=10:fare=yes}
      |                        ^^

    error: `squeeze` has no parameter `fare`
      | over:80:squeeze={level=10:fare=yes}
      |                           ^^^^
      = help: the settings are `level=…`, `fair=…`, joined by `:`
    "#);
    insta::assert_snapshot!(mistakes("over:80:squeeze=onn"), @r#"
    error: `squeeze` must be `on`, `off`, or settings
      | over:80:squeeze=onn
      |                 ^^^
      = help: did you mean `on`?
    "#);
    insta::assert_snapshot!(mistakes("over:80:squeeze={level=3:level=4}"), @r#"
    error: `level` is given twice
      | over:80:squeeze={level=3:level=4}
      |                          ^^^^^
    "#);
}

#[test]
fn another_spelling_is_rewritten() {
    let plan = registry().listener("flat:net:80:interface=lo", Syntax::Extended).expect("it plans");
    assert_eq!(
        plan.tree.beneath.into_iter().next().expect("there is an endpoint beneath").descriptor,
        "net:80:interface=lo"
    );
}

#[test]
fn twisted_lets_the_last_keyword_win_and_extended_refuses_two() {
    let plan =
        registry().listener("net:80:backlog=1:backlog=2", Syntax::Twisted).expect("it plans");
    assert!(plan.tree.says("backlog", "2"));
    insta::assert_snapshot!(mistakes("net:80:backlog=1:backlog=2"), @r"
    error: `backlog` is given twice
      | net:80:backlog=1:backlog=2
      |                  ^^^^^^^
    ");
}

#[test]
fn five_mistakes_are_five_carets() {
    insta::assert_snapshot!(mistakes("over:{net:90o0:interfce=lo:backlog=x}:pth=/x:path=/y:path=/z"), @r"
    error: `port` must be a number from 0 to 65535
      | over:{net:90o0:interfce=lo:backlog=x}:pth=/x:path=/y:path=/z
      |           ^^^^
      = help: did you mean `9000`?

    error: `net` has no parameter `interfce` when listening
      | over:{net:90o0:interfce=lo:backlog=x}:pth=/x:path=/y:path=/z
      |                ^^^^^^^^
      = help: did you mean `interface`?

    error: `backlog` must be a number from 1 to 65535
      | over:{net:90o0:interfce=lo:backlog=x}:pth=/x:path=/y:path=/z
      |                                    ^

    error: `over` has no parameter `pth` when listening
      | over:{net:90o0:interfce=lo:backlog=x}:pth=/x:path=/y:path=/z
      |                                       ^^^
      = help: did you mean `path`?

    error: `path` is given twice
      | over:{net:90o0:interfce=lo:backlog=x}:pth=/x:path=/y:path=/z
      |                                                      ^^^^
    ");
}

#[test]
fn what_is_missing_or_too_much_is_said_with_the_form() {
    insta::assert_snapshot!(mistakes("net"), @r"
    error: `net` needs `port`
      | net
      | ^^^
      = help: the form is `net:PORT[:INTERFACE][:BACKLOG][:auth=…][:from=…]`
    ");
    insta::assert_snapshot!(mistakes("net:80:lo:5:6"), @r#"
    error: `net` has only the positional parameters: `port`, `interface`, `backlog`
      | net:80:lo:5:6
      |             ^
      = help: write text that contains `:` in braces, `{…:…}`; the form is `net:PORT[:INTERFACE][:BACKLOG][:auth=…][:from=…]`
    "#);
    insta::assert_snapshot!(mistakes("net:80:port=81"), @r"
    error: `port` is given by position and by name
      | net:80:port=81
      |     ^^
    ");
    insta::assert_snapshot!(mistakes("over:path=/x"), @r#"
    error: `over` needs an endpoint to run over, in braces or with `:` as `\:`
      | over:path=/x
      | ^^^^
      = help: the form is `over:ENDPOINT[:path=…][:token.NAME=…][:squeeze=…][:auth=…][:from=…]`
    "#);
    insta::assert_snapshot!(mistakes("net:80:host=h"), @r"
    error: `net` has `host` only when connecting, and this is the listening side
      | net:80:host=h
      |        ^^^^
      = help: the form is `net:PORT[:INTERFACE][:BACKLOG][:auth=…][:from=…]`
    ");
}

#[test]
fn an_unknown_kind_offers_the_nearest() {
    insta::assert_snapshot!(mistakes("nett:80"), @r"
    error: `nett` is not a kind of endpoint
      | nett:80
      | ^^^^
      = help: did you mean `net`?
    ");
    insta::assert_snapshot!(mistakes("over:9o0"), @r#"
    error: `9o0` is not a kind of endpoint
      | over:9o0
      |      ^^^
      = help: did you mean `900`?
    "#);
    insta::assert_snapshot!(mistakes("database:80"), @r#"
    error: `database` is not a kind of endpoint
      | database:80
      | ^^^^^^^^
      = help: the kinds are `net`, `over`, `records`, `timed`
    "#);
    insta::assert_snapshot!(mistakes("ovr://h:80"), @r"
    error: `ovr` is not a URL scheme of any kind
      | ovr://h:80
      | ^^^
      = help: did you mean `over://`?
    ");
    insta::assert_snapshot!(mistakes(""), @r#"
    error: the kind of endpoint is missing
      | 
      | ^
      = help: the kinds are `net`, `over`, `records`, `timed`
    "#);
}

#[test]
fn a_stack_that_does_not_fit_is_refused_before_anything_is_bound() {
    insta::assert_snapshot!(mistakes("records:{net:80}"), @r"
    error: `records` runs over messages, but `net` is a byte stream
      | records:{net:80}
      |          ^^^^^^
    ");
    registry()
        .listener("records:{over:{net:80}}", Syntax::Extended)
        .expect("messages over messages");
}

#[test]
fn holes_are_taken_where_a_kind_allows_them() {
    registry().connector("net:h:80:greeting=${http.path}", Syntax::Extended).expect("it plans");
    registry()
        .connector("net:h:80:greeting=${HOME}", Syntax::Extended)
        .expect("other roots are text");
    let typed = "net:${http.query.host}:80";
    let found = registry().connector(typed, Syntax::Extended).expect_err("a host takes no holes");
    insta::assert_snapshot!(report(typed, &found), @r"
    error: `host` can't contain facts about a client: a destination made of a peer's words needs an allow-list
      | net:${http.query.host}:80
      |     ^^^^^^^^^^^^^^^^^^
      = help: write the value itself, or write `\$` for literal text
    ");
}

#[test]
fn a_fact_that_no_kind_declares_is_a_warning() {
    // `over`, a kind of this test, declares facts; no kind here declares `tls`, and `HOME` is no fact.
    let typed = r"net:h:80:greeting=${http.pth}${http.header.x-y}${tls.sni}${HOME}";
    let plan = registry().connector(typed, Syntax::Extended).expect("another kind may know it");
    let said: Vec<_> = plan.warnings.iter().map(|warning| &*warning.message).collect();
    assert_eq!(
        said,
        ["no kind has a fact `http.pth`", "no kind has facts of `tls`: this is taken as text",]
    );
    assert_eq!(plan.warnings[0].help.as_deref(), Some("did you mean `${http.path}`?"));
}

#[test]
fn secrets_are_shown_nowhere() {
    for typed in [
        "over:{net:80}:token.a=hunter2",
        "over:{over:{net:80}:token.a=hunter2}:path=/x:token.b=hunter2",
        r"over:over\:net\\\:80\:token.a=hunter2",
    ] {
        let plan = registry().listener(typed, Syntax::Extended).expect("it plans");
        let shown = format!("{} {plan:?}", plan.tree.descriptor);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(plan.tree.descriptor.contains('…'), "{shown}");
    }
}

#[test]
fn endpoints_nest_only_so_deep() {
    let typed = format!("{}net:80{}", "over:{".repeat(40), "}".repeat(40));
    let found = registry().listener(&typed, Syntax::Extended).expect_err("too deep");
    assert_eq!(found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), ["too-deep"]);
}

#[test]
fn a_program_behind_a_public_address_needs_words() {
    let program = registry().connector("shell", Syntax::Extended).expect("it plans");
    let service = registry().connector("net:h:80", Syntax::Extended).expect("it plans");
    assert_eq!(program.endpoint.grants(), Grants::Program);
    let listen = |typed: &str| registry().listener(typed, Syntax::Extended).expect("it plans");
    let public = listen("over:{net:80:interface=any}");
    assert_eq!(public.endpoint.exposure(), Exposure::Public);
    check_exposure(&public, &service).expect("a service has its own say");
    check_exposure(&listen("over:{net:80:interface=lo}"), &program).expect("loopback");
    check_exposure(&listen("over:{net:80}:auth=none"), &program).expect("stated outside");
    check_exposure(&listen("over:{net:80:auth=none}"), &program).expect("stated inside");
    let mistake = check_exposure(&public, &program).expect_err("open to all");
    insta::assert_snapshot!(report("over:{net:80:interface=any}", &[mistake]), @r"
    error: other machines could reach a program that runs as your user, `shell`, without authentication
      | over:{net:80:interface=any}
      | ^^^^
      = help: listen on loopback (`interface=127.0.0.1`), or allow everyone with `over:{net:80:interface=any}:auth=none`
    ");
}
