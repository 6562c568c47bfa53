//! Peers by their addresses, in the order in which they make room.
//!
//! Every operation takes constant time. A sender of forged addresses fills the table, and each further address would
//! cost a look at every peer otherwise.

// Not the default of the map, which doesn't withstand addresses that are chosen to collide.
use std::hash::{Hash, RandomState};

use hashlink::LinkedHashMap;

/// Peers, each with a value. The table that owns them limits their number.
pub(super) struct Peers<P, V> {
    /// First those that make room first: the ones that may be forged, and the ones that have proven to be there. The
    /// first of each has been silent for longest.
    queues: [LinkedHashMap<P, V, RandomState>; 2],
}

impl<P: Eq + Hash, V> Default for Peers<P, V> {
    fn default() -> Self {
        Self { queues: [(); 2].map(|()| LinkedHashMap::with_hasher(RandomState::new())) }
    }
}

impl<P: Eq + Hash, V> Peers<P, V> {
    pub(super) fn len(&self) -> usize {
        self.queues.iter().map(LinkedHashMap::len).sum()
    }

    pub(super) fn get(&self, peer: &P) -> Option<&V> {
        self.queues.iter().find_map(|queue| queue.get(peer))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&P, &V)> {
        self.queues.iter().flatten()
    }

    /// Adds a peer that isn't there, as one that may be forged.
    pub(super) fn insert(&mut self, peer: P, value: V) {
        self.queues[0].insert(peer, value);
    }

    /// Has a peer do something that it is heard by, and makes it the last one to make room among those that are proven
    /// like it. `hear` returns whether it is; a proven one stays so. `None` if there is no such peer.
    pub(super) fn heard(&mut self, peer: &P, hear: impl FnOnce(&V) -> bool) -> Option<()> {
        let [forged, proven] = &mut self.queues;
        if let Some(value) = proven.to_back(peer) {
            hear(value);
        } else if hear(forged.to_back(peer)?) {
            let (peer, value) = forged.remove_entry(peer)?;
            proven.insert(peer, value);
        }
        Some(())
    }

    pub(super) fn remove(&mut self, peer: &P) -> Option<V> {
        self.queues.iter_mut().find_map(|queue| queue.remove(peer))
    }

    /// Removes the peer that makes room first.
    pub(super) fn make_room(&mut self) -> Option<V> {
        self.queues.iter_mut().find_map(LinkedHashMap::pop_front).map(|(_, value)| value)
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
    }
}
