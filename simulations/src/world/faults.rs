//! The network's faults, and what adversaries do to it. Those of machines are in `residents`.

use super::{World, chronicle::What};
use crate::network::Separation;

impl World {
    /// Separates groups of nodes from each other and from all others, in place of all earlier partitions. Connections
    /// break at once.
    pub fn cut(&mut self, groups: &[Vec<usize>]) {
        self.partition(&[(groups.to_vec(), Separation::Cut)]);
    }

    /// Separates groups of nodes so that nobody is told: connections stay, and nothing arrives.
    pub fn black_hole(&mut self, groups: &[Vec<usize>]) {
        self.partition(&[(groups.to_vec(), Separation::BlackHole)]);
    }

    /// Puts these partitions in place of all earlier ones, each of groups that are separated from each other and from all
    /// others. What a black hole held arrives where none of them is in the way. Blocks stay.
    pub fn partition(&mut self, partitions: &[(Vec<Vec<usize>>, Separation)]) {
        self.network.partition(partitions);
        if let Some(twins) = &self.twins {
            twins.network().partition(partitions);
        }
        for (groups, separation) in partitions {
            self.note(None, What::Separated(groups.clone(), *separation));
        }
        if partitions.is_empty() {
            let whole = !self.network.has_blocks();
            self.note(None, if whole { What::Healed } else { What::Rejoined });
        }
    }

    /// Lets nothing pass between two nodes.
    pub fn block(&mut self, one: usize, other: usize, separation: Separation) {
        self.network.block(one, other, separation);
        if let Some(twins) = &self.twins {
            twins.network().block(one, other, separation);
        }
        self.note(None, What::Blocked(one, other, separation));
    }

    /// Ends every partition and block. What a black hole held arrives; what was cut, the nodes dial again by themselves.
    pub fn heal(&mut self) {
        self.network.mend();
        if let Some(twins) = &self.twins {
            twins.network().mend();
        }
        self.note(None, What::Healed);
    }

    /// From now on a node takes every request for a body, and says nothing to it.
    pub fn silence(&mut self, node: usize) {
        self.network.silence(node);
    }
}
