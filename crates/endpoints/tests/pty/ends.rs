//! The end of a session on a terminal, and of its programs.

use super::*;

#[tokio::test]
async fn the_exit_status_comes_with_the_end_and_as_a_signal() {
    let cx = cx();
    let mut session = Session::start(&cx, &sh("exit 3")).await;
    let mut signals = session.control.outgoing.take().unwrap();
    let (_, end) = session.output().await;
    assert_eq!(end, End::exited(ExitStatus::Code(3)));
    let mut next = async || timeout(LONG, poll_fn(|task| signals.poll_recv(task))).await.unwrap();
    assert_eq!(next().await, Some(Signal::Title("sh".into())));
    assert_eq!(next().await, Some(Signal::Exit(ExitStatus::Code(3))));
    let (_, end) = Session::start(&cx, &sh("kill -9 $$")).await.output().await;
    assert_eq!(end.status, Some(ExitStatus::Signal(9)));
}

#[tokio::test]
async fn the_end_of_the_session_hangs_up() {
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let got = dir.path().join("got");
    let script = format!(
        "trap 'echo hup >> {}; exit' HUP; echo $$; while :; do read _; done",
        got.display()
    );
    let mut session = Session::start(&cx, &sh(&script)).await;
    let pid = session.pid().await;
    let began = Instant::now();
    drop(session);
    settled(&cx).await;
    assert!(began.elapsed() < Duration::from_secs(10), "grace was not needed");
    assert_eq!(std::fs::read_to_string(got).unwrap(), "hup\n", "once");
    assert!(!lives(pid));
}

#[tokio::test]
async fn what_ignores_the_hang_up_is_killed() {
    let cx = cx();
    let script = "trap '' HUP TERM; sleep 1000 & echo $! $$; while :; do sleep 1000; done";
    let mut session = Session::start(&cx, &format!("pty:sh:-c:{{{script}}}:grace=200ms")).await;
    let pids: Vec<_> = session
        .line()
        .await
        .split(' ')
        .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap())
        .collect();
    let began = Instant::now();
    drop(session);
    settled(&cx).await;
    assert!(began.elapsed() >= Duration::from_millis(200), "grace is given");
    assert!(!pids.into_iter().any(lives));
}

#[tokio::test]
async fn jobs_in_groups_of_their_own_are_reached() {
    let cx = cx();
    // `set -m` is job control: each job is a group; these ignore the hang-up.
    let script = "set -m; (trap '' HUP; exec sleep 1000) & (trap '' HUP; kill -STOP 0) & jobs -p; echo; wait";
    let mut session = Session::start(&cx, &format!("pty:bash:-c:{{{script}}}:grace=300ms")).await;
    let text = session.read_until(|text| text.contains("\r\n\r\n")).await;
    let pids: Vec<_> =
        text.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
    assert_eq!(pids.len(), 2, "{text}");
    drop(session);
    settled(&cx).await;
    assert!(!pids.into_iter().any(lives), "a job outlived its session");
}

#[tokio::test]
async fn a_job_that_keeps_the_terminal_does_not_hold_the_session() {
    let cx = cx();
    for job in ["exec sleep 1000", "while :; do echo noise; done"] {
        let script = format!("trap '' HUP; ({job}) & echo $!; exit 6");
        let mut session = Session::start(&cx, &format!("pty:sh:-c:{{{script}}}:grace=200ms")).await;
        let text = session.read_until(|text| text.contains('\n')).await;
        let number = text.lines().find_map(|line| line.trim().parse().ok());
        let mut bytes = Vec::new();
        timeout(LONG, session.stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        assert_eq!(session.stream.end().status, Some(ExitStatus::Code(6)));
        assert!(bytes.len() < 2 << 20, "{} bytes came after its end", bytes.len());
        drop(session);
        settled(&cx).await;
        assert!(number.is_none_or(|pid| !lives(Pid::from_raw(pid).unwrap())));
    }
}

/// The kernel's buffer is full again whenever it is looked at.
#[tokio::test]
async fn a_noisy_job_does_not_hold_a_session_that_is_read_slowly() {
    let cx = cx();
    let script = "trap '' HUP; cat /dev/zero & exit 6";
    let text = format!("pty:sh:-c:{{{script}}}:grace=200ms");
    let mut session = Session::start(&cx, &text).await;
    let reading = async {
        let mut got = 0;
        let mut bytes = [0; 64];
        loop {
            match session.stream.read(&mut bytes).await.unwrap() {
                0 => return got,
                read => got += read,
            }
            tokio::task::yield_now().await;
        }
    };
    let got = timeout(LONG, reading).await.expect("it ends");
    assert!(got < 4 << 20, "{got} bytes");
    assert_eq!(session.stream.end().status, Some(ExitStatus::Code(6)));
    drop(session);
    settled(&cx).await;
}

/// As `login` does, which throws others off the terminal (`vhangup`) and opens it again.
#[tokio::test]
async fn a_program_may_open_its_terminal_again() {
    let cx = cx();
    let script = "echo one; exec <&- >&- 2>&-; sleep 0.1; \
                  exec </dev/tty >/dev/tty 2>&1; echo two; read -r line; echo $line; exit 4";
    let mut session = Session::start(&cx, &sh(script)).await;
    session.read_until(|text| text.contains("two\r\n")).await;
    session.stream.write_all(b"three\n").await.unwrap();
    session.read_until(|text| text.ends_with("three\r\nthree\r\n")).await;
    assert_eq!(session.output().await.1.status, Some(ExitStatus::Code(4)));
}

#[tokio::test]
async fn a_program_that_leaves_its_terminal_has_ended() {
    let cx = cx();
    let script = "pty:sh:-c:{echo $$; exec <&- >&- 2>&-; exec sleep 1000}:grace=1";
    let mut session = Session::start(&cx, script).await;
    let pid = session.pid().await;
    let (_, end) = session.output().await;
    assert_eq!(end, End::eof());
    // It gets SIGHUP: it isn't left alone until it is killed.
    settled(&cx).await;
    assert!(!lives(pid));
}

#[tokio::test]
async fn listening_starts_it_again_after_each_session() {
    let cx = cx();
    let mut accept = bind(&cx, "pty:sh:-c:{echo $$; exec cat}").await;
    let mut pids = Vec::new();
    for _ in 0..2 {
        let mut conn = accepted(timeout(LONG, offer(&mut *accept)).await.unwrap()).await;
        let guard = std::mem::take(&mut conn.guard);
        pids.push(Session::of(conn).pid().await);
        drop(guard);
    }
    assert_ne!(pids[0], pids[1]);
}

#[tokio::test]
async fn a_runtime_that_ends_leaves_nothing() {
    let ending = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let script = sh("trap '' HUP; echo $$; while :; do sleep 1000; done");
            Session::start(&cx(), &script).await.pid().await
        })
    };
    let pid = std::thread::spawn(ending).join().unwrap();
    until(|| !lives(pid)).await;
}

/// The kernel's SIGHUP comes with the last descriptor of the terminal, which is the session's.
#[tokio::test]
async fn a_hangup_is_not_delayed() {
    let cx = cx();
    let dir = tempfile::tempdir().unwrap();
    let heard = dir.path().join("heard");
    let script = format!(
        "trap 'echo > {}; exit' HUP; echo $$; while :; do sleep 0.01; done",
        heard.display()
    );
    let mut session = Session::start(&cx, &sh(&script)).await;
    session.pid().await;
    let began = Instant::now();
    drop(session);
    until(|| heard.exists()).await;
    let took = began.elapsed();
    settled(&cx).await;
    // A tenth of the grace period, and a hundred times what it takes.
    assert!(took < Duration::from_secs(1), "{took:?}");
}
