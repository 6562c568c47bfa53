//! Memory: at the start, for sessions that do nothing, and while much goes through.

use std::time::Duration;

use super::account::peak;
use super::load::stream::{Amount, Way, stream};
use super::load::wire::{Block, Framing, WRITE, header, masked};
use super::subject::Subject;
use super::subject::programs::{Mode, Program};
use crate::Failure;
use ::tests::ws::Opcode;

/// The memory of a program with many sessions, in KiB.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) subject: String,
    /// Private at the start: memory that no file backs, and changed pages of files.
    pub(crate) private: u64,
    /// All that is resident at the start.
    pub(crate) resident: u64,
    /// The number of sessions.
    pub(crate) sessions: usize,
    /// For each session, in bytes, before any has moved a byte.
    pub(crate) idle: f64,
    /// For each session, in bytes, after [`BURST`] each way on every one.
    pub(crate) after: f64,
    /// The resident memory with all of them, in KiB.
    pub(crate) loaded: u64,
}

/// Opens `sessions` and looks.
pub(crate) fn measure(program: &Program, sessions: usize) -> Result<Memory, Failure> {
    let mut subject = program.start(Mode::Plain)?;
    let start = subject.account();
    let before = start.settled();
    let (private, resident) = (start.private(), start.resident());
    // Executors and allocators have a first time for everything, which belongs to no session.
    subject.open_until(1)?;
    burst(&mut subject, 1)?;
    subject.lanes.clear();
    subject.account().settled();
    subject.open_until(sessions)?;
    let account = subject.account();
    let each = |now: u64| (now.saturating_sub(before) * 1024) as f64 / sessions as f64;
    let idle = each(account.settled());
    burst(&mut subject, sessions)?;
    let after = each(account.settled());
    let loaded = account.resident();
    Ok(Memory {
        subject: program.name.to_owned(),
        private,
        resident,
        sessions,
        idle,
        after,
        loaded,
    })
}

fn burst(subject: &mut Subject, sessions: usize) -> Result<(), Failure> {
    let there = Block::messages(subject.near.framing(), WRITE);
    let back = Block::messages(Framing::Plain, WRITE);
    stream(subject.open_until(sessions)?, Way::There, &there, Amount::Each(BURST), false)?;
    stream(subject.open_until(sessions)?, Way::Back, &back, Amount::Each(BURST), false)?;
    Ok(())
}

/// The growth of memory while one message went through.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    /// Its payload.
    pub(crate) bytes: u64,
    /// KiB beyond those before, at the most.
    pub(crate) grown: u64,
    pub(crate) cpu: Duration,
}

/// One message of `bytes`: in one frame, and in frames of one byte.
pub(crate) fn messages(
    program: &Program,
    bytes: u64,
    fragments: u64,
) -> Result<[Message; 2], Failure> {
    let whole = (header(bytes), Block::inside_a_frame(), Vec::new());
    // A separate end: the message must be over before another may begin.
    let start = masked(Opcode::Binary, false, &[]);
    let cut = (start, Block::fragments(), masked(Opcode::Continuation, true, &[]));
    let whole = message(program, "one frame", bytes, &whole)?;
    Ok([whole, message(program, "frames of 1 byte", fragments, &cut)?])
}

fn message(
    program: &Program,
    name: &'static str,
    bytes: u64,
    (start, block, end): &(Vec<u8>, Block, Vec<u8>),
) -> Result<Message, Failure> {
    let mut subject = program.start(Mode::Pinned)?;
    subject.open_until(1)?;
    // Another message before, so that only what grows with the size is counted.
    let other = Block::messages(Framing::Masked, WRITE);
    stream(subject.open_until(1)?, Way::There, &other, Amount::Each(8 << 20), true)?;
    let before = subject.account().settled();
    let id = subject.id();
    let (moved, most) = peak(id, || {
        subject.spent(|subject| {
            let lanes = subject.open_until(1)?;
            lanes[0].near.send_all(start)?;
            stream(lanes, Way::There, block, Amount::Each(bytes), false)?;
            lanes[0].near.send_all(end)?;
            // A program that has lost count within the message fails here.
            stream(lanes, Way::There, &other, Amount::Each(1 << 20), true)
        })
    });
    let (_, cpu) = moved?;
    Ok(Message { name, bytes, grown: most.saturating_sub(before), cpu })
}

/// Bytes each way on every session: more than any buffer on the way.
pub(crate) const BURST: u64 = 256 * 1024;
