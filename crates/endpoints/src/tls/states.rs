//! The states of rustls' unbuffered connection, one at a time. rustls 0.24 changes this interface, and only this file is
//! affected.

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{CommonState, Error};
use tokio::io::ReadBuf;

/// A connection of either side.
pub(super) enum Tls {
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

impl Tls {
    /// Handles one state of the protocol: how much of `input` it has used, and where it has stopped, if it has.
    pub(super) fn process(
        &mut self,
        input: &mut [u8],
        sinks: Sinks<'_>,
        plain: &mut [&mut ReadBuf<'_>],
        send: &Send<'_>,
    ) -> (usize, Result<Option<Progress>, Error>) {
        match self {
            Self::Client(tls) => handle(tls.process_tls_records(input), sinks, plain, send),
            Self::Server(tls) => handle(tls.process_tls_records(input), sinks, plain, send),
        }
    }

    pub(super) fn state(&self) -> &CommonState {
        match self {
            Self::Client(connection) => connection,
            Self::Server(connection) => connection,
        }
    }
}

/// The progress of a step of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The handshake needs more from the peer.
    Handshaking,
    /// Data may go either way.
    Open,
}

/// The data to encrypt at the end of a step.
pub(super) enum Send<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
    /// Nothing but the alert that an error has left.
    Alert,
}

/// The places that a state adds its results to.
pub(super) struct Sinks<'a> {
    /// Ciphertext to write.
    pub(super) out: &'a mut Vec<u8>,
    /// Plaintext that the reader has no room for.
    pub(super) spill: &'a mut Vec<u8>,
    /// Set once the peer has ended its sending.
    pub(super) ended: &'a mut bool,
}

fn handle<D>(
    status: UnbufferedStatus<'_, '_, D>,
    Sinks { out, spill, ended }: Sinks<'_>,
    plain: &mut [&mut ReadBuf<'_>],
    send: &Send<'_>,
) -> (usize, Result<Option<Progress>, Error>) {
    let mut used = status.discard;
    let done = match status.state {
        Ok(ConnectionState::ReadTraffic(_)) if matches!(send, Send::Alert) => {
            Ok(Some(Progress::Open))
        }
        Ok(ConnectionState::ReadTraffic(mut traffic)) => {
            let mut result = Ok(None);
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        used += record.discard;
                        put(record.payload, plain, spill);
                    }
                    Err(error) => {
                        result = Err(error);
                        break;
                    }
                }
            }
            result
        }
        Ok(ConnectionState::EncodeTlsData(mut state)) => {
            let start = out.len();
            let encoded = append(out, &mut |room| match state.encode(room) {
                Err(EncodeError::InsufficientSize(size)) => Err(Some(size.required_size)),
                Err(EncodeError::AlreadyEncoded) => Err(None),
                Ok(length) => Ok(length),
            });
            // Earlier messages may be in front of the alert. Behind it there is nothing more: rustls must not be asked again.
            let is_last = matches!(send, Send::Alert) && is_alert(&out[start..]);
            encoded.map(|()| is_last.then_some(Progress::Open))
        }
        Ok(ConnectionState::TransmitTlsData(state)) => {
            state.done();
            Ok(None)
        }
        Ok(ConnectionState::PeerClosed) => {
            *ended = true;
            Ok(None)
        }
        Ok(ConnectionState::BlockedHandshake) => Ok(Some(Progress::Handshaking)),
        Ok(ConnectionState::WriteTraffic(mut traffic)) => {
            encrypt(&mut traffic, out, send).map(|()| Some(Progress::Open))
        }
        Ok(ConnectionState::Closed) => {
            *ended = true;
            Ok(Some(Progress::Open))
        }
        // We offer no early data.
        Ok(_) => Err(Error::General("an unknown state of TLS".to_owned())),
        Err(error) => Err(error),
    };
    (used, done)
}

/// Returns `true` for the record of an alert. In TLS 1.3 an encrypted one is known by its length: two bytes, their type
/// and the tag (RFC 8446 section 5.2). No other message is that short.
fn is_alert(record: &[u8]) -> bool {
    match record {
        [21, ..] => true,
        [23, _, _, length @ ..] => length.starts_with(&[0, 2 + 1 + 16]),
        _ => false,
    }
}

/// Gives plaintext to the reader, as far as it has room.
fn put(mut payload: &[u8], plain: &mut [&mut ReadBuf<'_>], spill: &mut Vec<u8>) {
    if let [buf] = plain
        && spill.is_empty()
    {
        let (fits, rest) = payload.split_at(payload.len().min(buf.remaining()));
        buf.put_slice(fits);
        payload = rest;
    }
    spill.extend_from_slice(payload);
}

fn encrypt<D>(
    traffic: &mut WriteTraffic<'_, D>,
    out: &mut Vec<u8>,
    send: &Send<'_>,
) -> Result<(), Error> {
    let needs = |error| match error {
        EncryptError::InsufficientSize(size) => Err(Some(size.required_size)),
        EncryptError::EncryptExhausted => Err(None),
    };
    match send {
        Send::Nothing | Send::Alert => Ok(()),
        Send::Data(data) => append(out, &mut |room| traffic.encrypt(data, room).or_else(needs)),
        Send::CloseNotify => {
            append(out, &mut |room| traffic.queue_close_notify(room).or_else(needs))
        }
    }
}

/// Writes into the given room, or returns how much it needs; `None` if it can't.
type Write<'a> = dyn FnMut(&mut [u8]) -> Result<usize, Option<usize>> + 'a;

/// Has `write` write behind `out`.
fn append(out: &mut Vec<u8>, write: &mut Write<'_>) -> Result<(), Error> {
    let start = out.len();
    loop {
        match write(&mut out[start..]) {
            Ok(length) => {
                out.truncate(start + length);
                return Ok(());
            }
            Err(Some(room)) if start + room > out.len() => out.resize(start + room, 0),
            Err(_) => return Err(Error::EncryptError),
        }
    }
}
