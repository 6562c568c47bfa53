//! The framings that ship.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use descriptor::Code;
use framing::{
    Chunks, Cobs, Delimited, Delimiter, Endian, Fixed, Framing, Json, Length, Mqtt, Slip, Text,
    Width,
};
use percent_encoding::percent_decode_str;
use plan::kind::{Args, FramingKind, Param, Planned, ValueKind};

/// In the order of the manual.
pub(crate) const FRAMINGS: &[&FramingKind] = &[
    &CHUNKS, &LINES, &SEPARATOR, &ZERO, &FIXED, &LENGTH, &DYNAMIC32, &JSON, &SLIP, &COBS, &MQTT,
    &AUTO, &TEXT,
];

static CHUNKS: FramingKind = FramingKind {
    name: "chunks",
    about: "What is read at once is a message: there is no framing",
    params: &[],
    plan: |_| Ok(Arc::new(Chunks)),
};

static LINES: FramingKind = FramingKind {
    name: "lines",
    about: "A line is a message of text, or a binary one if it isn't UTF-8; a message that doesn't end with a line end \
            gets one",
    params: &[
        Param::new(
            "eol",
            ValueKind::Choice(&["lf", "crlf", "cr", "any"]),
            "What ends a line: LF, with a CR before it or without; CR LF; CR; or any of them. It is also what is added \
             to a message, and LF for `any`.",
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
    about: "A message ends with a separator, which is added to a message that doesn't end with it",
    params: &[
        Param::new(
            "separator",
            ValueKind::Text,
            "The bytes that end a message; others than printable ones are percent-encoded: `%0D%0A`.",
        )
        .required(),
        DELIMITER,
    ],
    plan: |args| {
        let bytes: Vec<u8> = percent_decode_str(args.text("separator").unwrap_or_default()).collect();
        if bytes.is_empty() {
            let message = "`separator` must have a byte at least";
            return Err(vec![args.mistake("separator", Code::BadValue, message)]);
        }
        let delimiter = Delimiter::Bytes(Bytes::from(bytes));
        Ok(Arc::new(Delimited { delimiter, keep: keeps(args, "delimiter") }))
    },
};

static ZERO: FramingKind = FramingKind {
    name: "zero",
    about: "A message ends with a byte 0, as strings in C do",
    params: &[DELIMITER],
    plan: |args| {
        let delimiter = Delimiter::Bytes(Bytes::from_static(b"\0"));
        Ok(Arc::new(Delimited { delimiter, keep: keeps(args, "delimiter") }))
    },
};

static FIXED: FramingKind = FramingKind {
    name: "fixed",
    about: "Every message has the same length; a message to be sent has that length or a multiple of it",
    params: &[Param::new("fixed", ValueKind::Size, "The length of a message, in bytes.").required()],
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
    about: "The length of a message stands in front of it",
    params: &[
        Param::new("width", ValueKind::Choice(&["1", "2", "4", "8"]), "Bytes of the length.")
            .default("4"),
        Param::new(
            "endian",
            ValueKind::Choice(&["big", "little"]),
            "The order of its bytes: the highest first, or the lowest.",
        )
        .default("big"),
        OFFSET,
        CONSTANT,
        Param::new(
            "header",
            ValueKind::Choice(&["strip", "keep"]),
            "Whether the header stays part of a message. With `strip` it is taken off what comes and added to what is \
             sent; with `keep`, what is sent has its header already.",
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
    about: "websocksy's: a length of four bytes stands in front of a message, and stays part of it",
    params: &[
        OFFSET,
        CONSTANT,
        Param::new(
            "endian",
            ValueKind::Choice(&["big", "little"]),
            "The order of the length's bytes.",
        )
        .default("little"),
    ],
    plan: |args| length(args, Width::W4, true),
};

static JSON: FramingKind = FramingKind {
    name: "json",
    about: "A complete JSON value is a message of text; a line feed is added to a message that doesn't end with one",
    params: &[],
    plan: |_| Ok(Arc::new(Json)),
};

static SLIP: FramingKind = FramingKind {
    name: "slip",
    about: "SLIP (RFC 1055), as OSC over serial lines and TCP has it; a packet that can't be right is dropped",
    params: &[],
    plan: |_| Ok(Arc::new(Slip)),
};

static COBS: FramingKind = FramingKind {
    name: "cobs",
    about: "Consistent overhead byte stuffing, with a byte 0 behind each packet; one that can't be right is dropped",
    params: &[],
    plan: |_| Ok(Arc::new(Cobs)),
};

static MQTT: FramingKind = FramingKind {
    name: "mqtt",
    about: "An MQTT control packet is a message, its header with it",
    params: &[],
    plan: |_| Ok(Arc::new(Mqtt)),
};

static AUTO: FramingKind = FramingKind {
    name: "auto",
    about: "What is read at once is a message of text, without the beginning of a character at its end, or a binary one \
            if it isn't UTF-8",
    params: &[],
    plan: |_| Ok(Arc::new(Text { falls_back: true })),
};

static TEXT: FramingKind = FramingKind {
    name: "text",
    about: "What is read at once is a message of text, without the beginning of a character at its end; what isn't \
            UTF-8 is an error",
    params: &[],
    plan: |_| Ok(Arc::new(Text { falls_back: false })),
};

const DELIMITER: Param = Param::new(
    "delimiter",
    ValueKind::Choice(&["strip", "keep"]),
    "Whether what ends a message is taken off, or stays part of it.",
)
.default("strip");

const OFFSET: Param = Param::new(
    "offset",
    ValueKind::Int(0, 1024),
    "Bytes of the header in front of the length. They would be lost unless the header is kept.",
)
.default("0");

const CONSTANT: Param = Param::new(
    "constant",
    ValueKind::Text,
    "Added to the length: so many bytes more follow it than it says. Less than 0, as in `-4`, where it counts the header \
     too.",
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
            "`offset` needs `header=keep`: the bytes in front of the length would be lost";
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
