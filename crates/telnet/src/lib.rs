//! Telnet (RFC 854 and 855): bytes in, events and bytes out; no I/O, no clock, no tasks.
//!
//! One machine, [`Telnet`], is either end of a connection; where the ends differ, [`Role`] selects the behaviour.
//!
//! 1. Input from the network goes through [`Telnet::next`] (or [`Telnet::receive`]), cut anywhere. The results are
//!    data, as ranges of the input, and [`Event`]s between them, in order.
//! 2. Requests for options are answered on the way, by the Q method of RFC 1143, so that nothing loops. The answers
//!    to each option are data: [`OPTIONS`].
//! 3. Answers wait inside until [`Telnet::flush`] or [`Telnet::send`], which writes them and then data.
//!
//! Bounds: [`MAX_UNSENT`] bytes of answers, then no more input is taken; [`MAX_SUBNEGOTIATION`] bytes of a
//! subnegotiation, then the rest is skipped. Nothing that a peer sends makes anything else grow, loop or panic.
//!
//! # A terminal
//!
//! ```
//! use telnet::{Event, Opt, Role, Settings, Size, Telnet};
//!
//! let size = Some(Size { cols: 80, rows: 24 });
//! let mut telnet = Telnet::new(Role::Client, Settings { size, ..Settings::default() });
//! let (mut screen, mut network, mut local_echo) = (vec![], vec![], true);
//!
//! // WILL ECHO, DO NAWS, "login: ", as it comes from the socket.
//! let input = b"\xff\xfb\x01\xff\xfd\x1flogin: ";
//! let taken = telnet.receive(input, &mut screen, |event| match event {
//!     Event::Remote(Opt::ECHO, on) => local_echo = !on,
//!     _ => {}
//! });
//! assert_eq!((taken, &screen[..], local_echo), (input.len(), &b"login: "[..], false));
//!
//! // DO ECHO, WILL NAWS, and the size: before anything that the user types.
//! telnet.send(b"me\r", &mut network);
//! assert_eq!(network, b"\xff\xfd\x01\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0me\r\n");
//!
//! telnet.resize(Size { cols: 132, rows: 50 });
//! network.clear();
//! telnet.flush(&mut network);
//! assert_eq!(network, b"\xff\xfa\x1f\x00\x84\x00\x32\xff\xf0");
//! ```
//!
//! # Adding an option
//!
//! RFC 2217, for one, is an option that is agreed to, subnegotiations that come as events, and some that are sent.
//!
//! ```
//! use telnet::{Event, Opt, Policy, Received, Role, Settings, Side, Telnet};
//!
//! let mut telnet = Telnet::new(Role::Server, Settings::default());
//! telnet.agree(Opt::COM_PORT, Side::Remote, Policy::Agree);
//! // WILL COM-PORT, SB COM-PORT SET-BAUDRATE 115200.
//! let (input, mut at) = (b"\xff\xfb\x2c\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0", 0);
//! let mut out = vec![];
//! while let Some(received) = telnet.next(input, &mut at) {
//!     if let Received::Event(Event::Subnegotiation(sub)) = received {
//!         assert_eq!((sub.option, &sub.data[..]), (Opt::COM_PORT, &[1, 0x00, 0x01, 0xc2, 0x00][..]));
//!         telnet.send_subnegotiation(Opt::COM_PORT, &[101, 0x00, 0x01, 0xc2, 0x00], &mut out);
//!     }
//! }
//! assert_eq!(out, b"\xff\xfd\x2c\xff\xfa\x2c\x65\x00\x01\xc2\x00\xff\xf0");
//! ```
//!
//! This crate doesn't do: urgent data (a Synch's data mark is an event, and nothing is discarded), echoing and line
//! editing (the terminal's), LINEMODE, ENVIRON and CHARSET (refused), GA after each turn of a server that may not
//! suppress it.
#![forbid(unsafe_code)]

mod command;
mod decode;
mod encode;
mod option;
mod qmethod;
mod settings;
mod telnet;

pub use command::Command;
pub use decode::{MAX_SUBNEGOTIATION, Subnegotiation};
pub use option::{Definition, OPTIONS, Opt, Policy, Side, Terms};
pub use settings::{Enter, Role, Settings, Size, TerminalType};
pub use telnet::{Event, MAX_REFUSALS, MAX_UNSENT, Received, Telnet};
