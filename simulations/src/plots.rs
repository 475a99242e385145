//! The figures of a report as SVG texts, which the page holds inside itself.
//!
//! | part | what it does |
//! |---|---|
//! | `lines` | how records spread over time |
//! | `course` | trust and poison over time |
//! | `bars` | numbers side by side |
//! | `map` | who is connected to whom |

pub mod bars;
pub mod course;
pub mod lines;
pub mod map;

use plotters::{chart::ChartContext, coord::CoordTranslate, prelude::*};

/// Width and height of every figure.
const SIZE: (u32, u32) = (860, 380);
/// Colours that differ for readers who cannot tell red from green (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(110, 110, 110),
];

fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// Says in a corner which colour is what.
fn explain<'a, B: DrawingBackend + 'a, C: CoordTranslate>(
    chart: &mut ChartContext<'a, B, C>,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()
}
