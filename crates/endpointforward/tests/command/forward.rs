//! Forwarding: the addresses that it prints as listening, and its exit.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

use super::run::{command, feed, run};

/// A forwarder that listens.
struct Running {
    child: Child,
    log: Option<Lines<BufReader<ChildStderr>>>,
    port: u16,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        Self::with_env(args, &[])
    }

    fn with_env(args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = command()
            .args(args)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = log.next().unwrap().unwrap();
        let (_, at) = line.split_once("listening on tcp:127.0.0.1:").unwrap();
        let digits: String = at.chars().take_while(char::is_ascii_digit).collect();
        Self { child, log: Some(log), port: digits.parse().unwrap() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// The next line of its log with that in it.
    fn wait_for(&mut self, words: &str) -> String {
        let log = self.log.as_mut().unwrap();
        log.map(Result::unwrap).find(|line| line.contains(words)).unwrap()
    }

    /// Returns the number of its session threads besides the first one, once there are as
    /// many as that: a thread has its name only when it runs.
    fn workers(&self, expected: usize) -> usize {
        let start = Instant::now();
        loop {
            let workers = self.named_workers();
            // A new thread has the name of the one that started it until it sets its own.
            if workers == expected || start.elapsed() > PATIENCE {
                return workers;
            }
            std::thread::yield_now();
        }
    }

    fn named_workers(&self) -> usize {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let names = threads.map(|thread| {
            std::fs::read_to_string(thread.unwrap().path().join("comm")).unwrap_or_default()
        });
        names.filter(|name| name.trim_end() == "worker").count()
    }

    /// Its exit status; its whole log.
    fn end(mut self) -> (Option<i32>, String) {
        let rest = self.log.take().into_iter().flatten().map(|line| line.unwrap() + "\n").collect();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), None);
        (status.code(), rest)
    }
}

impl Drop for Running {
    /// A test that fails leaves no process behind; one that has ended is not there any more.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(mut stream: &TcpStream, question: &[u8]) -> Vec<u8> {
    stream.write_all(question).unwrap();
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn it_listens_forwards_and_stops() {
    let forwarder = Running::start(&["-e", "0", "-d", "echo"]);
    let client = forwarder.connect();
    assert_eq!(ask(&client, b"hello"), b"hello");
    drop(client);
    forwarder.signal(Signal::TERM);
    let (status, log) = forwarder.end();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("stopping (SIGTERM)") && log.contains("5 bytes sent"), "{log}");
}

#[test]
fn a_record_is_one_whole_line_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("long-folder-name-".repeat(4));
    std::fs::create_dir(&deep).unwrap();
    let missing = format!("unix:{}/none.sock", deep.display());
    let program = format!("process:sh:-c:{{exec cat; : {}}}", "word ".repeat(40).trim_end());
    let path =
        format!("tee:{{process:cat}}:{{file:{}/copy:access=append:create=600}}", deep.display());
    for (destination, words) in
        [(&missing, "cannot connect"), (&program, " open id="), (&path, " open id=")]
    {
        for more in [&[][..], &["-v"], &["--log-format", "json"]] {
            let args = [&["-e", "0", "-d", destination, "--grace", "0.1"], more].concat();
            let mut forwarder = Running::start(&args);
            let client = forwarder.connect();
            let _ = (&client).write_all(b"hello");
            let words =
                if more.len() == 2 { words.split("id=").next().unwrap().trim() } else { words };
            let line = forwarder.wait_for(words);
            drop(client);
            forwarder.signal(Signal::TERM);
            let (_, rest) = forwarder.end();
            let whole = destination.replace(['{', '}'], "");
            let shown = line.replace(['{', '}'], "");
            assert!(shown.contains(&whole), "{line}");
            // Nobody folds what a log collector reads.
            assert!(!rest.lines().any(|line| line.starts_with(' ')), "{rest}");
        }
    }
}

/// Signals, children and standard streams are the runtime's, of whichever sort it is.
#[test]
fn it_is_the_same_whatever_the_threads() {
    for (threads, workers) in [("1", 0), ("2", 2), ("5", 5)] {
        for (destination, answer) in
            [("echo", &b"hello\n"[..]), ("process:cat", b"hello\n"), ("pty:cat", b"hello\r\n")]
        {
            let forwarder = Running::start(&["-e", "0", "-d", destination, "--threads", threads]);
            let mut client = forwarder.connect();
            client.write_all(b"hello\n").unwrap();
            let mut heard = vec![0; answer.len()];
            client.read_exact(&mut heard).unwrap();
            assert_eq!(heard, answer, "{destination} with --threads {threads}");
            assert_eq!(forwarder.workers(workers), workers, "--threads {threads}");
            client.shutdown(std::net::Shutdown::Both).unwrap();
            drop(client);
            forwarder.signal(Signal::TERM);
            let (status, log) = forwarder.end();
            assert_eq!(status, Some(0), "{destination} with --threads {threads}: {log}");
        }
    }
}

#[test]
fn where_it_listens_is_said_whatever_the_log_shows() {
    Running::with_env(&["-e", "0", "-d", "echo"], &[("RUST_LOG", "error")]).child.kill().unwrap();
    Running::with_env(&["-e", "0", "-d", "echo"], &[("RUST_LOG", "off")]).child.kill().unwrap();
    let mut json = Running::start(&["-e", "0", "-d", "echo", "--log-format", "json"]);
    json.child.kill().unwrap();
}

#[test]
fn json_log_lines_are_json() {
    let forwarder = Running::start(&["-e", "0", "-d", "echo", "--log-format", "json"]);
    assert_eq!(ask(&forwarder.connect(), b"x"), b"x");
    forwarder.signal(Signal::INT);
    let (status, log) = forwarder.end();
    assert_eq!(status, Some(0));
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(log.contains(r#""destination":"echo""#), "{log}");
}

#[test]
fn a_session_has_the_grace_and_a_second_signal_ends_it_at_once() {
    let forwarder = Running::start(&["-e", "0", "-d", "echo", "--grace", "5m"]);
    let client = forwarder.connect();
    assert_eq!(ask(&client, b"before"), b"before");
    forwarder.signal(Signal::INT);
    // It no longer listens, and the session lives on.
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, forwarder.port)).is_ok() {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(ask(&client, b"after"), b"after");
    let began = Instant::now();
    forwarder.signal(Signal::INT);
    let (status, log) = forwarder.end();
    assert_eq!(status, Some(0), "{log}");
    assert!(began.elapsed() < Duration::from_secs(4), "{log}");
}

#[test]
fn a_log_that_nobody_reads_ends_nothing() {
    let mut forwarder = Running::start(&["-e", "0", "-d", "echo", "-v"]);
    forwarder.log = None;
    for _ in 0..3 {
        assert_eq!(ask(&forwarder.connect(), b"hello"), b"hello");
    }
    forwarder.signal(Signal::TERM);
    assert_eq!(forwarder.end().0, Some(0));
}

#[test]
fn once_serves_one_session() {
    let forwarder = Running::start(&["-e", "0", "-d", "echo", "--once"]);
    assert_eq!(ask(&forwarder.connect(), b"x"), b"x");
    assert_eq!(forwarder.end().0, Some(0));
}

#[test]
fn a_busy_port_is_one_message_and_69() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let ran = run(&["-e", "0", "-e", &port, "-d", "echo"]);
    assert_eq!((ran.status, &*ran.stdout), (69, ""), "{ran}");
    let first =
        format!("error: cannot bind tcp:{port}:interface=127.0.0.1: address already in use\n");
    assert!(ran.stderr.starts_with(&first) && ran.stderr.contains("  = help: "), "{ran}");
    assert!(!ran.stderr.contains("listening on"), "{ran}");
    let json = run(&["-e", &port, "-d", "echo", "--log-format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!((json.status, &line["level"]), (69, &"ERROR".into()));
}

#[test]
fn what_cannot_be_opened_is_69() {
    for endpoint in ["tcp:0:interface=192.0.2.1", "unix:/nonexistent/x", "process:nosuch"] {
        let ran = run(&["-e", endpoint, "-d", "echo"]);
        assert_eq!(ran.status, 69, "{ran}");
        let errors = ran.stderr.lines().filter(|line| line.starts_with("error: cannot ")).count();
        assert_eq!(errors, 1, "{ran}");
        // The place of what isn't there.
        assert_eq!(ran.stderr.starts_with("in --endpoint:\n"), !endpoint.contains("tcp"), "{ran}");
        assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("backtrace"), "{ran}");
    }
}

#[test]
fn standard_input_is_forwarded_and_its_end_ends_us() {
    let ran = feed(&["-e", "stdio", "-d", "process:sort"], "b\na\n");
    assert_eq!((ran.status, &*ran.stdout), (0, "a\nb\n"), "{ran}");
    let ran = feed(&["-q", "-e", "stdio", "-d", "tcp:127.0.0.1:1"], "x");
    assert_eq!((ran.status, &*ran.stdout), (69, ""), "{ran}");
    assert!(ran.stderr.contains("cannot connect tcp:127.0.0.1:1"), "{ran}");
}

/// A program that listens is started at once.
#[test]
fn nohup_is_obeyed_whatever_is_started() {
    for endpoint in ["tcp:0:interface=127.0.0.1", "process:cat", "pty:cat"] {
        let mut child = Command::new("sh")
            .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
            .args([command().get_program(), "-e".as_ref(), endpoint.as_ref()])
            .args(["-e", "mem:a", "-d", "echo"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut running = Running { child, log: Some(log), port: 0 };
        running.wait_for("listening on");
        running.signal(Signal::HUP);
        running.signal(Signal::TERM);
        let stopping = running.wait_for("stopping");
        assert!(stopping.contains("SIGTERM"), "{endpoint}: {stopping}");
        // Its session isn't waited for.
        running.signal(Signal::TERM);
        let (status, rest) = running.end();
        assert_eq!(status, Some(0), "{endpoint}: {rest}");
        assert!(!rest.contains("SIGHUP"), "{endpoint}: {rest}");
    }
}

/// Under `nohup`, or in the background of a script, signals are ignored, which programs would inherit.
#[test]
fn programs_hear_signals_though_we_ignore_them() {
    for kind in ["pty", "process"] {
        let mut shell = Command::new("sh");
        let ran = shell
            .args(["-c", "trap '' HUP INT QUIT TERM TSTP; exec \"$0\" \"$@\""])
            .args([command().get_program(), "-q".as_ref(), "-e".as_ref(), "stdio".as_ref()])
            .args(["-d", &format!("{kind}:grep:SigIgn:/proc/self/status")])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let mask = u64::from_str_radix(said.trim().strip_prefix("SigIgn:\t").unwrap(), 16).unwrap();
        let ignored = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::TSTP]
            .map(|signal| mask >> (signal.as_raw() - 1) & 1);
        assert_eq!(ignored, [0; 5], "{kind}: {said}");
    }
}

#[test]
fn a_failure_later_is_74() {
    let ran = run(&["-e", "stdio", "-d", "mock:{r hello|err}"]);
    assert_eq!((ran.status, &*ran.stdout), (74, "hello"), "{ran}");
}

#[test]
fn a_blocked_standard_input_does_not_keep_it() {
    let mut child = command()
        .args(["-q", "-e", "stdio", "-d", "process:true", "--linger", "100ms"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let held: Option<ChildStdin> = child.stdin.take();
    let began = Instant::now();
    assert!(child.wait().unwrap().success());
    assert!(began.elapsed() < PATIENCE);
    drop(held);
}

const PATIENCE: Duration = Duration::from_secs(15);
