//! Peers by their addresses, in the order in which they make room.
//!
//! Every operation takes constant time. A sender of forged addresses fills the table, and each further address would
//! cost a look at every peer otherwise.

use std::collections::HashMap;
use std::hash::Hash;

/// Peers, each with a value.
pub(super) struct Peers<P, V> {
    places: HashMap<P, usize>,
    slots: Vec<Slot<P, V>>,
    /// Slots without a peer.
    free: Vec<usize>,
    /// First those that make room first: one that may be forged, and one that has proven to be there.
    queues: [Queue; 2],
}

/// A peer, and its neighbours in its queue.
struct Slot<P, V> {
    content: Option<(P, V)>,
    queue: usize,
    before: Option<usize>,
    behind: Option<usize>,
}

/// Both ends of a list. The first one has been silent for longest.
#[derive(Clone, Copy, Default)]
struct Queue {
    first: Option<usize>,
    last: Option<usize>,
}

impl<P, V> Default for Peers<P, V> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            queues: [Queue::default(); 2],
        }
    }
}

impl<P: Clone + Eq + Hash, V> Peers<P, V> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, peer: &P) -> Option<&V> {
        let at = *self.places.get(peer)?;
        self.slots[at].content.as_ref().map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&P, &V)> {
        self.slots
            .iter()
            .filter_map(|slot| slot.content.as_ref())
            .map(|(peer, value)| (peer, value))
    }

    /// Adds a peer that isn't there, as one that may be forged.
    pub(super) fn insert(&mut self, peer: P, value: V) {
        let slot =
            Slot { content: Some((peer.clone(), value)), queue: 0, before: None, behind: None };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        self.append(at, 0);
        self.places.insert(peer, at);
    }

    /// Has a peer do something that it is heard by, and makes it the last one to make room among those that are proven
    /// like it. `hear` returns whether it is. `None` if there is no such peer.
    pub(super) fn heard(&mut self, peer: &P, hear: impl FnOnce(&V) -> bool) -> Option<()> {
        let at = *self.places.get(peer)?;
        let (_, value) = self.slots[at].content.as_ref()?;
        let queue = usize::from(hear(value));
        // The one that sends again and again is the last already.
        if self.slots[at].queue != queue || self.queues[queue].last != Some(at) {
            self.unlink(at);
            self.append(at, queue);
        }
        Some(())
    }

    pub(super) fn remove(&mut self, peer: &P) -> Option<V> {
        let at = self.places.remove(peer)?;
        self.unlink(at);
        self.free.push(at);
        self.slots[at].content.take().map(|(_, value)| value)
    }

    /// Removes the peer that makes room first.
    pub(super) fn make_room(&mut self) -> Option<V> {
        let first = self.queues.iter().find_map(|queue| queue.first)?;
        let peer = self.slots[first].content.as_ref().map(|(peer, _)| peer.clone())?;
        self.remove(&peer)
    }

    fn append(&mut self, at: usize, queue: usize) {
        let last = self.queues[queue].last.replace(at);
        match last {
            Some(last) => self.slots[last].behind = Some(at),
            None => self.queues[queue].first = Some(at),
        }
        let slot = &mut self.slots[at];
        (slot.queue, slot.before, slot.behind) = (queue, last, None);
    }

    fn unlink(&mut self, at: usize) {
        let Slot { queue, before, behind, .. } = self.slots[at];
        match before {
            Some(before) => self.slots[before].behind = behind,
            None => self.queues[queue].first = behind,
        }
        match behind {
            Some(behind) => self.slots[behind].before = before,
            None => self.queues[queue].last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_makes_room_and_proven_ones_last() {
        let mut peers = Peers::default();
        for peer in 0..6 {
            peers.insert(peer, peer);
        }
        peers.heard(&1, |_| true).expect("it is there");
        peers.heard(&0, |_| true).expect("it is there");
        peers.heard(&2, |_| false).expect("it is there");
        peers.heard(&1, |_| true).expect("it is there");
        assert_eq!(peers.heard(&9, |_| true), None);
        assert_eq!(peers.remove(&4), Some(4));
        assert_eq!((peers.remove(&4), peers.len()), (None, 5));
        let order: Vec<_> = std::iter::from_fn(|| peers.make_room()).collect();
        assert_eq!(order, [3, 5, 2, 0, 1]);
        assert_eq!((peers.len(), peers.iter().count()), (0, 0));
    }

    /// Compared with a list that is searched.
    #[test]
    fn any_sequence_leaves_the_same_order_as_a_list() {
        let (mut peers, mut list) = (Peers::default(), Vec::<(u32, bool)>::new());
        let mut random = 1_u32;
        for _ in 0..20_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (peer, act) = ((random >> 8) % 16, (random >> 24) % 8);
            let known = list.iter().position(|(known, _)| *known == peer);
            match (act, known) {
                (0..=1, Some(at)) => {
                    list.remove(at);
                    assert_eq!(peers.remove(&peer), Some(peer));
                }
                (2, _) => {
                    let first = list.iter().position(|(_, proven)| !proven);
                    let first = first.or((!list.is_empty()).then_some(0));
                    let expected = first.map(|at| list.remove(at).0);
                    assert_eq!(peers.make_room(), expected);
                }
                (_, Some(at)) => {
                    let (_, before) = list.remove(at);
                    let proven = before || act == 7;
                    list.push((peer, proven));
                    assert!(peers.heard(&peer, |_| proven).is_some());
                }
                (_, None) => {
                    list.push((peer, false));
                    peers.insert(peer, peer);
                }
            }
            assert_eq!(peers.len(), list.len());
            assert_eq!(peers.get(&peer).is_some(), list.iter().any(|(known, _)| *known == peer));
        }
        assert!(peers.slots.len() <= 16, "places are used again");
    }
}
