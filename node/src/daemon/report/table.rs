//! Columns for people: a [`Table`] is as wide as its widest cells.

use super::{HEAD, clean, styled};

/// Rows under heads.
#[derive(Clone, Debug)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one with these heads.
    pub fn new(heads: &[&'static str]) -> Self {
        Self {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; its cells may hold what others wrote.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| clean(cell)).collect());
    }

    /// The lines, heads first; the last column is not filled up.
    pub fn lines(&self) -> Vec<String> {
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let widths: Vec<usize> = (0..heads.len()).map(|column| self.width(column)).collect();
        let mut lines = vec![styled(HEAD, &aligned(&heads, &widths))];
        lines.extend(self.rows.iter().map(|row| aligned(row, &widths)));
        lines
    }

    fn width(&self, column: usize) -> usize {
        let head = self.heads.get(column).map_or(0, |head| head.len());
        let cells = self
            .rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(head)
    }
}

/// Names and values, one pair a line.
pub fn pairs(pairs: &[(&str, String)]) -> Vec<String> {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line =
        |(name, value): &(&str, String)| format!("{}  {}", styled(HEAD, &format!("{name:width$}")), clean(value));
    pairs.iter().map(line).collect()
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines as a pipe sees them.
    fn piped(lines: &[String]) -> Vec<String> {
        lines
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect()
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["VALUE", "N"]);
        table.row(vec!["é".to_owned(), "10".to_owned()]);
        table.row(vec!["evil.example\n".to_owned(), String::new()]);
        assert_eq!(
            piped(&table.lines()),
            ["VALUE          N", "é              10", "evil.example\u{fffd}"]
        );
        assert_eq!(piped(&Table::new(&["A"]).lines()), ["A"]);
    }

    #[test]
    fn pairs_are_aligned() {
        let lines = pairs(&[("a", "1".to_owned()), ("long", "2\u{1b}".to_owned())]);
        assert_eq!(piped(&lines), ["a     1", "long  2\u{fffd}"]);
    }
}
