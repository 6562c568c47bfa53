//! A device's settings: at the start, changed later, and breaks.

use super::*;

#[tokio::test]
async fn the_device_is_set_as_asked() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let more = ":250000:stopbits=2:xonxoff=true:rtscts=yes:exclusive=false";
    let _open = open(&cx, &pair.descriptor("a", more)).await;
    let termios = pair.termios("a");
    assert_eq!((termios.input_speed(), termios.output_speed()), (250_000, 250_000));
    let control = termios.control_modes;
    assert!(control.contains(ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::CREAD));
    assert!(control.contains(ControlModes::CLOCAL), "carrier detect is not waited for");
    assert!(termios.input_modes.contains(InputModes::IXON | InputModes::IXOFF));
}

#[tokio::test]
async fn the_device_is_raw_and_at_9600_otherwise() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    // A program that had it before left it as a terminal.
    let stty = Command::new("stty").args(["sane", "4800", "-F"]).arg(pair.path("a")).status();
    assert!(stty.unwrap().success());
    let _open = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let termios = pair.termios("a");
    assert_eq!(termios.output_speed(), 9600);
    let (input, local) = (termios.input_modes, termios.local_modes);
    assert!(!input.intersects(InputModes::IXON | InputModes::IXOFF | InputModes::ICRNL));
    assert!(!local.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
    assert!(!termios.output_modes.contains(OutputModes::OPOST));
    assert_eq!(termios.control_modes & ControlModes::CSIZE, ControlModes::CS8);
    assert!(!termios.control_modes.intersects(ControlModes::CSTOPB | ControlModes::CRTSCTS));
}

#[tokio::test]
async fn what_came_in_before_is_forgotten() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let held = pair.file("a");
    pair.file("b").write_all(b"stale").unwrap();
    until(|| rustix::io::ioctl_fionread(&held).unwrap() == 5).await;
    let mut near = open(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    pair.file("b").write_all(b"fresh").unwrap();
    let mut got = [0; 5];
    timeout(LONG, near.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got, b"fresh");
}

#[tokio::test]
async fn settings_change_while_it_is_open_and_what_is_kept_is_said() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut conn = connect(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let mut wanted = LineSettings::default();
    wanted.baud = Some(38_400);
    wanted.parity = Some('E');
    wanted.stop_bits = Some(StopBits::OneAndHalf);
    conn.control.incoming.as_ref().unwrap().send(Signal::Line(wanted)).unwrap();
    let outgoing = conn.control.outgoing.as_mut().unwrap();
    let said = poll_fn(|task| {
        assert!(stream.poll_background(task).is_pending());
        past_title(outgoing, task)
    });
    let Some(Signal::Line(kept)) = timeout(LONG, said).await.unwrap() else {
        panic!("the settings are said")
    };
    assert_eq!(
        (kept.baud, kept.stop_bits, kept.xonxoff),
        (Some(38_400), Some(StopBits::Two), Some(false))
    );
    assert_eq!((kept.parity, kept.data_bits), (Some('N'), Some(8)), "what a pty keeps");
    assert_eq!(pair.termios("a").output_speed(), 38_400);
}

/// The next signal but the device's name, which comes first.
fn past_title(
    from: &mut endpoint::SignalReceiver,
    task: &mut std::task::Context<'_>,
) -> Poll<Option<Signal>> {
    loop {
        match from.poll_recv(task) {
            Poll::Ready(Some(Signal::Title(title))) => assert_eq!(title, "a"),
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_query_is_answered_with_all_settings() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut conn = connect(&cx, &pair.descriptor("a", ":19200:stopbits=2")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let outgoing = conn.control.outgoing.as_mut().unwrap();
    let incoming = conn.control.incoming.as_ref().unwrap();
    let mut next = async |asked: bool| {
        let said = poll_fn(|task| {
            assert!(stream.poll_background(task).is_pending());
            past_title(outgoing, task)
        });
        if !asked {
            return timeout(LONG, said).await.unwrap();
        }
        incoming.send(Signal::Query(Query::Modem)).unwrap();
        incoming.send(Signal::Query(Query::Line)).unwrap();
        timeout(LONG, said).await.unwrap()
    };
    let first = next(false).await;
    let Some(Signal::Line(line)) = &first else { panic!("{first:?}") };
    assert_eq!((line.baud, line.stop_bits), (Some(19_200), Some(StopBits::Two)));
    // A pty has no modem lines to tell of.
    assert_eq!(next(true).await, first);
}

#[tokio::test]
async fn a_purge_throws_away_what_was_received() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let conn = connect(&cx, &pair.descriptor("a", ":exclusive=false")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let incoming = conn.control.incoming.unwrap();
    let other = pair.file("a");
    for (what, left) in [(Purge::Output, 5), (Purge::Input, 0)] {
        if left > 0 {
            pair.file("b").write_all(b"stale").unwrap();
        }
        until(|| rustix::io::ioctl_fionread(&other).unwrap() == 5).await;
        incoming.send(Signal::Purge(what)).unwrap();
        let acted = poll_fn(|task| Poll::Ready(stream.poll_background(task).is_pending()));
        assert!(acted.await);
        assert_eq!(rustix::io::ioctl_fionread(&other).unwrap(), left, "{what:?}");
    }
}

/// Data written while a break is switched on is not held up: the signal that ends the break may come
/// behind.
#[tokio::test]
async fn a_break_that_is_switched_on_holds_nobody_up() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let conn = connect(&cx, &pair.descriptor("a", "")).await;
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let incoming = conn.control.incoming.unwrap();
    let mut wanted = LineSettings::default();
    wanted.baud = Some(1200);
    for signal in [Signal::Break(Break::On), Signal::Line(wanted), Signal::Break(Break::Off)] {
        incoming.send(signal).unwrap();
        let written = poll_fn(|task| {
            assert!(stream.poll_background(task).is_pending());
            Pin::new(&mut stream).poll_write(task, b"x")
        });
        assert_eq!(timeout(LONG, written).await.unwrap().unwrap(), 1);
    }
    let mut got = [0; 3];
    timeout(LONG, far.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(pair.termios("a").output_speed(), 1200);
}

/// A pty sends no break and has no modem lines: the line goes on, and what is written waits.
#[tokio::test]
async fn a_break_takes_its_time_and_holds_no_thread() {
    let (cx, pair) = (Context::new(), Pair::new().await);
    let mut conn = connect(&cx, &pair.descriptor("a", "")).await;
    let mut far = open(&cx, &pair.descriptor("b", "")).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a line carries bytes") };
    let incoming = conn.control.incoming.take().unwrap();
    let mut lines = ModemLines::default();
    lines.dtr = Some(false);
    incoming.send(Signal::Modem(lines)).unwrap();
    incoming.send(Signal::Break(Break::Timed(Duration::from_millis(120)))).unwrap();
    let began = tokio::time::Instant::now();
    let mut turns = 0;
    let written = poll_fn(|task| {
        turns += 1;
        assert!(stream.poll_background(task).is_pending());
        Pin::new(&mut stream).poll_write(task, b"after")
    });
    assert_eq!(timeout(LONG, written).await.unwrap().unwrap(), 5);
    assert!(began.elapsed() >= Duration::from_millis(120), "{:?}", began.elapsed());
    assert!(turns < 20, "it is woken by its timer, not {turns} times");
    let mut got = [0; 5];
    timeout(LONG, far.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(&got, b"after");
}
