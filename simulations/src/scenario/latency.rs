//! How far apart regions are: [`Latency`], from a CSV file of round trips in ms whose first line and first column name the
//! regions. Lines that begin with `#` say where the numbers come from.

use std::time::Duration;

/// The file that comes along: `data/latency.csv`.
const SHIPPED: &str = include_str!("../../data/latency.csv");
/// A round trip longer than this is a mistake in the file: no line on earth, and none to geostationary orbit, needs a minute.
const LONGEST_MS: f64 = 60_000.0;

/// One-way times between regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The names of the regions, in the order of the file.
    pub regions: Vec<String>,
    /// The way from each region to each.
    one_way: Vec<Vec<Duration>>,
}

/// Why a latency file cannot be used: its line, counted from 1, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LatencyFault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl Latency {
    /// The matrix that comes along, of 19 regions on all continents.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test reads the file that comes along")
    }

    /// Reads a matrix.
    ///
    /// # Errors
    /// When it is not square, not symmetric, names a region twice, or holds what is no time.
    pub fn parse(text: &str) -> Result<Self, LatencyFault> {
        let mut rows = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let Some((first, head)) = rows.next() else {
            return Err(fault(1, "there is no line with the names of the regions"));
        };
        let regions: Vec<String> = head.split(',').skip(1).map(|name| name.trim().to_owned()).collect();
        unique(first, &regions)?;
        let mut one_way = Vec::with_capacity(regions.len());
        let mut last = first;
        for (line, row) in rows {
            last = line;
            let name = regions
                .get(one_way.len())
                .ok_or_else(|| fault(line, "there are more lines than regions"))?;
            one_way.push(cells(line, row, name, regions.len())?);
        }
        if one_way.len() < regions.len() {
            return Err(fault(last, "there are fewer lines than regions"));
        }
        let matrix = Self { regions, one_way };
        matrix.symmetric(last)?;
        Ok(matrix)
    }

    /// How long something travels from one region to another.
    pub fn one_way(&self, from: usize, to: usize) -> Duration {
        self.one_way[from][to]
    }

    /// The place of a region in the file.
    pub fn region(&self, name: &str) -> Option<usize> {
        self.regions.iter().position(|region| region == name)
    }

    fn symmetric(&self, line: usize) -> Result<(), LatencyFault> {
        for from in 0..self.regions.len() {
            for to in 0..from {
                if self.one_way[from][to] != self.one_way[to][from] {
                    let (one, other) = (&self.regions[from], &self.regions[to]);
                    let reason = format!("{one} to {other} and back differ; a round trip is the same from both ends");
                    return Err(LatencyFault { line, reason });
                }
            }
        }
        Ok(())
    }
}

fn fault(line: usize, reason: &str) -> LatencyFault {
    LatencyFault {
        line,
        reason: reason.to_owned(),
    }
}

fn unique(line: usize, regions: &[String]) -> Result<(), LatencyFault> {
    if regions.is_empty() || regions.iter().any(String::is_empty) {
        return Err(fault(line, "a region has no name"));
    }
    let mut sorted: Vec<&String> = regions.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(fault(line, &format!("the region {} is there twice", pair[0]))),
        None => Ok(()),
    }
}

/// The numbers of one line, halved: the file holds round trips.
fn cells(line: usize, row: &str, name: &str, count: usize) -> Result<Vec<Duration>, LatencyFault> {
    let mut fields = row.split(',').map(str::trim);
    if fields.next() != Some(name) {
        let reason = format!("this line should begin with {name}, in the order of the first line");
        return Err(LatencyFault { line, reason });
    }
    let numbers: Vec<Duration> = fields.map(|field| half(line, field)).collect::<Result<_, _>>()?;
    if numbers.len() != count {
        let reason = format!("{} numbers for {count} regions", numbers.len());
        return Err(LatencyFault { line, reason });
    }
    Ok(numbers)
}

fn half(line: usize, field: &str) -> Result<Duration, LatencyFault> {
    match field.parse::<f64>() {
        Ok(round_trip) if (0.0..=LONGEST_MS).contains(&round_trip) => {
            Ok(Duration::from_nanos((round_trip * 500_000.0) as u64))
        }
        _ => Err(fault(
            line,
            &format!("`{field}` is no round trip between 0 and {LONGEST_MS} ms"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_matrix_spans_the_world() {
        let shipped = Latency::shipped();
        assert_eq!(shipped.regions.len(), 19);
        let [london, sydney] = ["uksouth", "australiaeast"].map(|name| shipped.region(name).expect("a region"));
        assert_eq!(shipped.one_way(london, sydney), Duration::from_millis(129));
        assert_eq!(shipped.region("atlantis"), None);
    }

    #[test]
    fn broken_matrices_say_where() {
        let check = |text: &str, line: usize, word: &str| {
            let fault = Latency::parse(text).expect_err(text);
            assert_eq!(fault.line, line, "{fault}");
            assert!(fault.reason.contains(word), "{fault}");
        };
        check("", 1, "no line");
        check("# only a comment\n", 1, "no line");
        check("region\n", 1, "no name");
        check("region,a,\n", 1, "no name");
        check("region,a,b,a\n", 1, "a is there twice");
        check("region,a,b\na,1,2\n", 2, "fewer lines");
        check("region,a\na,1\nb,2\n", 3, "more lines");
        check("region,a,b\nb,1,2\na,1,2\n", 2, "begin with a");
        check("region,a,b\na,1\nb,1,2\n", 2, "1 numbers for 2");
        check("region,a,b\na,1,2,3\nb,1,2\n", 2, "3 numbers for 2");
        check("region,a,b\na,1,far\nb,1,2\n", 2, "`far`");
        check("region,a,b\na,1,-2\nb,1,2\n", 2, "`-2`");
        check("region,a,b\na,1,NaN\nb,1,2\n", 2, "`NaN`");
        check("region,a,b\na,1,1e9\nb,1,2\n", 2, "`1e9`");
        check("region,a,b\na,1,5\nb,6,1\n", 3, "differ");
    }
}
