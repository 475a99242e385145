//! How a network is filled: the shortest ways first, each as far as it has room (Dinic's algorithm).

use super::{Network, SINK};

/// The steps to a node that there is no way to.
const UNREACHED: u32 = u32::MAX;

/// Ways from the source, as they are looked for round after round.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// How far each node is.
    far: Vec<u32>,
    /// The nodes that are reached, with how far each is, the nearest first.
    order: Vec<(u32, u32)>,
    /// Where to go on at each node.
    next: Vec<u32>,
    /// The links of one way.
    way: Vec<u32>,
}

impl Steps {
    fn clear(&mut self, nodes: usize) {
        self.order.clear();
        self.far.clear();
        self.far.resize(nodes, UNREACHED);
    }

    fn note(&mut self, node: u32, far: u32) {
        if let Some(slot) = self.far.get_mut(node as usize) {
            *slot = far;
            self.order.push((node, far));
        }
    }

    pub(super) fn reach(&self, node: u32) -> bool {
        self.far.get(node as usize).is_some_and(|far| *far != UNREACHED)
    }
}

impl Network<'_> {
    /// Fills the network up to a value. Returns what arrives, and whether the work did not suffice to be sure that it is the
    /// most.
    pub(in super::super) fn fill(&mut self, saturation: u32, work: usize) -> (u32, bool) {
        let mut value = 0;
        let mut left = work;
        if self.source == SINK {
            return (0, false);
        }
        let mut found = Steps::default();
        while value < saturation {
            if !self.find_steps(&mut found, &mut left) {
                return (value, true);
            }
            if !found.reach(SINK) {
                break;
            }
            value += self.send_shortest(&mut found, saturation - value, &mut left);
        }
        (value, false)
    }

    /// Finds how many steps each node is away from the source where there is room, as far as the sink is or, if there is no
    /// way to it, all of them. False when there was not enough work left.
    pub(super) fn find_steps(&self, found: &mut Steps, left: &mut usize) -> bool {
        found.clear(self.nodes());
        found.note(self.source, 0);
        let mut at = 0;
        while let Some((node, far)) = found.order.get(at).copied() {
            at += 1;
            let links = self.links_at(node);
            let Some(rest) = left.checked_sub(links.len()) else {
                return false;
            };
            *left = rest;
            for number in links {
                let Some(link) = self.links.get(*number as usize) else {
                    continue;
                };
                if link.room > 0 && !found.reach(link.to) {
                    found.note(link.to, far + 1);
                    if link.to == SINK {
                        return true;
                    }
                }
            }
        }
        true
    }

    /// Sends what fits along ways on which every step leads away from the source, until none has room or the work is spent.
    fn send_shortest(&mut self, found: &mut Steps, most: u32, left: &mut usize) -> u32 {
        // The links at each node before this place lead nowhere any more.
        found.next.clone_from(&self.starts);
        let mut sent = 0;
        while sent < most && *left > 0 && self.find_way(found, left) {
            sent += self.augment(&found.way, most - sent);
        }
        sent
    }

    fn find_way(&self, found: &mut Steps, left: &mut usize) -> bool {
        found.way.clear();
        let mut node = self.source;
        while node != SINK {
            if let Some(number) = self.step_on(node, found, left) {
                found.way.push(number);
                node = self.to(number);
            } else {
                let Some(back) = found.way.pop() else {
                    return false;
                };
                node = self.to(back ^ 1);
                if let Some(place) = found.next.get_mut(node as usize) {
                    *place += 1;
                }
            }
        }
        true
    }

    /// The first link at a node that has room and leads away from the source.
    fn step_on(&self, node: u32, found: &mut Steps, left: &mut usize) -> Option<u32> {
        let further = found.far.get(node as usize)?.checked_add(1)?;
        let end = *self.starts.get(node as usize + 1)?;
        let place = found.next.get_mut(node as usize)?;
        while *place < end {
            *left = left.saturating_sub(1);
            let number = *self.at.get(*place as usize)?;
            if self.room(number) > 0 && found.far.get(self.to(number) as usize) == Some(&further) {
                return Some(number);
            }
            *place += 1;
        }
        None
    }

    /// Sends what fits along a way.
    fn augment(&mut self, way: &[u32], most: u32) -> u32 {
        let room = way.iter().map(|number| self.room(*number)).min();
        let amount = room.unwrap_or(0).min(most);
        for number in way {
            self.send(*number, amount);
        }
        amount
    }
}
