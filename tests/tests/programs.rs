//! Programs under the real command: the threads that they cost, the processes that are cut,
//! and the reaping of those that they leave behind.

use std::net::TcpStream;
use std::process::Command;

use tests::{Forwarder, Signal, net, procfs, until};

/// Writes a line to each program, which answers when it runs.
fn sessions(forwarder: &Forwarder, count: usize) -> Vec<TcpStream> {
    let clients: Vec<_> = (0..count).map(|_| net::connect(forwarder.port(0))).collect();
    for client in &clients {
        assert_eq!(net::read_exactly(client, 2), b"up");
    }
    clients
}

#[test]
fn many_shells_that_are_left_at_once_need_no_threads() {
    const SHELLS: usize = 150;
    let script = "pty:sh:-c:{set -m; sleep 600 & printf up; wait}:grace=20";
    let mut forwarder = Forwarder::start(&["-e", "0", "-d", script, "--max-sessions", "200"]);
    let clients = sessions(&forwarder, SHELLS);
    assert_eq!(forwarder.children().len(), SHELLS);
    let shells_and_jobs = procfs::descendants(forwarder.id());
    assert_eq!(shells_and_jobs.len(), 2 * SHELLS);
    clients.into_iter().for_each(net::reset);
    let mut most = 0;
    until("all shells are gone", || {
        most = most.max(forwarder.threads());
        forwarder.children().is_empty().then_some(())
    });
    assert!(most < 40, "{most} threads");
    // The jobs end after their shells; the forwarder's end waits for both.
    forwarder.signal(Signal::TERM);
    assert_eq!(forwarder.wait_exit().code(), Some(0), "{}", forwarder.log());
    for process in shells_and_jobs {
        assert!(!procfs::runs(process), "process {process} is left");
    }
}

#[test]
fn a_grace_period_is_waited_for_until_a_second_signal_cuts_it() {
    let script = "process:sh:-c:{trap '' TERM; printf up; while :; do sleep 1; done}:grace=1000";
    let mut forwarder = Forwarder::start(&["-e", "0", "-d", script, "--grace", "100ms"]);
    drop(sessions(&forwarder, 1));
    let program = forwarder.children()[0];
    forwarder.signal(Signal::TERM);
    forwarder.wait_for_log("waiting for programs to end");
    assert!(procfs::runs(program));
    forwarder.signal(Signal::TERM);
    assert_eq!(forwarder.wait_exit().code(), Some(0), "{}", forwarder.log());
    assert!(!procfs::runs(program), "it is left");
    let line = forwarder.wait_for_log("its grace period is cut short");
    assert!(line.contains("WARN") && line.contains("program=\"sh\""), "{line}");
    assert!(line.contains(&format!("pid={program}")), "{line}");
}

/// Of several threads, none may end before the programs are killed.
#[test]
fn a_second_signal_kills_programs_of_sessions_that_go_on() {
    for threads in ["1", "2"] {
        let script =
            "pty:sh:-c:{trap '' HUP TERM; printf up; while :; do sleep 1; done}:grace=1000";
        let args = ["-e", "0", "-d", script, "--grace", "1h", "--threads", threads];
        let mut forwarder = Forwarder::start(&args);
        let clients = sessions(&forwarder, 8);
        let programs = forwarder.children();
        forwarder.signal(Signal::TERM);
        forwarder.wait_for_log("a second signal");
        forwarder.signal(Signal::TERM);
        assert_eq!(forwarder.wait_exit().code(), Some(0), "{}", forwarder.log());
        for program in programs {
            assert!(!procfs::runs(program), "program {program} is left");
            forwarder.wait_for_log(&format!("pid={program}"));
        }
        drop(clients);
    }
}

/// A container without an init: a process that leaves for a separate session has no other parent.
#[test]
fn as_process_1_it_reaps_what_programs_leave_behind() {
    const ORPHANS: usize = 10;
    let unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
    let permitted = Command::new(unshare[0]).args(&unshare[1..]).arg("true").status();
    if !permitted.is_ok_and(|status| status.success()) {
        // Not everywhere may a user, or a container, make namespaces.
        return;
    }
    let script = "process:sh:-c:{setsid sleep 0.3 >/dev/null 2>&1 & printf up; read x; exit 3}";
    let forwarder = Forwarder::start_by_wrapper(&unshare, &["-e", "0", "-d", script]);
    let first = forwarder.children()[0];
    let clients = sessions(&forwarder, ORPHANS);
    assert!(procfs::children(first).len() >= ORPHANS);
    // Those that we wait for keep their exit status.
    for client in &clients {
        net::half_close(client);
        assert!(net::read_all(client).is_empty());
        forwarder.wait_for_log("exit status 3");
    }
    until("all are reaped", || procfs::children(first).is_empty().then_some(()));
    until("each session has its line", || {
        (forwarder.log().matches("exit status 3").count() == ORPHANS).then_some(())
    });
    let log = forwarder.log();
    assert!(!log.contains("not known"), "{log}");
}
