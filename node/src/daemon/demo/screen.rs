//! How the demo shows what happens: bars on a terminal, lines elsewhere; on standard error when results are JSON.

use std::{cell::RefCell, io::Write};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{
    nodes::{HOPS, NAMES},
    spread::Spread,
};

/// Where progress goes.
#[derive(Debug)]
pub(super) struct Screen {
    to_errors: bool,
}

/// One line for each node, live on a terminal.
#[derive(Debug)]
pub(super) struct Bars<'a> {
    screen: &'a Screen,
    expected: u64,
    drawn: Vec<ProgressBar>,
    told: RefCell<Vec<bool>>,
}

impl Screen {
    /// For JSON results, or for a person.
    pub(super) fn new(json: bool) -> Self {
        Self { to_errors: json }
    }

    /// Says a line.
    pub(super) fn say(&self, line: &str) {
        // The demo goes on when nobody reads along.
        let _ = if self.to_errors {
            writeln!(anstream::stderr(), "{line}")
        } else {
            writeln!(anstream::stdout(), "{line}")
        };
    }

    /// Begins to show how much each node holds.
    pub(super) fn bars(&self, expected: u64) -> Bars<'_> {
        let drawn = if self.to_errors {
            Vec::new()
        } else {
            draw(MultiProgress::new(), expected)
        };
        self.showing(drawn, expected)
    }

    fn showing(&self, drawn: Vec<ProgressBar>, expected: u64) -> Bars<'_> {
        Bars {
            screen: self,
            expected,
            drawn,
            told: RefCell::new(vec![false; NAMES.len()]),
        }
    }
}

/// None where nothing can be drawn: no terminal, or one that only prints lines (TERM=dumb).
fn draw(together: MultiProgress, expected: u64) -> Vec<ProgressBar> {
    if together.is_hidden() {
        return Vec::new();
    }
    let style = ProgressStyle::with_template("{prefix:30} {bar:20.green} {pos:>6}/{len} {msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = |node: usize| {
        let bar = together.add(ProgressBar::new(expected).with_style(style.clone()));
        bar.set_prefix(label(node));
        bar
    };
    (0..NAMES.len()).map(bar).collect()
}

fn label(node: usize) -> String {
    let hops = match HOPS[node] {
        0 => "publishes".to_owned(),
        1 => "1 hop".to_owned(),
        hops => format!("{hops} hops"),
    };
    format!("{node} {} ({hops})", NAMES[node])
}

impl Bars<'_> {
    /// Shows where things stand.
    pub(super) fn show(&self, spread: &Spread) {
        for (node, held) in spread.held.iter().enumerate() {
            let time = spread.times.get(node).copied().flatten();
            if let Some(bar) = self.drawn.get(node) {
                bar.set_position(*held);
                if let Some(time) = time {
                    bar.set_message(format!("{time} ms"));
                }
            } else if let Some(time) = time {
                self.tell_once(node, *held, time);
            }
        }
    }

    fn tell_once(&self, node: usize, held: u64, time: u64) {
        if let Some(told) = self.told.borrow_mut().get_mut(node)
            && !std::mem::replace(told, true)
        {
            self.screen
                .say(&format!("{}: {held} of {} after {time} ms", label(node), self.expected));
        }
    }

    /// Leaves the bars as they are.
    pub(super) fn finish(&self) {
        self.drawn.iter().for_each(ProgressBar::abandon);
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressDrawTarget;

    use super::*;

    #[test]
    fn lines_are_told_where_nothing_can_be_drawn() {
        let screen = Screen::new(false);
        let spread = Spread {
            held: vec![3; NAMES.len()],
            times: vec![Some(7); NAMES.len()],
        };
        let told = |target: ProgressDrawTarget| {
            let bars = screen.showing(draw(MultiProgress::with_draw_target(target), 3), 3);
            bars.show(&spread);
            bars.told.take()
        };
        assert_eq!(told(ProgressDrawTarget::hidden()), [true; NAMES.len()]);
    }
}
