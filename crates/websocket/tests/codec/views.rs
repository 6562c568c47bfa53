//! Both views over a stream in pieces, and what they must agree about. The fuzz targets use it too.

use websocket::{
    CloseFrame, Control, Data, Decoder, Event, Limits, ProtocolError, Role, Violation,
};

/// A whole message, or a control frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    /// As it came, not inflated.
    Compressed(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseFrame>),
}

/// All that a decoder said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) came: Vec<Came>,
    /// Payload of a message that didn't end.
    pub(crate) rest: Vec<u8>,
    pub(crate) error: Option<ProtocolError>,
    pub(crate) closed: bool,
}

/// The message view.
pub(crate) fn messages(mut decoder: Decoder, pieces: &[&[u8]]) -> Outcome {
    let (mut outcome, mut open) = (Outcome::default(), None);
    'pieces: for piece in pieces {
        let (mut buf, mut at) = (piece.to_vec(), 0);
        loop {
            match decoder.next(&mut buf, &mut at) {
                Ok(None) => break,
                Ok(Some(Event::Control(control))) => outcome.came.push(control.into()),
                Ok(Some(Event::Data(Data { range, text, compressed, first, last }))) => {
                    assert!(last || !range.is_empty(), "an empty part that says nothing");
                    assert!(range.end <= at, "a part that hasn't been consumed");
                    assert_eq!(first, open.is_none(), "`first` is wrong");
                    let kind = (text, compressed);
                    assert_eq!(*open.get_or_insert(kind), kind, "a message changes its type");
                    outcome.rest.extend_from_slice(&buf[range]);
                    if last {
                        let whole = std::mem::take(&mut outcome.rest);
                        outcome.came.push(match kind {
                            (_, true) => Came::Compressed(whole),
                            (true, false) => Came::Text(whole),
                            (false, false) => Came::Binary(whole),
                        });
                        open = None;
                    }
                }
                Err(error) => {
                    outcome.error = Some(error);
                    assert_eq!(decoder.next(&mut [], &mut 0), Err(error), "an error stays");
                    break 'pieces;
                }
            }
        }
        assert_eq!(at, buf.len(), "all is taken");
    }
    outcome.closed = decoder.is_closed();
    assert_eq!(outcome.error, decoder.error());
    outcome
}

/// The byte view: payload, control frames, error.
pub(crate) fn bytes(
    mut decoder: Decoder,
    pieces: &[&[u8]],
) -> (Vec<u8>, Vec<Came>, Option<ProtocolError>) {
    let (mut payload, mut controls) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut buf = piece.to_vec();
        let compacted = decoder.compact(&mut buf, |control| controls.push(control.into()));
        payload.extend_from_slice(&buf[..compacted.payload]);
        if compacted.error.is_some() {
            return (payload, controls, compacted.error);
        }
    }
    (payload, controls, None)
}

/// The stream's outcome in one piece, having checked that pieces and views make no difference to it.
pub(crate) fn agreed(role: Role, limits: Limits, stream: &[u8], cuts: &[usize]) -> Outcome {
    let whole = messages(Decoder::new(role, limits), &[stream]);
    let pieces = cut(stream, cuts);
    assert_eq!(messages(Decoder::new(role, limits), &pieces), whole, "cut at {cuts:?}");
    for pieces in [&[stream][..], &pieces] {
        let (payload, controls, error) = bytes(Decoder::new(role, limits), pieces);
        assert_eq!(payload, whole.payload(), "byte view, cut at {cuts:?}");
        assert_eq!(controls, whole.controls(), "byte view, cut at {cuts:?}");
        assert_eq!(error, whole.error, "byte view, cut at {cuts:?}");
    }
    agreed_with_extension(role, limits, stream, &pieces, &whole);
    whole
}

/// Where compressed messages are legal they come; all else is the same.
fn agreed_with_extension(
    role: Role,
    limits: Limits,
    stream: &[u8],
    pieces: &[&[u8]],
    without: &Outcome,
) {
    let decoder = || Decoder::new(role, limits).compressed_messages(true);
    let with = messages(decoder(), &[stream]);
    assert_eq!(messages(decoder(), pieces), with, "with the extension");
    let compressed = |came: &Came| matches!(came, Came::Compressed(_));
    assert!(!without.came.iter().any(compressed), "without the extension");
    if without.error.is_some_and(|error| error.violation == Violation::ReservedBits) {
        assert!(with.came.starts_with(&without.came), "{with:?}, and {without:?}");
    } else {
        assert_eq!(with, *without, "without the extension");
    }
    let (_, _, error) = bytes(decoder(), pieces);
    assert_eq!(error, without.error, "the byte view knows no extension");
}

/// Cuts at the places named, in whatever order and however far out.
fn cut<'s>(stream: &'s [u8], cuts: &[usize]) -> Vec<&'s [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|at| at % (stream.len() + 1)).collect();
    cuts.sort_unstable();
    let (mut pieces, mut from) = (Vec::new(), 0);
    for at in cuts {
        pieces.push(&stream[from..at]);
        from = at;
    }
    pieces.push(&stream[from..]);
    pieces
}

impl Outcome {
    fn payload(&self) -> Vec<u8> {
        let whole = self.came.iter().filter_map(|came| match came {
            Came::Text(data) | Came::Binary(data) | Came::Compressed(data) => Some(data.as_slice()),
            _ => None,
        });
        whole.chain([self.rest.as_slice()]).collect::<Vec<_>>().concat()
    }

    fn controls(&self) -> Vec<Came> {
        let data =
            |came: &&Came| !matches!(came, Came::Text(_) | Came::Binary(_) | Came::Compressed(_));
        self.came.iter().filter(data).cloned().collect()
    }
}

impl From<Control> for Came {
    fn from(control: Control) -> Self {
        match control {
            Control::Ping(payload) => Self::Ping(payload.to_vec()),
            Control::Pong(payload) => Self::Pong(payload.to_vec()),
            Control::Close(frame) => Self::Close(frame),
        }
    }
}
