//! How records spread over time: [`spread`].

use plotters::prelude::*;

use super::{SIZE, colour, explain};
use crate::report::Spread;

/// Points of one curve; more are not seen.
const POINTS: usize = 200;
/// Nothing arrives sooner, in ms.
const SOONEST: f64 = 1.0;
/// The records that are shown, and how many percent of all took at most as long to be everywhere.
const SHOWN: [(&str, usize); 3] = [
    ("median record", 50),
    ("90 of 100 were faster", 91),
    ("slowest record", 100),
];

/// The share of nodes that have a record by time since its publication, of three records. Time is logarithmic: what waits for
/// hours is shown beside what takes milliseconds. None when nothing arrived anywhere.
pub fn spread(records: &[Spread]) -> Option<String> {
    let shown = shown(records);
    let times = || shown.iter().flat_map(|(_, record)| &record.arrivals).copied();
    let first = times().reduce(f64::min)?.max(SOONEST);
    // An axis has some length, also when all came at once.
    let last = times().reduce(f64::max)?.max(2.0 * first);
    let mut svg = String::new();
    draw(&mut svg, &shown, (first, last)).expect("a text takes every figure");
    Some(svg)
}

type Failed = DrawingAreaErrorKind<std::io::Error>;

fn draw(svg: &mut String, shown: &[(&'static str, &Spread)], (first, last): (f64, f64)) -> Result<(), Failed> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d((first..last).log_scale(), 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("since publication")
        .x_label_formatter(&|ms| time(*ms))
        .y_desc("% of the nodes that want it")
        .draw()?;
    for (number, (name, record)) in shown.iter().enumerate() {
        let style = ShapeStyle::from(&colour(number)).stroke_width(2);
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style);
        let points = curve(record, (first, last));
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(*name)
            .legend(legend);
    }
    explain(&mut chart)?;
    area.present()
}

/// Some of all records, each itself: whoever is not everywhere took longest.
fn shown(records: &[Spread]) -> Vec<(&'static str, &Spread)> {
    let mut wanted: Vec<&Spread> = records.iter().filter(|record| record.wanted > 0).collect();
    let missing = |record: &Spread| record.wanted - record.arrivals.len() as u64;
    let last = |record: &Spread| record.arrivals.last().copied().unwrap_or_default();
    wanted.sort_by(|one, other| {
        missing(one)
            .cmp(&missing(other))
            .then(last(one).total_cmp(&last(other)))
    });
    let rank = |percent: usize| (wanted.len() * percent).div_ceil(100).checked_sub(1);
    let at = |(name, percent)| Some((name, *wanted.get(rank(percent)?)?));
    SHOWN.into_iter().filter_map(at).collect()
}

/// The share of the nodes that had a record, whenever it had come to some more.
fn curve(record: &Spread, (first, last): (f64, f64)) -> Vec<(f64, f64)> {
    let count = record.arrivals.len();
    let share = |arrived: usize| 100.0 * arrived as f64 / record.wanted as f64;
    let step = count.div_ceil(POINTS).max(1);
    let arrivals = record.arrivals.iter().enumerate();
    let some = arrivals.filter(|(place, _)| (place + 1) % step == 0 || place + 1 == count);
    let points = some.map(|(place, at)| (at.max(SOONEST), share(place + 1)));
    [(first, 0.0)]
        .into_iter()
        .chain(points)
        .chain([(last, share(count))])
        .collect()
}

fn time(ms: f64) -> String {
    if ms < 1_000.0 {
        format!("{ms} ms")
    } else {
        format!("{} s", ms / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_is_what_is_not_everywhere() {
        let record = |record: u64, wanted: u64, arrivals: &[f64]| Spread {
            record,
            at: 0.0,
            wanted,
            arrivals: arrivals.to_vec(),
        };
        let check = |records: &[Spread], expected: &[u64]| {
            let found: Vec<u64> = shown(records).iter().map(|(_, record)| record.record).collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(&[record(1, 0, &[])], &[]);
        check(&[record(1, 1, &[])], &[1, 1, 1]);
        let some = [
            record(1, 2, &[1.0]),
            record(2, 2, &[1.0, 9.0]),
            record(3, 2, &[1.0, 5.0]),
        ];
        check(&some, &[2, 1, 1]);
        let many: Vec<Spread> = (1..=100).map(|number| record(number, 1, &[number as f64])).collect();
        check(&many, &[50, 91, 100]);
        assert_eq!(spread(&[record(1, 1, &[])]), None);
    }

    #[test]
    fn milliseconds_are_seen_beside_hours() {
        let hours = Spread {
            record: 0,
            at: 0.0,
            wanted: 4,
            arrivals: vec![20.0, 200.0, 4e7],
        };
        let svg = spread(std::slice::from_ref(&hours)).expect("something arrived");
        assert!(svg.contains("100 ms") && svg.contains("10000 s"), "{svg}");
        let points = curve(&hours, (20.0, 4e7));
        assert_eq!(
            points,
            [(20.0, 0.0), (20.0, 25.0), (200.0, 50.0), (4e7, 75.0), (4e7, 75.0)]
        );
        let at_once = Spread {
            wanted: 1,
            arrivals: vec![0.0],
            ..hours
        };
        assert!(spread(&[at_once]).is_some());
    }
}
