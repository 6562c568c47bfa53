//! Devices that are in use, missing, unusable or unplugged.

use super::*;

#[tokio::test]
async fn a_device_that_is_in_use_is_busy() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let first = open(&cx, &pair.descriptor("a", "")).await;
    for more in ["", ":exclusive=false"] {
        let error = failure(try_connect(&cx, &pair.descriptor("a", more)).await);
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        let text = shown(&error).replace(pair.dir.path().to_str().unwrap(), "DIR");
        // socat has both ends open itself.
        let text = text.replace(&format!(" and `socat` (process {})", pair.socat.id()), "");
        let told = "DIR/a is in use by another session of this program\nend that program, or share the device with `exclusive=false` if that program shares it too";
        assert_eq!(text, format!("cannot open serial:DIR/a{more}: {told}"));
    }
    // A refused one takes nothing away from who has it.
    let error = failure(try_connect(&cx, &pair.descriptor("a", "")).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    drop(first);
    assert!(cx.settled(LONG).await);
    open(&cx, &pair.descriptor("a", "")).await;
}

#[tokio::test]
async fn who_uses_it_is_named() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let path = pair.path("a");
    // As picocom does it; `flock` holds the lock while the command that it starts runs.
    let mut user = Command::new("flock")
        .arg(&path)
        .args(["sh", "-c", "echo; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(user.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    let error = failure(try_connect(&cx, &pair.descriptor("a", "")).await);
    let name = format!("`flock` (process {})", user.id());
    drop(user.stdin.take());
    user.wait().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains(&name), "{error}");
    open(&cx, &pair.descriptor("a", "")).await;
}

#[tokio::test]
async fn those_that_share_it_may_all_have_it() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut first = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let _second = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    first.write_all(b"x").await.unwrap();
    assert_eq!(timeout(LONG, far.read_u8()).await.unwrap().unwrap(), b'x');
    let error = failure(try_connect(&cx, &pair.descriptor("a", "")).await);
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
}

#[tokio::test]
async fn a_missing_device_is_never_made() {
    let (cx, dir) = (Context::new(), tempfile::tempdir().unwrap());
    let path = dir.path().join("ttyNONE");
    let error = failure(try_connect(&cx, &format!("serial:{}", path.display())).await);
    assert!(!path.exists());
    assert_eq!(error.kind(), ErrorKind::NotFound);
    insta::assert_snapshot!(shown(&error).replace(dir.path().to_str().unwrap(), "DIR"), @r"
    cannot open serial:DIR/ttyNONE: no such file or directory
    plug it in; `ls -l /dev/serial/by-id` lists USB adapters
    ");
}

#[tokio::test]
async fn what_is_no_serial_device_is_said_to_be_none() {
    let (cx, dir) = (Context::new(), tempfile::tempdir().unwrap());
    let file = dir.path().join("file");
    fs::write(&file, "untouched").unwrap();
    let fifo = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut texts = String::new();
    for path in [file.to_str().unwrap(), fifo.to_str().unwrap(), "/", "/dev/null"] {
        let error = failure(try_connect(&cx, &format!("serial:{path}")).await);
        texts += &error.to_string().replace(dir.path().to_str().unwrap(), "DIR");
        texts += "\n";
        assert!(error.hint().unwrap().contains("/dev/ttyUSB0"));
    }
    insta::assert_snapshot!(texts, @r"
    cannot open serial:DIR/file: DIR/file is a file, not a serial device
    cannot open serial:DIR/fifo: DIR/fifo is a pipe, not a serial device
    cannot open serial:/: / is a directory, not a serial device
    cannot open serial:/dev/null: /dev/null is a device, but not a serial port
    ");
    assert_eq!(fs::read_to_string(file).unwrap(), "untouched");
}

#[tokio::test]
async fn a_device_that_may_not_be_used_is_explained() {
    if rustix::process::geteuid().is_root() {
        // Everything is permitted; the words are tried all the same, where others run this.
        return;
    }
    let error = failure(try_connect(&Context::new(), "serial:/dev/tty0").await);
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.hint().unwrap().contains("dialout"));
}

#[tokio::test]
async fn a_device_that_is_unplugged_is_said_to_be_gone() {
    let (cx, mut pair) = (Context::new(), Pair::new().await);
    let mut near = open(&cx, &pair.descriptor("a", "")).await;
    let reading = async { near.read(&mut [0; 8]).await };
    let unplugging = async { pair.unplug() };
    let (read, ()) = timeout(LONG, async { tokio::join!(reading, unplugging) }).await.unwrap();
    let gone = format!("{} was unplugged", pair.path("a").display());
    assert_eq!(read.unwrap_err().to_string(), gone);
    let error = timeout(LONG, near.write_all(b"x")).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), gone);
    // Saying the end to one that has gone is nothing to fail at.
    timeout(LONG, near.shutdown()).await.unwrap().unwrap();
    drop(near);
    assert!(cx.settled(LONG).await);
}

#[tokio::test]
async fn listening_opens_it_again_after_each_session() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    let mut accept = bind(&cx, &pair.descriptor("a", "")).await;
    for byte in *b"12" {
        let near = timeout(LONG, offer(&mut *accept)).await.unwrap();
        let mut near = accepted(near).await.into_io();
        far.write_u8(byte).await.unwrap();
        assert_eq!(timeout(LONG, near.read_u8()).await.unwrap().unwrap(), byte);
    }
}

#[tokio::test]
async fn listening_to_a_missing_device_fails_at_the_start() {
    let error = failure(common::try_bind(&Context::new(), "serial:/dev/ttyNONE").await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
