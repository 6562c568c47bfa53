//! The framings that ship.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use descriptor::Code;
use framing::{
    Chunks, Cobs, Delimited, Delimiter, Endian, Fixed, Framing, Json, Length, Mqtt, Slip, Text,
    Whole, Width,
};
use percent_encoding::percent_decode_str;
use plan::kind::{Args, FramingKind, Param, Planned, ValueKind};

/// In the order of the manual.
pub(crate) const FRAMINGS: &[&FramingKind] = &[
    &CHUNKS, &LINES, &SEPARATOR, &ZERO, &FIXED, &LENGTH, &DYNAMIC32, &JSON, &SLIP, &COBS, &MQTT,
    &AUTO, &TEXT, &WHOLE,
];

static CHUNKS: FramingKind = FramingKind {
    name: "chunks",
    about: "No framing: each read is a message",
    params: &[],
    plan: |_| Ok(Arc::new(Chunks)),
};

static WHOLE: FramingKind = FramingKind {
    name: "whole",
    about: "Everything until the end of the stream is one message, text if it is UTF-8; messages to send are not \
        delimited",
    params: &[],
    plan: |_| Ok(Arc::new(Whole)),
};

static LINES: FramingKind = FramingKind {
    name: "lines",
    about: "Each line is a text message, or a binary one if it isn't UTF-8; a line end is added to a message that \
        has none",
    params: &[
        Param::new(
            "eol",
            ValueKind::Choice(&["lf", "crlf", "cr", "any"]),
            "The line end: `lf` is LF, with or without a CR before it; `crlf` is CR LF; `cr` is CR; `any` is any of \
             them. It is added to messages that have none; with `any`, LF is added.",
        )
        .default("lf"),
        DELIMITER,
    ],
    plan: |args| {
        let delimiter = match args.text("eol") {
            Some("crlf") => Delimiter::CrLf,
            Some("cr") => Delimiter::Cr,
            Some("any") => Delimiter::AnyLine,
            _ => Delimiter::Lf,
        };
        Ok(Arc::new(Delimited { delimiter, keep: keeps(args, "delimiter") }))
    },
};

static SEPARATOR: FramingKind = FramingKind {
    name: "separator",
    about: "Each message ends with a separator, which is added to a message that has none",
    params: &[
        Param::new(
            "separator",
            ValueKind::Text,
            "The bytes that end a message. Percent-encode bytes that aren't printable: `%0D%0A`.",
        )
        .required(),
        DELIMITER,
    ],
    plan: |args| {
        let bytes: Vec<u8> =
            percent_decode_str(args.text("separator").unwrap_or_default()).collect();
        if bytes.is_empty() {
            let message = "`separator` must not be empty";
            return Err(vec![args.mistake("separator", Code::BadValue, message)]);
        }
        let delimiter = Delimiter::Bytes(Bytes::from(bytes));
        Ok(Arc::new(Delimited { delimiter, keep: keeps(args, "delimiter") }))
    },
};

static ZERO: FramingKind = FramingKind {
    name: "zero",
    about: "Each message ends with a zero byte, as a C string does",
    params: &[DELIMITER],
    plan: |args| {
        let delimiter = Delimiter::Bytes(Bytes::from_static(b"\0"));
        Ok(Arc::new(Delimited { delimiter, keep: keeps(args, "delimiter") }))
    },
};

static FIXED: FramingKind = FramingKind {
    name: "fixed",
    about: "All messages have the same length; a message to send has that length or a multiple of it",
    params: &[
        Param::new("fixed", ValueKind::Size, "The length of each message, in bytes.").required()
    ],
    plan: |args| {
        let size = args.int("fixed").and_then(|size| usize::try_from(size).ok());
        match size.and_then(NonZeroUsize::new).filter(|size| size.get() <= LARGEST) {
            Some(size) => Ok(Arc::new(Fixed(size))),
            None => {
                let message = "`fixed` must be from 1 byte to 1 GiB";
                Err(vec![args.mistake("fixed", Code::BadValue, message)])
            }
        }
    },
};

static LENGTH: FramingKind = FramingKind {
    name: "length",
    about: "Each message is preceded by its length",
    params: &[
        Param::new("width", ValueKind::Choice(&["1", "2", "4", "8"]), "The size of the length field, in bytes.")
            .default("4"),
        Param::new(
            "endian",
            ValueKind::Choice(&["big", "little"]),
            "The byte order of the length field.",
        )
        .default("big"),
        OFFSET,
        CONSTANT,
        Param::new(
            "header",
            ValueKind::Choice(&["strip", "keep"]),
            "`strip` removes the header from received messages and adds it to sent ones. `keep` passes it on, and \
             messages to send have to contain it.",
        )
        .default("strip"),
    ],
    plan: |args| {
        let width = match args.text("width") {
            Some("1") => Width::W1,
            Some("2") => Width::W2,
            Some("8") => Width::W8,
            _ => Width::W4,
        };
        length(args, width, keeps(args, "header"))
    },
};

static DYNAMIC32: FramingKind = FramingKind {
    name: "dynamic32",
    about: "As in websocksy: each message begins with a length of four bytes, which stays part of it",
    params: &[
        OFFSET,
        CONSTANT,
        Param::new(
            "endian",
            ValueKind::Choice(&["big", "little"]),
            "The byte order of the length field.",
        )
        .default("little"),
    ],
    plan: |args| length(args, Width::W4, true),
};

static JSON: FramingKind = FramingKind {
    name: "json",
    about: "Each JSON value is a text message; a line feed is added to a message that has none",
    params: &[],
    plan: |_| Ok(Arc::new(Json)),
};

static SLIP: FramingKind = FramingKind {
    name: "slip",
    about: "SLIP (RFC 1055), as used by OSC over serial lines and TCP; an invalid packet is dropped",
    params: &[],
    plan: |_| Ok(Arc::new(Slip)),
};

static COBS: FramingKind = FramingKind {
    name: "cobs",
    about: "Consistent overhead byte stuffing, with a zero byte after each packet; an invalid packet is dropped",
    params: &[],
    plan: |_| Ok(Arc::new(Cobs)),
};

static MQTT: FramingKind = FramingKind {
    name: "mqtt",
    about: "Each MQTT control packet is a message, header included",
    params: &[],
    plan: |_| Ok(Arc::new(Mqtt)),
};

static AUTO: FramingKind = FramingKind {
    name: "auto",
    about: "Each read is a text message, or a binary one if it isn't UTF-8; an incomplete character at its end waits \
        for the rest",
    params: &[],
    plan: |_| Ok(Arc::new(Text { falls_back: true })),
};

static TEXT: FramingKind = FramingKind {
    name: "text",
    about: "Each read is a text message; an incomplete character at its end waits for the rest; other data is an \
        error",
    params: &[],
    plan: |_| Ok(Arc::new(Text { falls_back: false })),
};

const DELIMITER: Param = Param::new(
    "delimiter",
    ValueKind::Choice(&["strip", "keep"]),
    "Remove the delimiter from a received message (`strip`), or pass it on (`keep`).",
)
.default("strip");

const OFFSET: Param = Param::new(
    "offset",
    ValueKind::Int(0, 1024),
    "The bytes of the header before the length field. They are lost unless the header is kept.",
)
.default("0");

const CONSTANT: Param = Param::new(
    "constant",
    ValueKind::Text,
    "A number added to the length field's value to get the number of bytes that follow it. Use a negative number, \
     such as `-4`, if the value includes the header.",
)
.aliases(&["static"])
.default("0");

fn keeps(args: &Args, name: &str) -> bool {
    args.text(name) == Some("keep")
}

fn length(args: &Args, width: Width, keep: bool) -> Planned<Arc<dyn Framing>> {
    let offset = args.int("offset").and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0);
    if offset > 0 && !keep {
        let message =
            "`offset` needs `header=keep`: otherwise the bytes before the length are lost";
        return Err(vec![args.mistake("offset", Code::BadValue, message)]);
    }
    let constant = args.text("constant").unwrap_or_default();
    let Ok(constant) = constant.parse::<i64>() else {
        let message = "`constant` must be a whole number, such as 2 or -4";
        return Err(vec![args.mistake("constant", Code::BadValue, message)]);
    };
    let endian = if args.text("endian") == Some("little") { Endian::Little } else { Endian::Big };
    Ok(Arc::new(Length { offset, width, endian, constant, keep }))
}

const LARGEST: usize = 1 << 30;
