//! Numbers side by side: [`bars`].

use plotters::prelude::*;

use super::{SIZE, colour, explain};

/// One group of bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it is about.
    pub name: String,
    /// One number for each series.
    pub values: Vec<f64>,
}

/// Horizontal bars, a group a line. None when there is nothing to show.
pub fn bars(unit: &str, series: &[&str], groups: &[Group]) -> Option<String> {
    let most = groups
        .iter()
        .flat_map(|group| &group.values)
        .copied()
        .fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, unit, series, groups, most * 1.05).expect("a text takes every figure");
    Some(svg)
}

type Failed = DrawingAreaErrorKind<std::io::Error>;

fn draw(svg: &mut String, unit: &str, series: &[&str], groups: &[Group], most: f64) -> Result<(), Failed> {
    let height = 80 + groups.len() as u32 * 26;
    let area = SVGBackend::with_string(svg, (SIZE.0, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let count = groups.len() as f64;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(230)
        .build_cartesian_2d(0.0..most, count..0.0)?;
    chart.configure_mesh().disable_mesh().x_desc(unit).y_labels(0).draw()?;
    let width = 0.8 / series.len() as f64;
    for (number, name) in series.iter().enumerate() {
        let style = colour(number).filled();
        let bar = |(line, group): (usize, &Group)| {
            let top = line as f64 + 0.1 + number as f64 * width;
            Rectangle::new(
                [
                    (0.0, top),
                    (group.values.get(number).copied().unwrap_or(0.0), top + width),
                ],
                style,
            )
        };
        let legend = move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], style);
        chart
            .draw_series(groups.iter().enumerate().map(bar))?
            .label(*name)
            .legend(legend);
    }
    let plotting = chart.plotting_area().get_pixel_range();
    for (line, group) in groups.iter().enumerate() {
        let middle =
            plotting.1.start + ((line as f64 + 0.5) / count * f64::from(plotting.1.end - plotting.1.start)) as i32;
        let right = TextStyle::from(("sans-serif", 13)).pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Right,
            plotters::style::text_anchor::VPos::Center,
        ));
        area.draw_text(&group.name, &right, (plotting.0.start - 6, middle))?;
    }
    if series.len() > 1 {
        explain(&mut chart)?;
    }
    area.present()
}
