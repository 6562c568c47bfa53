//! Unix sockets beyond what every stream does: files, modes, locks and names.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{accepted, bind, connect, failure, offer, pair, shown, try_bind, try_connect};
use endpoint::info::Unix;
use endpoint::{Context, ErrorKind, Grants};

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    fn text(&self) -> String {
        format!("unix:{}", self.path().display())
    }

    /// Everything in the directory, sorted.
    fn files(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(name).map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// An error without what differs between runs.
    fn shown(&self, error: &endpoint::Error) -> String {
        let text = shown(error).replace(self.dir.path().to_str().unwrap(), "DIR");
        text.replace(&std::process::id().to_string(), "PID")
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The number of a process that has ended.
fn dead_process() -> String {
    let mut child = Command::new("/bin/true").spawn().unwrap();
    let pid = child.id().to_string();
    child.wait().unwrap();
    pid
}

#[tokio::test]
async fn the_socket_and_its_lock_are_there_while_it_listens() {
    let place = Place::new();
    let accept = bind(&Context::new(), &place.text()).await;
    assert_eq!(accept.local().descriptor, place.text());
    assert_eq!(place.files(), ["s", "s.lock"]);
    let lock = fs::read_link(place.dir.path().join("s.lock")).unwrap();
    assert_eq!(lock.to_string_lossy(), std::process::id().to_string());
    assert_eq!(mode(&place.path()), 0o600);
    drop(accept);
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn only_in_front_of_services_everybody_may_connect() {
    for (behind, expected) in [
        (Grants::Nothing, 0o666),
        (Grants::Service, 0o666),
        (Grants::Device, 0o600),
        (Grants::Program, 0o600),
    ] {
        let place = Place::new();
        let _accept = bind(&Context::new().in_front_of(behind), &place.text()).await;
        assert_eq!(mode(&place.path()), expected, "{behind:?}");
    }
}

#[tokio::test]
async fn the_mode_is_what_was_asked_for_whatever_the_umask() {
    for asked in ["600", "660", "777", "000"] {
        let place = Place::new();
        let _accept = bind(&Context::new(), &format!("{}:mode={asked}", place.text())).await;
        assert_eq!(format!("{:03o}", mode(&place.path())), asked);
    }
}

#[tokio::test]
async fn without_a_lockfile_there_is_none() {
    let place = Place::new();
    let _accept = bind(&Context::new(), &format!("{}:lockfile=0", place.text())).await;
    assert_eq!(place.files(), ["s"]);
}

#[tokio::test]
async fn what_a_dead_process_left_is_taken_over() {
    let place = Place::new();
    drop(UnixListener::bind(place.path()).unwrap());
    symlink(dead_process(), place.dir.path().join("s.lock")).unwrap();
    let accept = bind(&Context::new(), &place.text()).await;
    assert_eq!(place.files(), ["s", "s.lock"]);
    drop(accept);
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn a_stale_socket_stays_if_it_is_to() {
    let place = Place::new();
    drop(UnixListener::bind(place.path()).unwrap());
    let bound = try_bind(&Context::new(), &format!("{}:unlink=no", place.text())).await;
    let error = failure(bound);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:DIR/s:unlink=no: a socket exists already
    no process listens on it: remove DIR/s
    ");
    assert_eq!(place.files(), ["s"]);
}

#[tokio::test]
async fn a_live_lock_is_respected() {
    let place = Place::new();
    symlink("1", place.dir.path().join("s.lock")).unwrap();
    let error = failure(try_bind(&Context::new(), &place.text()).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:DIR/s: process 1 has locked it
    stop process 1; if it doesn't serve this socket, remove DIR/s.lock
    ");
    assert_eq!(place.files(), ["s.lock"]);
}

/// In a container, every start has the same process ID.
#[tokio::test]
async fn what_an_earlier_process_of_our_number_left_is_taken_over() {
    let place = Place::new();
    let lock = place.dir.path().join("s.lock");
    symlink(std::process::id().to_string(), &lock).unwrap();
    let theirs = UnixListener::bind(place.path()).unwrap();
    // A process of another container, which has our number there.
    let error = failure(try_bind(&Context::new(), &place.text()).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(lock.is_symlink());
    drop(theirs);
    let accept = bind(&Context::new(), &place.text()).await;
    assert_eq!(place.files(), ["s", "s.lock"]);
    drop(accept);
    assert!(place.files().is_empty());
}

#[tokio::test]
async fn a_lock_that_is_older_than_its_process_is_taken_over() {
    let place = Place::new();
    let lock = place.dir.path().join("s.lock");
    let mut other = Command::new("sleep").arg("600").spawn().unwrap();
    symlink(other.id().to_string(), &lock).unwrap();
    let theirs = UnixListener::bind(place.path()).unwrap();
    let busy = async || failure(try_bind(&Context::new(), &place.text()).await).to_string();
    assert!(busy().await.ends_with("has locked it"));
    let old = rustix::fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: old, last_modification: old };
    rustix::fs::utimensat(rustix::fs::CWD, &lock, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
        .unwrap();
    // The clock may have been set since: the listening socket is in the way all the same.
    assert!(busy().await.ends_with("has locked it"));
    drop(theirs);
    let accept = bind(&Context::new(), &place.text()).await;
    assert_eq!(place.files(), ["s", "s.lock"]);
    drop(accept);
    other.kill().unwrap();
    other.wait().unwrap();
}

#[tokio::test]
async fn our_own_listener_is_in_the_way() {
    let (place, cx) = (Place::new(), Context::new());
    let _first = bind(&cx, &place.text()).await;
    let error = failure(try_bind(&cx, &place.text()).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:DIR/s: another listener of this program uses it
    give each listener a different path
    ");
    let error = failure(try_bind(&cx, &format!("{}:lockfile=no", place.text())).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:DIR/s:lockfile=no: the socket is in use
    another program listens on it; choose another path, or find the program with `ss -xlp src DIR/s`
    ");
    assert_eq!(place.files(), ["s", "s.lock"]);
    connect(&cx, &place.text()).await;
}

#[tokio::test]
async fn what_is_no_socket_is_never_removed() {
    let place = Place::new();
    fs::write(place.path(), "precious").unwrap();
    let error = failure(try_bind(&Context::new(), &place.text()).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:DIR/s: a file that isn't a socket exists already
    choose another path, or move it away
    ");
    assert_eq!(fs::read_to_string(place.path()).unwrap(), "precious");
    assert_eq!(place.files(), ["s"]);
}

#[tokio::test]
async fn a_socket_of_another_sort_is_in_use() {
    let place = Place::new();
    let _datagrams = UnixDatagram::bind(place.path()).unwrap();
    let error = failure(try_bind(&Context::new(), &place.text()).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(place.files(), ["s"]);
}

#[tokio::test]
async fn a_socket_that_took_our_place_is_not_removed() {
    let place = Place::new();
    let accept = bind(&Context::new(), &place.text()).await;
    fs::remove_file(place.path()).unwrap();
    let _theirs = UnixListener::bind(place.path()).unwrap();
    drop(accept);
    assert_eq!(place.files(), ["s"]);
}

#[tokio::test]
async fn the_peer_is_known() {
    let place = Place::new();
    let (near, far) = pair(&Context::new(), &place.text()).await;
    for conn in [near, far] {
        let fact = conn.info.get::<Unix>().unwrap();
        assert_eq!(fact.path, place.path());
        assert_eq!(fact.pid, i32::try_from(std::process::id()).ok());
        assert_eq!(fact.uid, Some(rustix::process::getuid().as_raw()));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_abstract_name_has_no_file_and_one_owner() {
    let place = Place::new();
    let name = format!("unix:@{}", place.path().display());
    let cx = Context::new();
    let mut accept = bind(&cx, &name).await;
    assert_eq!(accept.local().descriptor, name);
    assert!(place.files().is_empty());
    let _client = connect(&cx, &name).await;
    accepted(offer(&mut *accept).await).await;
    let error = failure(try_bind(&cx, &name).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:@DIR/s: address already in use
    another program listens on it; choose another name
    ");
    drop(accept);
    let error = failure(try_connect(&cx, &name).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot connect unix:@DIR/s: connection refused
    no server listens on this socket; start the server
    ");
}

#[tokio::test]
async fn a_full_backlog_is_waited_for() {
    let (place, cx) = (Place::new(), Context::new());
    let mut accept = bind(&cx, &format!("{}:backlog=0", place.text())).await;
    let to = format!("{}:timeout=50ms", place.text());
    let mut queued = Vec::new();
    let error = loop {
        match try_connect(&cx, &to).await {
            Ok(conn) => queued.push(conn),
            Err(error) => break error,
        }
        assert!(queued.len() < 16, "the backlog has no end");
    };
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot connect unix:DIR/s:timeout=50ms: the listener doesn't accept connections: its backlog is full
    wait longer with `timeout=`
    ");
    let text = place.text();
    let late = tokio::spawn(async move { try_connect(&cx, &text).await.map(drop) });
    accepted(offer(&mut *accept).await).await;
    late.await.unwrap().unwrap();
}

#[tokio::test]
async fn failures_are_explained() {
    let (place, cx) = (Place::new(), Context::new());
    let error = failure(try_connect(&cx, &place.text()).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot connect unix:DIR/s: no such file or directory
    no such socket; start the server or check the path
    ");
    drop(UnixListener::bind(place.path()).unwrap());
    let error = failure(try_connect(&cx, &place.text()).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot connect unix:DIR/s: connection refused
    no server listens on this socket; start the server
    ");
    let error = failure(try_bind(&cx, &format!("{}/no/s", place.text())).await);
    insta::assert_snapshot!(place.shown(&error), @"cannot bind unix:DIR/s/no/s: not a directory");
    let missing = format!("unix:{}/no/s:lockfile=no", place.dir.path().display());
    let error = failure(try_bind(&cx, &missing).await);
    insta::assert_snapshot!(place.shown(&error), @r"
    cannot bind unix:DIR/no/s:lockfile=no: no such file or directory
    the directory does not exist
    ");
}
