//! The network's faults. Those of machines are in `residents`.

use super::{World, chronicle::What};
use crate::network::Separation;

impl World {
    /// Separates groups of nodes from each other and from all others, in place of an earlier partition. Connections
    /// break at once.
    pub fn cut(&mut self, groups: &[Vec<usize>]) {
        self.separate(groups, Separation::Cut);
    }

    /// Separates groups of nodes so that nobody is told: connections stay, and nothing arrives.
    pub fn black_hole(&mut self, groups: &[Vec<usize>]) {
        self.separate(groups, Separation::BlackHole);
    }

    fn separate(&mut self, groups: &[Vec<usize>], separation: Separation) {
        self.network.separate(groups, separation);
        if let Some(twins) = &self.twins {
            twins.network().separate(groups, separation);
        }
        self.note(None, What::Separated(groups.to_vec(), separation));
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
}
