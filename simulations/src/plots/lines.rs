//! How records spread over time: [`spread`].

use plotters::prelude::*;

use super::{SIZE, colour, explain};
use crate::report::{Spread, figures::Percentiles};

/// Points of one curve; more are not seen.
const POINTS: usize = 200;

/// The share of nodes that have a record by time since publication: the median record, the slowest of a hundred, and the
/// slowest. None when nothing arrived anywhere.
pub fn spread(records: &[Spread]) -> Option<String> {
    let longest = records
        .iter()
        .filter_map(|record| record.arrivals.last())
        .copied()
        .fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, records, longest).expect("a text takes every figure");
    Some(svg)
}

type Failed = DrawingAreaErrorKind<std::io::Error>;

fn draw(svg: &mut String, records: &[Spread], longest: f64) -> Result<(), Failed> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..longest, 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("ms since publication")
        .y_desc("% of the nodes that want it")
        .draw()?;
    for (number, (name, percent)) in [("median record", 50), ("slowest in ten", 10), ("slowest", 0)]
        .into_iter()
        .enumerate()
    {
        let points = (0..=POINTS).map(|step| longest * step as f64 / POINTS as f64);
        let points: Vec<(f64, f64)> = points.map(|time| (time, share(records, time, percent))).collect();
        let style = ShapeStyle::from(&colour(number)).stroke_width(2);
        let legend = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(name)
            .legend(legend);
    }
    explain(&mut chart)?;
    area.present()
}

/// The share that so many percent of the records do not exceed at this time.
fn share(records: &[Spread], time: f64, percent: usize) -> f64 {
    let mut shares: Vec<f64> = records
        .iter()
        .filter(|record| record.wanted > 0)
        .map(|record| 100.0 * record.arrivals.partition_point(|arrival| *arrival <= time) as f64 / record.wanted as f64)
        .collect();
    shares.sort_by(f64::total_cmp);
    match percent {
        50 => Percentiles::of(shares).p50,
        _ => shares.get(shares.len() * percent / 100).copied().unwrap_or(0.0),
    }
}
