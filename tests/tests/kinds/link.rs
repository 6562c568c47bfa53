//! The task behind `mux:`. Each frame is a session's number and a length, 4 bytes each, then so many bytes; none is
//! the session's end.

use std::collections::HashMap;

use endpointforward::Io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// One inner connection. When nobody holds it any more, what was sent is written, and it is closed.
#[derive(Debug)]
pub(crate) struct Link {
    events: Sender<Event>,
    _held: oneshot::Sender<()>,
}

enum Event {
    Open(DuplexStream),
    Frame(u32, Vec<u8>),
    Over,
}

impl Link {
    /// The sessions that the peer opens go to `offers`.
    pub(crate) fn over(io: Io, offers: Option<Sender<DuplexStream>>) -> Self {
        let (events, received) = mpsc::channel(QUEUE);
        let (held, dropped) = oneshot::channel();
        tokio::spawn(drive(io, events.clone(), received, dropped, offers));
        Self { events, _held: held }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.events.is_closed()
    }

    /// A session of ours. If the connection is over, its first read tells.
    pub(crate) async fn open(&self) -> DuplexStream {
        let (ours, theirs) = duplex(BUFFER);
        let _ = self.events.send(Event::Open(ours)).await;
        theirs
    }
}

async fn drive(
    io: Io,
    events: Sender<Event>,
    mut received: Receiver<Event>,
    mut dropped: oneshot::Receiver<()>,
    offers: Option<Sender<DuplexStream>>,
) {
    let (reader, writer) = split(io);
    let (frames, outgoing) = mpsc::channel(QUEUE);
    let mut tasks = JoinSet::new();
    tasks.spawn(write(writer, outgoing));
    let reading = tokio::spawn(read(reader, events));
    let mut sessions: HashMap<u32, WriteHalf<DuplexStream>> = HashMap::new();
    let mut next = 0;
    loop {
        let event = tokio::select! {
            event = received.recv() => event,
            _ = &mut dropped => None,
        };
        let opened = match event {
            None | Some(Event::Over) => break,
            Some(Event::Open(stream)) => {
                next += 1;
                Some((next, stream))
            }
            Some(Event::Frame(id, data)) if data.is_empty() => {
                if let Some(mut ended) = sessions.remove(&id) {
                    let _ = ended.shutdown().await;
                }
                None
            }
            Some(Event::Frame(id, data)) => {
                let mut opened = None;
                if !sessions.contains_key(&id)
                    && let Some(offers) = &offers
                {
                    let (mut ours, theirs) = duplex(BUFFER);
                    let _ = ours.write_all(&data).await;
                    let _ = offers.send(theirs).await;
                    opened = Some((id, ours));
                } else if let Some(session) = sessions.get_mut(&id) {
                    // A session that takes nothing holds up the others: there are no windows here.
                    let _ = session.write_all(&data).await;
                }
                opened
            }
        };
        if let Some((id, stream)) = opened {
            let (from, to) = split(stream);
            sessions.insert(id, to);
            tasks.spawn(send(id, from, frames.clone()));
        }
    }
    reading.abort();
    drop((sessions, frames));
    while tasks.join_next().await.is_some() {}
}

async fn send(id: u32, mut from: ReadHalf<DuplexStream>, frames: Sender<(u32, Vec<u8>)>) {
    let mut data = vec![0; BUFFER];
    loop {
        let length = from.read(&mut data).await.unwrap_or(0);
        if frames.send((id, data[..length].to_vec())).await.is_err() || length == 0 {
            return;
        }
    }
}

async fn write(mut writer: WriteHalf<Io>, mut frames: Receiver<(u32, Vec<u8>)>) {
    while let Some((id, data)) = frames.recv().await {
        let head = [id.to_be_bytes(), (data.len() as u32).to_be_bytes()].concat();
        if writer.write_all(&[head, data].concat()).await.is_err() {
            return;
        }
    }
    let _ = writer.shutdown().await;
}

async fn read(mut reader: ReadHalf<Io>, events: Sender<Event>) {
    let mut head = [0; 8];
    while reader.read_exact(&mut head).await.is_ok() {
        let number = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| head[at + i]));
        let length = number(4) as usize;
        let mut data = vec![0; length.min(BUFFER)];
        if length > BUFFER || reader.read_exact(&mut data).await.is_err() {
            break;
        }
        if events.send(Event::Frame(number(0), data)).await.is_err() {
            return;
        }
    }
    let _ = events.send(Event::Over).await;
}

const BUFFER: usize = 4096;
pub(crate) const QUEUE: usize = 16;
