//! Planning opens nothing: every example is planned by a process that can't open anything.
//!
//! One test alone, because the limit is the whole process's.

mod common;

use common::{connector, listener};
use endpoints::KINDS;
use plan::kind::Role;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn every_example_is_planned_without_a_descriptor() {
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(0), ..before }).expect("it may be lowered");
    let opened = std::fs::File::open("/dev/null");
    let planned: Vec<_> = KINDS
        .iter()
        .flat_map(|kind| kind.examples)
        .map(|example| match example.role {
            Role::Listen => listener(example.descriptor).tree.kind,
            Role::Connect => connector(example.descriptor).tree.kind,
        })
        .collect();
    setrlimit(Resource::Nofile, before).expect("it was so before");
    assert!(opened.is_err(), "the limit keeps nobody from opening");
    assert!(planned.len() > KINDS.len(), "{planned:?}");
}
