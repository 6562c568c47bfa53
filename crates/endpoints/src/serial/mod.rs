//! `serial:PATH:BAUD`: a serial line.
//!
//! 1. [`open`] opens the device: never creating a file, alone if it may, raw and with its queues emptied.
//! 2. [`line`] is its settings, as termios has them.
//! 3. [`stream`] is the session's end: bytes, and line settings, [`modem`] lines, [`breaks`], purges and queries.
//! 4. [`closing`] lets what was written go out before the device is closed.
//!
//! Opening raises DTR and RTS and closing lowers them, because the system does so (HUPCL); a board that resets on DTR
//! resets when a session begins. A listener keeps the device open while its destination is down. The settings stay when
//! the session ends, as with pyserial and socat: the next program that opens the device sets its own, and restoring the
//! speed would garble what is still being sent.

mod breaks;
mod closing;
mod holder;
mod line;
mod modem;
mod open;
mod stream;

use std::os::unix::fs::FileTypeExt as _;

use async_trait::async_trait;
use descriptor::Code;
use endpoint::control::{LineSettings, StopBits};
use endpoint::{Conn, Connector, Context, Control, Grants, Info, Missing, Result, Signal, Times};
use plan::kind::{
    Args, Example, Framings, Kind, Param, PlanConnect, Planned, Role, Side, ValueKind,
};

use self::stream::Line;
use crate::frames::{FRAMING, framed};
use crate::slips::foreign_options;

/// Serial lines.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::serial),
    listen: Some(Side::opened(Times::Again)),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "serial:/dev/ttyUSB0:baud=115200",
            about: "Opens a USB adapter at 115200 baud, 8N1.",
        },
        Example {
            role: Role::Connect,
            descriptor: "serial:/dev/ttyS0:9600:bytesize=7:parity=E:stopbits=1:rtscts=true",
            about: "Opens an instrument with 7E1 and hardware flow control.",
        },
        Example {
            role: Role::Connect,
            descriptor: "serial:/dev/ttyUSB0:4800:framing=lines",
            about: "Reads a GPS receiver; each NMEA sentence is a message.",
        },
        Example {
            role: Role::Listen,
            descriptor: "serial:/dev/ttyACM0:exclusive=false",
            about: "Uses the device as the listener, and lets other programs open it too.",
        },
        Example {
            role: Role::Listen,
            descriptor: "serial:/dev/ttyUSB0:9600",
            about: "Connects a device to the destination. The device stays open while the destination is down: its \
                data waits in the system's buffer (4 kB), and data that exceeds the buffer is lost.",
        },
    ],
    see_also: &["pty"],
    ..Kind::new("serial", "A serial port")
};

const PARAMS: &[Param] = &[
    Param::new(
        "path",
        ValueKind::Text,
        "The device, such as `/dev/ttyUSB0`, or a name in `/dev/serial/by-id`, which stays the same in another USB \
         port. Opening the device raises DTR and RTS; closing it lowers them. A destination is open during a session \
         only: data that arrives between two sessions is lost.",
    )
    .positional()
    .required()
    .no_holes(&NO_HOLES),
    Param::new(
        "baud",
        ValueKind::Int(1, u32::MAX as u64),
        "The baud rate, in bits per second: any rate that the device's driver supports.",
    )
    .positional()
    .aliases(&["baudrate"])
    .default("9600"),
    Param::new(
        "bytesize",
        ValueKind::Int(5, 8),
        "The data bits of a character; ASCII text needs 7.",
    )
    .default("8"),
    Param::new(
        "parity",
        ValueKind::Choice(&["N", "E", "O", "M", "S"]),
        "The parity bit: none, even, odd, always 1 (mark) or always 0 (space).",
    )
    .default("N"),
    Param::new(
        "stopbits",
        ValueKind::Choice(&["1", "1.5", "2"]),
        "The stop bits after each character. With 1.5, UARTs send 1.5 stop bits after 5 data bits, and 2 after more.",
    )
    .default("1"),
    Param::new(
        "xonxoff",
        ValueKind::Bool,
        "Use software flow control: Ctrl-S and Ctrl-Q stop and start the other side and aren't passed on as data.",
    )
    .default("false"),
    Param::new("rtscts", ValueKind::Bool, "Use hardware flow control, with the lines RTS and CTS.")
        .default("false"),
    Param::new(
        "exclusive",
        ValueKind::Bool,
        "Lock the device against other programs (TIOCEXCL and flock). If another program has locked it, the device \
         is busy.",
    )
    .default("true"),
    FRAMING,
];

const NO_HOLES: &str = "a client can't choose a device";

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let path = args.text("path").unwrap_or_default();
    if path.is_empty() || path.contains('\0') {
        return Err(vec![args.mistake(
            "path",
            Code::BadValue,
            "`path` is not the name of a device",
        )]);
    }
    foreign_options(args, "path");
    if crate::slips::has_rate(path) {
        return Err(vec![args.mistake(
            "path",
            Code::BadValue,
            "the rate is a parameter of its own",
        )]);
    }
    let small = |name| args.int(name).and_then(|number| u8::try_from(number).ok());
    let mut settings = LineSettings::default();
    settings.baud = args.int("baud").and_then(|baud| u32::try_from(baud).ok());
    settings.data_bits = small("bytesize");
    settings.parity = args.text("parity").and_then(|parity| parity.chars().next());
    settings.stop_bits = Some(match args.text("stopbits") {
        Some("2") => StopBits::Two,
        Some("1.5") => StopBits::OneAndHalf,
        _ => StopBits::One,
    });
    settings.xonxoff = Some(args.flag("xonxoff"));
    settings.rtscts = Some(args.flag("rtscts"));
    Ok(Box::new(Device {
        descriptor: args.descriptor.clone(),
        path: path.to_owned(),
        settings,
        exclusive: args.flag("exclusive"),
        framing: args.framing("framing")?,
    }))
}

/// A device to be opened.
#[derive(Debug)]
struct Device {
    descriptor: String,
    path: String,
    settings: LineSettings,
    exclusive: bool,
    framing: Option<Framings>,
}

#[async_trait]
impl Connector for Device {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let opened = self.open().await?;
        let (control, outgoing, incoming) = Control::pair();
        if let Some(name) = std::path::Path::new(&self.path).file_name() {
            // The receiver may be gone.
            let _ = outgoing.send(Signal::Title(name.to_string_lossy().into_owned()));
        }
        let line = Line::new(opened, self.path.clone(), outgoing, incoming, cx.working());
        let mut conn = Conn::bytes(line, Info::new());
        conn.control = control;
        Ok(framed(conn, self.framing.as_ref(), info))
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        let message = match std::path::Path::new(&self.path).metadata() {
            Ok(found) if found.file_type().is_char_device() => return Vec::new(),
            Ok(_) => format!("{} is not a device", self.path),
            Err(_) => format!("there is no device {}", self.path),
        };
        vec![Missing::of("path", message)]
    }

    fn grants(&self) -> Grants {
        Grants::Device
    }
}
