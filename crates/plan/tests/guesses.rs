//! Messages about descriptors whose meaning can be guessed, with kinds that exist only here.

mod support;

use descriptor::{Report, Syntax};
use plan::Registry;
use support::KINDS;

fn mistakes(typed: &str, syntax: Syntax) -> String {
    let found =
        Registry::with(KINDS).listener(typed, syntax).map(|_| ()).expect_err("it is refused");
    Report::new(typed, &found).to_string()
}

fn extended(typed: &str) -> String {
    mistakes(typed, Syntax::Extended)
}

#[test]
fn an_endpoint_with_its_colons_as_they_stand_is_shown_in_braces() {
    insta::assert_snapshot!(extended("over:net:80:lo:path=/x"), @r#"
    error: the endpoint that `over` runs over must be in braces
      | over:net:80:lo:path=/x
      |      ^^^^^^^^^
      = help: did you mean `over:{net:80:lo}:path=/x`?
    "#);
    // Its parameters were typed outside; the rest is still looked at.
    insta::assert_snapshot!(extended("over:80:interface=lo:squeeze=maybe"), @r#"
    error: the endpoint that `over` runs over must be in braces
      | over:80:interface=lo:squeeze=maybe
      |      ^^^^^^^^^^^^^^^
      = help: did you mean `over:{net:80:interface=lo}:squeeze=maybe`?

    error: `squeeze` must be `on`, `off`, or settings
      | over:80:interface=lo:squeeze=maybe
      |                              ^^^^^
      = help: write settings as `{level=1}`
    "#);
    // A parameter that both kinds lack stays a separate mistake.
    insta::assert_snapshot!(extended("oldover:net:80:colour=red"), @r#"
    error: the endpoint that `oldover` runs over must be in braces
      | oldover:net:80:colour=red
      |         ^^^^^^
      = help: did you mean `oldover:{net:80}`?

    error: `oldover` has no parameter `colour` when listening
      | oldover:net:80:colour=red
      |                ^^^^^^
      = help: the form is `oldover:ENDPOINT[:path=…][:token.NAME=…][:squeeze=…][:debug=…][:auth=…][:from=…]`
    "#);
    insta::assert_snapshot!(mistakes("over:net:80:path=/x", Syntax::Twisted), @r#"
    error: the endpoint that `over` runs over must have `\:` for `:`
      | over:net:80:path=/x
      |      ^^^^^^
      = help: did you mean `over:net\:80:path=/x`?
    "#);
}

#[test]
fn what_would_not_plan_in_braces_either_is_not_guessed() {
    for typed in ["over:net:eighty", "over:80:colour=red", "over:over:net:80", "records:net:80"] {
        let said = extended(typed);
        assert!(!said.contains("did you mean `over:{"), "{typed}\n{said}");
    }
    let long = format!("{}net:80", "over:".repeat(20_000));
    assert!(extended(&long).contains("positional parameters: `endpoint`"));
}

#[test]
fn a_value_with_a_colon_is_shown_in_braces() {
    insta::assert_snapshot!(extended("over:{net:80}:path=http://h/:squeeze=on"), @r#"
    error: the value of `path` ends at its first `:`
      | over:{net:80}:path=http://h/:squeeze=on
      |                    ^^^^^^^^^
      = help: write it in braces: `path={http://h/}`
    "#);
    // Nothing is said of what its beginning would be.
    insta::assert_snapshot!(extended("over:{net:80}:squeeze=level:3"), @r#"
    error: the value of `squeeze` ends at its first `:`
      | over:{net:80}:squeeze=level:3
      |                       ^^^^^^^
      = help: write it in braces: `squeeze={level:3}`
    "#);
    insta::assert_snapshot!(mistakes("over:net\\:80:path=a:b", Syntax::Twisted), @r#"
    error: the value of `path` ends at its first `:`
      | over:net\:80:path=a:b
      |                   ^^^
      = help: write `\:` for it: `path=a\:b`
    "#);
}

#[test]
fn a_name_without_a_value_is_told_to_have_one() {
    insta::assert_snapshot!(extended("over:{net:80}:path"), @r#"
    error: `path` needs a value
      | over:{net:80}:path
      |               ^^^^
      = help: the form is `path=…`
    "#);
    insta::assert_snapshot!(extended("over:{net:80}:squeeze={fair}"), @r#"
    error: `fair` needs a value
      | over:{net:80}:squeeze={fair}
      |                        ^^^^
      = help: the form is `fair=…`
    "#);
}

#[test]
fn options_behind_a_url_are_not_taken_for_a_part_of_it() {
    insta::assert_snapshot!(extended("over://h:80/p:path=/q"), @r#"
    error: `path` would become part of the URL
      | over://h:80/p:path=/q
      |               ^^^^^^^
      = help: write the URL in braces and the options after it: `{over://h:80/p}:path=/q`; for a `:` in the URL, write `%3A`
    "#);
    insta::assert_snapshot!(extended("over://h:80:squeeze=on"), @r#"
    error: `squeeze` would become part of the URL
      | over://h:80:squeeze=on
      |             ^^^^^^^^^^
      = help: write the URL in braces and the options after it: `{over://h:80}:squeeze=on`; for a `:` in the URL, write `%3A`
    "#);
    for meant in ["over://h:80/p:other=/q", "{over://h:80/p:path=/q}", "over://h:80/p%3Apath=/q"] {
        Registry::with(KINDS).listener(meant, Syntax::Extended).expect(meant);
    }
}

#[test]
fn settings_are_joined_by_colons() {
    insta::assert_snapshot!(extended("over:80:squeeze={level=3,fair=yes}"), @r#"
    error: `level` must be a number from 1 to 9
      | over:80:squeeze={level=3,fair=yes}
      |                        ^^^^^^^^^^
      = help: join settings by `:`: `level=3:fair=yes`
    "#);
    insta::assert_snapshot!(extended("over:80:squeeze=level"), @r#"
    error: `level` needs a value
      | over:80:squeeze=level
      |                 ^^^^^
      = help: the form is `level=…`
    "#);
    insta::assert_snapshot!(extended("over:80:squeeze=much"), @r#"
    error: `squeeze` must be `on`, `off`, or settings
      | over:80:squeeze=much
      |                 ^^^^
      = help: write settings as `{level=1}`
    "#);
}

#[test]
fn times_and_sizes_are_put_into_our_units() {
    for (typed, meant) in [
        ("wait=25sec", "25s"),
        ("wait=25 s", "25s"),
        ("wait=2 Minutes", "2m"),
        ("wait=1,5", "1.5"),
        ("wait=1,500ms", "1500ms"),
        ("wait=never", "0"),
        ("room=64kb", "64k"),
        ("room=1MB", "1M"),
        ("room=4O96", "4096"),
        ("room=1.5M", "1536k"),
        ("wait=1h30m", "90m"),
        ("room=unlimited", "0"),
    ] {
        let said = extended(&format!("timed:{typed}"));
        assert!(said.contains(&format!("did you mean `{meant}`?")), "{typed}\n{said}");
    }
    for typed in ["wait=soon", "wait=-5", "room=1.55M", "room=off-ish"] {
        let said = extended(&format!("timed:{typed}"));
        assert!(!said.contains("did you mean"), "{typed}\n{said}");
    }
}
