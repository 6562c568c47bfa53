//! Programs, devices, files and folders that are not there.

use insta::assert_snapshot;

use super::run::{run, transcript};

#[test]
fn check_opens_nothing_and_says_what_it_has_seen() {
    // This address and this path can't be bound, and this program doesn't exist.
    let ran = run(&[
        "-e",
        "tcp:1:interface=192.0.2.1",
        "-e",
        "unix:/nonexistent/x",
        "-d",
        "process:nosuch",
        "--check",
    ]);
    assert_eq!((ran.status, &*ran.stdout), (64, ""), "{ran}");
    assert_snapshot!(transcript(&[
        &[
            "-e",
            "tcp:1:interface=192.0.2.1",
            "-e",
            "unix:/nonexistent/x",
            "-d",
            "tcp:nosuch.invalid:1",
            "--check"
        ],
        &["-e", "tcp:9000", "-d", "process:sh", "--check"],
        &["-e", "tcp:9000:auth=none", "-d", "process:sh", "--check"],
        &["-e", "9000", "-d", "process:sh", "--check"],
        &["-e", "9000", "--dest_endpoint", "echo", "--check", "--syntax", "twisted"],
        &["-e", r"autobahn:tcp\:9000:url=ws\:// localhost\:9000", "-d", "echo", "--check"],
    ]));
}

/// Command lines typed by users of other programs.
/// A warning only, since the program may exist when the session starts; the session's refusal repeats it.
#[test]
fn what_is_not_there_is_a_warning() {
    assert_snapshot!(transcript(&[
        &["-e", "9000", "-d", "process:no-such-program", "--check"],
        &["-e", "9000", "-d", "pty:/etc/passwd", "--check"],
        &["-e", "9000", "-d", "process:/no/such/program", "--check"],
        &["-e", "9000", "-d", "process:/etc", "--check"],
        &["-e", "9000", "-d", "process:sh:cwd=/no/such/folder", "--check"],
        &["-e", "9000", "-d", "serial:/dev/no-such-device", "--check"],
        &["-e", "unix:/etc/passwd", "-d", "echo", "--check"],
        &["-e", "unix:/no/such/folder/x.sock", "-d", "echo", "--check"],
        &["-e", "9000", "-d", "unix:/etc/passwd", "--check"],
        &["-e", "9000", "-d", "file:/etc", "--check"],
        &["-e", "9000", "-d", "file:/no/such/file", "--check"],
        &["-e", "9000", "-d", "file:/no/such/folder/x:access=append:create=600", "--check"],
        &["-e", "9000", "-d", "serial:/etc/passwd", "--check"],
        &["-e", "fifo:/etc/passwd", "-d", "echo", "--check"],
        &["-e", "ws:9000:cert=/no/such/cert.pem", "-d", "echo", "--check"],
        &["-e", "ws:9000:page=/no/such/folder", "-d", "process:sh", "--check"],
        &["-e", "ws:9000:auth={htpasswd:/no/such/users}", "-d", "echo", "--check"],
        &["-e", "9000", "-d", "tls:{tcp:h:443}:cert=/no/c.pem:key=/no/k.pem", "--check"],
        &["-e", "9000", "-d", "{wss://h/}:ca=/no/such/ca.pem", "--check"],
        &[
            "-e",
            "9000",
            "-d",
            "socks5:{tcp:p:1080}:host=h:port=22:user=a:password-file=/no/pw",
            "--check"
        ],
        &[
            "-e",
            "9000",
            "-d",
            "http-connect:{tcp:p:80}:host=h:port=22:user=a:password-file=/no/pw",
            "--check"
        ],
        &["-e", "9000", "-d", "ssh:{tcp:h:22}:host=t:port=1:key=/no/key", "--check"],
        &["-e", "9000", "-d", "ssh:{tcp:h:22}:host=t:port=1:known-hosts=/no/hosts", "--check"],
        &["-e", "9000", "-d", "route:redis={tcp:r:1}:password-file=/no/pw", "--check"],
        &["-e", "9000", "-d", "balance:{process:cat}:{process:no-such-program}", "--check"],
        &["version"],
    ]));
}

#[test]
fn everything_that_is_not_there_is_named_at_its_own_place() {
    assert_snapshot!(transcript(&[
        // The same file twice, and one in a value with parameters.
        &[
            "-e",
            "ws:{tls:{unix:/no/folder/x}:cert=/no/c.pem:key=/no/c.pem}:page=/no/page:auth={{htpasswd:/no/users},{bearer:/no/users}}",
            "-d",
            "echo",
            "--check",
        ],
        &["-e", "9000", "-d", "tee:{file:/no/same}:{file:/no/same}", "--check"],
        &["-e", "9000", "-d", "fallback:{file:/no/one}:{file:/no/two}", "--check"],
        &["-e", "9000", "-d", "fallback:{file:/no/one}:{tcp:h:80}", "--check"],
        &["-e", "9000", "-d", "balance:{file:/no/one}:{file:/no/two}", "--check"],
        &["-e", "9000", "-d", "retry:{framed:{file:/no/one}:lines}", "--check"],
        &["-e", "9000", "-d", "target:{file:/no/tcp}:udp={file:/no/udp}", "--check"],
        &[
            "-e",
            "9000",
            "-d",
            "ssh:{tls:{tcp:h:443}:ca=/no/ca}:host=t:port=1:key=/no/key:known-hosts=/no/hosts:password-file=/no/pw",
            "--check",
        ],
        &["-e", "9000", "-d", "route:exec=/no/program", "--check"],
        &[
            "-e",
            "9000",
            "-d",
            "route:http={http://h/}:over={unix:/etc/passwd}:bearer-file=/no/b",
            "--check"
        ],
        &["-e", "9000", "-d", "route:jwt=/no/keys", "--check"],
        // A word of the message is a value elsewhere in the text.
        &["-e", "9000", "-d", "process:no:argument:cwd=/no", "--check"],
        &["-e", "9000", "-d", "{wss://h/no}:ca=/no/ca.pem:cert=/no/c.pem", "--check"],
    ]));
}
