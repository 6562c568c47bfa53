//! Packets, and how they are written.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Error, Reason};

/// The size of the header of every packet: its kind, and the number of its stream.
pub const HEADER: usize = 5;

pub(crate) const CONNECT: u8 = 1;
pub(crate) const DATA: u8 = 2;
pub(crate) const CONTINUE: u8 = 3;
pub(crate) const CLOSE: u8 = 4;
pub(crate) const INFO: u8 = 5;

/// The transport of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// A connection of TCP.
    Tcp,
    /// Datagrams: each packet is one.
    Udp,
}

/// A packet other than data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// The client wants a stream.
    Connect {
        /// The number that the client gives it.
        stream: u32,
        /// The transport.
        network: Network,
        /// A name or an address, as it was sent.
        host: String,
        /// The port.
        port: u16,
    },
    /// The server announces how many packets may come.
    Continue {
        /// The stream; 0 sets the credit of every new stream.
        stream: u32,
        /// The number of packets that may be sent.
        packets: u32,
    },
    /// Either side closes a stream.
    Close {
        /// The stream.
        stream: u32,
        /// Why.
        reason: Reason,
    },
    /// Either side announces its version and extensions, which is the handshake of version 2.
    Info(Info),
}

/// The protocol version and the extensions of a side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The major version.
    pub major: u8,
    /// The minor version.
    pub minor: u8,
    /// The extensions that it supports.
    pub extensions: Vec<Extension>,
}

/// An extension of version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its number.
    pub id: u8,
    /// The side's settings of the extension.
    pub payload: Bytes,
}

impl Extension {
    /// UDP streams.
    pub const UDP: u8 = 1;
    /// The server confirms each connected TCP stream with a CONTINUE.
    pub const CONFIRMATION: u8 = 5;

    /// Creates an extension without a payload.
    #[must_use]
    pub fn of(id: u8) -> Self {
        Self { id, payload: Bytes::new() }
    }
}

impl Packet {
    /// Reads one of this kind from its payload. A kind that carries data has no packet here.
    pub(crate) fn read(kind: u8, stream: u32, payload: &Bytes) -> Result<Self, Error> {
        let bad = Error::BadPayload(kind);
        let number = |at: usize| {
            let bytes = payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_le_bytes).ok_or(bad)
        };
        Ok(match kind {
            CONNECT => {
                let network = match payload.first() {
                    Some(1) => Network::Tcp,
                    Some(2) => Network::Udp,
                    _ => return Err(bad),
                };
                let port = payload.get(1..3).and_then(|port| port.try_into().ok()).ok_or(bad)?;
                let host = std::str::from_utf8(&payload[3..]).map_err(|_| bad)?.trim();
                // It goes into logs and to a resolver.
                if host.is_empty() || host.contains(char::is_control) {
                    return Err(bad);
                }
                let port = u16::from_le_bytes(port);
                Self::Connect { stream, network, host: host.to_owned(), port }
            }
            CONTINUE => Self::Continue { stream, packets: number(0)? },
            CLOSE => Self::Close { stream, reason: Reason(*payload.first().ok_or(bad)?) },
            INFO => {
                let &[major, minor, ..] = &**payload else { return Err(bad) };
                let (mut at, mut extensions) = (2, Vec::new());
                while let Some(&id) = payload.get(at) {
                    let length = usize::try_from(number(at + 1)?).map_err(|_| bad)?;
                    let end = (at + 5).checked_add(length).filter(|end| *end <= payload.len());
                    let end = end.ok_or(bad)?;
                    extensions.push(Extension { id, payload: payload.slice(at + 5..end) });
                    at = end;
                }
                Self::Info(Info { major, minor, extensions })
            }
            kind => return Err(Error::BadKind(kind)),
        })
    }

    /// Returns its bytes.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Self::Connect { stream, network, host, port } => {
                head(CONNECT, *stream, &mut out);
                out.put_u8(match network {
                    Network::Tcp => 1,
                    Network::Udp => 2,
                });
                out.put_u16_le(*port);
                out.put_slice(host.as_bytes());
            }
            Self::Continue { stream, packets } => {
                head(CONTINUE, *stream, &mut out);
                out.put_u32_le(*packets);
            }
            Self::Close { stream, reason } => {
                head(CLOSE, *stream, &mut out);
                out.put_u8(reason.0);
            }
            Self::Info(Info { major, minor, extensions }) => {
                head(INFO, 0, &mut out);
                out.put_slice(&[*major, *minor]);
                for Extension { id, payload } in extensions {
                    out.put_u8(*id);
                    out.put_u32_le(u32::try_from(payload.len()).unwrap_or(u32::MAX));
                    out.put_slice(payload);
                }
            }
        }
        out.freeze()
    }
}

/// Returns a packet with data, as bytes.
#[must_use]
pub fn data(stream: u32, data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(HEADER + data.len());
    head(DATA, stream, &mut out);
    out.put_slice(data);
    out.freeze()
}

fn head(kind: u8, stream: u32, out: &mut BytesMut) {
    out.put_u8(kind);
    out.put_u32_le(stream);
}
