//! Programs that a test has started.

use endpoint::{Conn, Context, End, Transport};
use rustix::process::Pid;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::LONG;

/// All that it writes, and its end.
pub(crate) async fn output(conn: Conn) -> (String, End) {
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a program carries bytes") };
    let mut text = String::new();
    timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    (text, stream.end())
}

/// The number that a program printed first.
pub(crate) async fn pid(stream: &mut (impl AsyncReadExt + Unpin)) -> Pid {
    let mut line = String::new();
    while !line.ends_with('\n') {
        line.push(char::from(timeout(LONG, stream.read_u8()).await.unwrap().unwrap()));
    }
    Pid::from_raw(line.trim().parse().unwrap()).unwrap()
}

/// The state and the group of a process, from `proc_pid_stat(5)`.
pub(crate) fn stat(pid: &str) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, parentheses too.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(1)?.parse().ok()?))
}

/// Returns `true` if a process runs; one that only waits to be reaped doesn't.
pub(crate) fn lives(pid: Pid) -> bool {
    stat(&pid.as_raw_nonzero().to_string()).is_some_and(|(state, _)| state != 'Z')
}

/// Everything that the sessions of `cx` started has come to its end.
pub(crate) async fn settled(cx: &Context) {
    assert!(cx.settled(LONG).await, "something is still working");
}
