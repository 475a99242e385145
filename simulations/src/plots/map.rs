//! Who is connected to whom: [`map`], with the nodes on a circle, region by region.

use std::f64::consts::TAU;

use plotters::prelude::*;

use super::colour;
use crate::report::NodeRow;

/// Width and height.
const SIDE: u32 = 700;
/// More links than this make a black disc and a page of many MB.
const LINKS: usize = 4_000;

/// One of so many connections is drawn.
pub fn step(links: usize) -> usize {
    links.div_ceil(LINKS).max(1)
}

/// The nodes by region on a circle, with their connections. None without nodes.
pub fn map(nodes: &[NodeRow], links: &[(u32, u32)]) -> Option<String> {
    if nodes.is_empty() {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, nodes, links).expect("a text takes every figure");
    Some(svg)
}

type Failed = DrawingAreaErrorKind<std::io::Error>;

fn draw(svg: &mut String, nodes: &[NodeRow], links: &[(u32, u32)]) -> Result<(), Failed> {
    let area = SVGBackend::with_string(svg, (SIDE, SIDE)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|node| (&nodes[*node].region, *node));
    let mut regions: Vec<&str> = nodes.iter().map(|node| node.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    let mut at = vec![(0, 0); nodes.len()];
    for (place, node) in order.iter().enumerate() {
        at[*node] = on_circle(place as f64 / nodes.len() as f64, 0.40);
    }
    let thin = RGBColor(90, 90, 90).mix(if links.len() > 400 { 0.12 } else { 0.35 });
    for (one, other) in links.iter().step_by(step(links.len())) {
        if let (Some(one), Some(other)) = (at.get(*one as usize), at.get(*other as usize)) {
            area.draw(&PathElement::new([*one, *other], thin))?;
        }
    }
    for (node, place) in nodes.iter().zip(&at) {
        let region = regions.binary_search(&node.region.as_str()).unwrap_or_default();
        let size = if nodes.len() > 300 { 3 } else { 5 };
        area.draw(&Circle::new(*place, size, colour(region).filled()))?;
        if node.adversary.is_some() {
            area.draw(&Circle::new(*place, size + 3, RGBColor(180, 0, 0).stroke_width(2)))?;
        }
    }
    names(&area, nodes, &order, &regions)?;
    area.present()
}

/// The name of each region, outside of the middle of its arc.
fn names(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    nodes: &[NodeRow],
    order: &[usize],
    regions: &[&str],
) -> Result<(), Failed> {
    for region in regions {
        let mut places = order
            .iter()
            .enumerate()
            .filter(|(_, node)| nodes[**node].region == *region)
            .map(|(place, _)| place);
        let first = places.next().unwrap_or_default();
        let last = places.next_back().unwrap_or(first);
        let middle = (first + last) as f64 / 2.0 / nodes.len() as f64;
        let centred = TextStyle::from(("sans-serif", 12)).pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Center,
            plotters::style::text_anchor::VPos::Center,
        ));
        area.draw_text(region, &centred, on_circle(middle, 0.455))?;
    }
    Ok(())
}

fn on_circle(turn: f64, radius: f64) -> (i32, i32) {
    let side = f64::from(SIDE);
    let at = |share: f64| (side / 2.0 + side * radius * share) as i32;
    (at((turn * TAU).sin()), at(-(turn * TAU).cos()))
}
