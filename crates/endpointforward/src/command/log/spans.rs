//! The spans that are open, with their fields as text: those of each session.
//!
//! `tracing_subscriber` has a table of them, too, whose places for threads alone are 40 kB of private memory from the start,
//! and which keeps 250 bytes more of each session: it is made for layers that each add what they like to a span.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::Metadata;
use tracing::span::Id;

/// All spans.
#[derive(Default)]
pub(super) struct Spans(Mutex<Table>);

#[derive(Default)]
struct Table {
    places: Vec<Place>,
    /// Those that hold none.
    free: Vec<u32>,
}

#[derive(Default)]
struct Place {
    /// Counts the spans that were here: the identifier of one that is gone isn't that of its successor.
    turn: u32,
    /// Handles of the span and of spans within it.
    uses: u32,
    span: Option<Kept>,
}

/// What is kept of a span.
pub(super) struct Kept {
    pub(super) metadata: &'static Metadata<'static>,
    parent: Option<Id>,
    /// In no more memory than they take: they are kept for as long as a session lasts.
    pub(super) fields: Box<str>,
    /// A record of the session's has named its peer.
    pub(super) has_named_peer: bool,
}

impl Kept {
    pub(super) fn new(
        metadata: &'static Metadata<'static>,
        parent: Option<Id>,
        fields: String,
    ) -> Self {
        Self { metadata, parent, fields: fields.into(), has_named_peer: false }
    }
}

thread_local! {
    /// The spans that this thread is in, the innermost one last.
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

impl Spans {
    /// Adds a span, which has one handle.
    pub(super) fn open(&self, span: Kept) -> Id {
        let mut table = self.table();
        if let Some(parent) = &span.parent {
            table.hold(parent);
        }
        let index = table.free.pop().unwrap_or_else(|| {
            table.places.push(Place::default());
            // Each span is of a session or a refusal, whose number is limited.
            u32::try_from(table.places.len() - 1).unwrap_or(u32::MAX)
        });
        let Some(place) = table.places.get_mut(index as usize) else { return identifier(0, index) };
        place.turn = place.turn.wrapping_add(1);
        (place.uses, place.span) = (1, Some(span));
        identifier(place.turn, index)
    }

    /// Counts another handle of it.
    pub(super) fn hold(&self, id: &Id) {
        self.table().hold(id);
    }

    /// Counts a handle less; returns `true` if it was the last one.
    pub(super) fn release(&self, id: &Id) -> bool {
        let mut table = self.table();
        let Some(parent) = table.release(id) else { return false };
        let mut next = parent;
        while let Some(parent) = next {
            next = table.release(&parent).flatten();
        }
        true
    }

    /// Calls `change` with that span, if it is open.
    pub(super) fn with<T>(&self, id: &Id, change: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        self.table().place(id).and_then(|place| place.span.as_mut()).map(change)
    }

    /// Calls `see` with that span and those that it is in, the outermost one first.
    pub(super) fn each(&self, id: &Id, mut see: impl FnMut(&mut Kept)) {
        let mut table = self.table();
        let mut within = vec![id.clone()];
        while let Some(parent) = within.last().and_then(|id| table.parent(id)) {
            within.push(parent);
        }
        for id in within.iter().rev() {
            if let Some(span) = table.place(id).and_then(|place| place.span.as_mut()) {
                see(span);
            }
        }
    }

    // A panic of a value's `Debug` is not within it.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn place(&mut self, id: &Id) -> Option<&mut Place> {
        let place = self.places.get_mut(index(id)? as usize)?;
        Some(place).filter(|place| u64::from(place.turn) == id.into_u64() >> 32)
    }

    fn parent(&mut self, id: &Id) -> Option<Id> {
        self.place(id)?.span.as_ref()?.parent.clone()
    }

    fn hold(&mut self, id: &Id) {
        if let Some(place) = self.place(id) {
            place.uses += 1;
        }
    }

    /// Returns the span's parent, if that was the last handle.
    fn release(&mut self, id: &Id) -> Option<Option<Id>> {
        let place = self.place(id)?;
        place.uses = place.uses.saturating_sub(1);
        if place.uses > 0 {
            return None;
        }
        let span = place.span.take()?;
        self.free.extend(index(id));
        Some(span.parent)
    }
}

fn identifier(turn: u32, index: u32) -> Id {
    Id::from_u64(u64::from(turn) << 32 | (u64::from(index) + 1).min(LOW))
}

fn index(id: &Id) -> Option<u32> {
    u32::try_from((id.into_u64() & LOW).checked_sub(1)?).ok()
}

const LOW: u64 = u32::MAX as u64;

/// The thread is in that span from now on.
pub(super) fn enter(id: &Id) {
    ENTERED.with_borrow_mut(|entered| entered.push(id.clone()));
}

/// It is no longer.
pub(super) fn exit(id: &Id) {
    ENTERED.with_borrow_mut(|entered| {
        // Nearly always the last one.
        match entered.iter().rposition(|entered| entered == id) {
            Some(at) if at + 1 == entered.len() => drop(entered.pop()),
            Some(at) => drop(entered.remove(at)),
            None => {}
        }
    });
}

/// Returns the innermost span that the thread is in.
pub(super) fn current() -> Option<Id> {
    ENTERED.with_borrow(|entered| entered.last().cloned())
}

#[cfg(test)]
mod tests {
    use tracing::{Level, Subscriber as _};

    use super::*;

    fn span(parent: Option<&Id>, fields: &str) -> Kept {
        let span = tracing::span!(Level::INFO, "test");
        let metadata = span.metadata().expect("a subscriber shows it");
        Kept::new(metadata, parent.cloned(), fields.to_owned())
    }

    fn seen(spans: &Spans, id: &Id) -> Vec<String> {
        let mut seen = Vec::new();
        spans.each(id, |span| seen.push(span.fields.to_string()));
        seen
    }

    #[test]
    fn a_span_is_kept_until_its_last_handle_and_those_within_it_are_gone() {
        let sink = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
        assert!(sink.max_level_hint().is_some());
        tracing::subscriber::with_default(sink, || {
            let spans = Spans::default();
            let outer = spans.open(span(None, "outer"));
            let inner = spans.open(span(Some(&outer), "inner"));
            spans.hold(&inner);
            assert!(!spans.release(&outer) && !spans.release(&inner));
            assert_eq!(seen(&spans, &inner), ["outer", "inner"]);
            assert!(spans.release(&inner));
            assert!(seen(&spans, &inner).is_empty() && seen(&spans, &outer).is_empty());
            // Its place is used again, and not for its identifier.
            let next: Vec<_> = (0..3).map(|_| spans.open(span(None, "next"))).collect();
            assert!(!next.contains(&inner) && !next.contains(&outer));
            assert!(seen(&spans, &inner).is_empty() && !spans.release(&inner));
            assert_eq!(seen(&spans, &next[0]), ["next"]);
        });
    }

    #[test]
    fn spans_are_left_in_any_order() {
        let ids: Vec<_> = (1..4).map(Id::from_u64).collect();
        ids.iter().for_each(enter);
        exit(&ids[1]);
        assert_eq!(current().as_ref(), Some(&ids[2]));
        exit(&ids[2]);
        assert_eq!(current().as_ref(), Some(&ids[0]));
        exit(&ids[0]);
        assert_eq!(current(), None);
    }
}
