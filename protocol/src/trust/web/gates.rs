//! What an organisation may do here: [`Gates`] (design, trust 4.6).

use crate::{statement::FULL, trust::independence::ENOUGH};

/// The verdict of each gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// It connects by right.
    pub connect: bool,
    /// Its records are handed on.
    pub relay: bool,
    /// Its records are shown.
    pub accept: bool,
    /// It may be told TLP:GREEN.
    pub confide: bool,
    /// What it says may be acted on.
    pub act: bool,
}

/// What the gates depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// `B` in any scope.
    pub reach: u8,
    /// `B` among those who may be told TLP:GREEN.
    pub confided: u8,
    /// `F` for the question.
    pub full: u32,
    /// It stays believed whichever other organisation is gone.
    pub independent: bool,
}

impl From<Marks> for Gates {
    fn from(marks: Marks) -> Self {
        Self {
            connect: marks.reach >= 1,
            relay: marks.reach >= 1,
            accept: marks.full >= u32::from(ENOUGH),
            confide: marks.confided >= ENOUGH,
            act: marks.full >= u32::from(FULL) && marks.independent,
        }
    }
}
