//! Frequent mistakes of users of other tools, and the help for them.
//!
//! Each function belongs to a kind ([`Kind::slip`](plan::kind::Kind::slip)). It is called only for descriptors that
//! can't be planned. Other programs' notations belong to no kind ([`foreign`]).

mod absent;
mod foreign;
mod interface;
mod joints;
mod layers;
mod line;
mod options;
mod programs;
mod settings;
mod shapes;
mod sockets;
mod terminals;
mod tools;
mod typography;
mod urls;
mod values;

pub use self::foreign::{foreign, translate};
pub(crate) use self::interface::interface;
pub(crate) use self::layers::{framed, ssh, telnet, tls, ws};
pub(crate) use self::options::foreign_options;
pub(crate) use self::programs::{process, pty};
pub(crate) use self::sockets::{tcp, udp, unix};
pub(crate) use self::terminals::{has_rate, serial, stdio};

use descriptor::{Code, Descriptor, Diagnostic, Span, Stage, Text};

fn mistake(at: Span, message: String) -> Diagnostic {
    Diagnostic::error(Stage::Plan, Code::UnknownKind, at, message)
}

/// Returns an error in the parameters of the kind that was meant.
fn wrong(code: Code, at: Span, message: String) -> Diagnostic {
    Diagnostic::error(Stage::Plan, code, at, message)
}

/// Returns the text in the kind's place, if it is a path.
fn path(descriptor: &Descriptor) -> Option<&Text> {
    descriptor.kind().filter(|kind| {
        let text = kind.as_str();
        ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start))
    })
}

fn is_port(text: &Text) -> bool {
    text.as_str().parse::<u16>().is_ok()
}

fn is_host_name(text: &str) -> bool {
    text.split('.').all(|word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}
