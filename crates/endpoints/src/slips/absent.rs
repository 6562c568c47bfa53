//! Words of socat and websocat that no kind stands for, and what comes nearest.

use plan::kind::Role;

use super::line::{Found, Line};

/// A word, its meaning in the other program, and the text to type here.
struct Absent {
    names: &'static [&'static str],
    tool: &'static str,
    here: fn(&str, Role) -> Option<Line>,
    note: &'static str,
}

/// Finds such a word at the beginning.
pub(super) fn find(typed: &str, role: Role) -> Option<Found> {
    let end = typed.find([':', ',']).unwrap_or(typed.len());
    let (head, rest) = typed.split_at(end);
    let lower = head.to_ascii_lowercase();
    if let Some(absent) = ABSENT.iter().find(|absent| absent.names.contains(&&*lower)) {
        let line = (absent.here)(rest.strip_prefix(':').unwrap_or(""), role)?;
        let message = format!("`{head}` is {}, not a kind of endpoint", absent.tool);
        return Some(Found::new(0..end, message, line).note(absent.note));
    }
    FAMILIES.contains(&&*lower).then(|| family(typed, head, role))
}

/// An address family that only socat has: it can be the program between.
fn family(typed: &str, head: &str, role: Role) -> Found {
    let message = format!("`{head}` is an address type of socat without a kind here");
    match role {
        Role::Connect => {
            let line = Line::connect(format!("process:socat:-:{{{typed}}}"));
            Found::new(0..head.len(), message, line).note("socat is the program that connects")
        }
        Role::Listen => {
            let note = format!(
                "and start it for each client by `socat {typed},fork EXEC:'endpointforward -e inetd -d …'`"
            );
            Found::new(0..head.len(), message, Line::listen("inetd".to_owned())).note(note)
        }
    }
}

/// Returns the rest, which is beneath, in our words.
fn beneath(rest: &str, role: Role) -> Option<Line> {
    let (side, descriptor) =
        super::translate(rest, role).unwrap_or_else(|| (role, rest.to_owned()));
    (!rest.is_empty()).then_some(Line { side, descriptor })
}

fn over(rest: &str, role: Role, form: impl Fn(&str) -> String) -> Option<Line> {
    let line = beneath(rest, role)?;
    Some(Line { descriptor: form(&line.descriptor), ..line })
}

fn lines(rest: &str, role: Role) -> Option<Line> {
    over(rest, role, |inner| format!("framed:{{{inner}}}:by=lines"))
}

fn lengths(rest: &str, role: Role) -> Option<Line> {
    over(rest, role, |inner| format!("framed:{{{inner}}}:by=length"))
}

fn logged(rest: &str, role: Role) -> Option<Line> {
    over(rest, role, |inner| {
        format!("tee:{{{inner}}}:{{file:/tmp/session.log:access=append:create=600}}")
    })
}

fn fixed(rest: &str, role: Role, descriptor: &str) -> Option<Line> {
    rest.is_empty().then(|| Line { side: role, descriptor: descriptor.to_owned() })
}

const SPECIFIER: &str = "a specifier of websocat";

const ABSENT: &[Absent] = &[
    Absent {
        names: &["broadcast", "reuse", "reuse-raw", "reuse-broadcast"],
        tool: SPECIFIER,
        here: beneath,
        note: "each client has a session of its own, and none is connected with another",
    },
    Absent {
        names: &["foreachmsg", "waitfordata", "exit_on_specific_byte", "once"],
        tool: SPECIFIER,
        here: beneath,
        note: "all messages of a client are one session",
    },
    Absent {
        names: &["lines", "line2msg", "msg2line", "linemode-ascii"],
        tool: SPECIFIER,
        here: lines,
        note: "",
    },
    Absent { names: &["lengthprefixed"], tool: SPECIFIER, here: lengths, note: "" },
    Absent { names: &["log", "clogger", "jsonrpc-log"], tool: SPECIFIER, here: logged, note: "" },
    Absent {
        names: &["inetd-ws", "ws-inetd"],
        tool: SPECIFIER,
        here: |rest, _| fixed(rest, Role::Listen, "ws:{inetd}"),
        note: "",
    },
    Absent {
        names: &["readline", "tty"],
        tool: "the terminal in other programs",
        here: |rest, role| fixed(rest, role, "stdio"),
        note: "",
    },
    Absent {
        names: &["/dev/tty", "/dev/stdin", "/dev/stdout"],
        tool: "a device",
        here: |rest, role| fixed(rest, role, "stdio"),
        note: "",
    },
    Absent {
        names: &["/dev/null"],
        tool: "a device",
        here: |rest, role| fixed(rest, role, "null"),
        note: "",
    },
    Absent {
        names: &["/dev/zero"],
        tool: "a device",
        here: |rest, role| fixed(rest, role, "zero"),
        note: "",
    },
];

/// Address types of socat for which socat is needed.
const FAMILIES: &[&str] = &[
    "vsock",
    "vsock-connect",
    "vsock-listen",
    "vsock-l",
    "tun",
    "interface",
    "ip",
    "ip-sendto",
    "ip-datagram",
    "ip-recvfrom",
    "sctp",
    "sctp-connect",
    "sctp-listen",
    "sctp-l",
    "dccp-connect",
    "dccp-listen",
    "udplite-connect",
    "udplite-listen",
    "posixmq-send",
    "posixmq-receive",
];
