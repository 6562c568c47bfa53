//! Any line of a websocksy file is a peer over a network or a Unix socket, or none; and no path or cookie of a client
//! names a file outside the folder.

#![no_main]

use std::path::{Component, Path};

use descriptor::Syntax;
use endpoints::fuzzing::{expression, websocksy};
use libfuzzer_sys::fuzz_target;
use plan::{Registry, Tree};

fn kinds(tree: &Tree) {
    let known = ["framed", "tcp", "udp", "unix", "unix-dgram"];
    assert!(known.contains(&tree.kind), "{}", tree.descriptor);
    tree.beneath.iter().for_each(kinds);
}

fuzz_target!(|input: (&str, &str, &str)| {
    let (text, path, cookies) = input;
    let all = text.split_whitespace().map(str::to_owned).collect();
    for offered in [vec![], vec!["a".to_owned()], all] {
        let Some((peer, subprotocol)) = websocksy(text, &offered) else { continue };
        assert_eq!(subprotocol.is_some(), !offered.is_empty());
        assert!(subprotocol.is_none_or(|name| offered.contains(&name)));
        if let Ok(plan) = Registry::with(endpoints::KINDS).connector(&peer, Syntax::Extended) {
            kinds(&plan.tree);
        }
    }
    for form in [
        "%endpoint%",
        "%endpoint%.txt",
        ".%endpoint%",
        "x/%cookie:a%",
        "%endpoint%/%cookie:a%%cookie:b%",
        "x/%cookie:a%%endpoint%/../x",
    ] {
        let Some(name) = expression(form, path, cookies) else { continue };
        assert!(!name.contains('\0'), "{name:?}");
        assert_eq!(name.matches('/').count(), form.matches('/').count(), "{name:?}");
        let mut depth = 0_i32;
        for part in Path::new(&name).components() {
            match part {
                Component::Normal(_) => depth += 1,
                Component::ParentDir => depth -= 1,
                Component::CurDir => {}
                Component::RootDir | Component::Prefix(_) => panic!("{name:?} is absolute"),
            }
            assert!(depth >= 0, "{name:?} climbs");
        }
    }
});
