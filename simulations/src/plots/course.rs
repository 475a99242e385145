//! Trust and poison over time: [`course`].

use plotters::prelude::*;

use super::{SIZE, colour, explain};
use crate::report::trust::Look;

/// What is shown of a look, and its name.
type Curve = (&'static str, fn(&Look) -> Option<f64>);

const CURVES: [Curve; 6] = [
    ("honest organisations trusted", |look| Some(look.honest_trusted_percent)),
    ("adversaries trusted", |look| Some(look.hostile_trusted_percent)),
    ("poison believed", |look| look.poison_believed_percent),
    ("poison listed", |look| look.poison_listed_percent),
    ("highest score of poison, of 1,000", |look| {
        look.poison_score.map(|score| f64::from(score) / 10.0)
    }),
    ("names of several reporters listed", |look| look.true_listed_percent),
];

/// Shares in percent by virtual time, of what there was. None when there was no look.
pub fn course(looks: &[Look]) -> Option<String> {
    let last = looks.last()?.seconds.max(1.0);
    let mut svg = String::new();
    draw(&mut svg, looks, last).expect("a text takes every figure");
    Some(svg)
}

type Failed = DrawingAreaErrorKind<std::io::Error>;

fn draw(svg: &mut String, looks: &[Look], last: f64) -> Result<(), Failed> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..last, 0.0..100.0)?;
    chart.configure_mesh().x_desc("virtual seconds").y_desc("%").draw()?;
    for (number, (name, value)) in CURVES.into_iter().enumerate() {
        let points = looks.iter().filter_map(|look| Some((look.seconds, value(look)?)));
        let points: Vec<(f64, f64)> = points.collect();
        if points.is_empty() {
            continue;
        }
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
