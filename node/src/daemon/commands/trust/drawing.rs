//! The web of trust as a picture: `layout-rs` places what [`svg`] draws, and [`dot`] leaves that to Graphviz.

use std::collections::{BTreeMap, VecDeque};

use layout::{
    backends::svg::SVGWriter,
    core::{base::Orientation, color::Color, style::StyleAttr},
    std_shapes::{
        render::get_shape_size,
        shapes::{Arrow, Element, ShapeKind},
    },
    topo::layout::VisualGraph,
};

use crate::daemon::{
    control::documents::trust::{About, Edge, Graph, Vertex},
    report::clean,
};

/// So many letters of a name are drawn; whoever chose a longer one shall not stretch the picture.
const NAME: usize = 32;
/// So many letters of an id: enough for every command to know the rest.
const ID: usize = 16;
/// So many letters of what an arrow is about.
const ABOUT: usize = 40;
const FONT: usize = 14;
const OPEN: &str = "#1b5e20";
const CONNECTED: &str = "#37474f";
const CLOSED: &str = "#9e9e9e";

/// For a browser.
pub(super) fn svg(graph: &Graph) -> String {
    let mut picture = VisualGraph::new(Orientation::TopToBottom);
    let mut places = BTreeMap::new();
    for (nth, vertex) in graph.organisations.iter().enumerate() {
        let shape = ShapeKind::new_box(&label(vertex));
        let size = get_shape_size(Orientation::TopToBottom, &shape, FONT, false);
        let width = if nth == 0 { 3 } else { 1 };
        let look = StyleAttr::new(Color::fast(colour(vertex)), width, Some(Color::fast("white")), 4, FONT);
        let element = Element::create(shape, look, Orientation::TopToBottom, size);
        places.insert(&vertex.party.organisation, picture.add_node(element));
    }
    let order = order(graph);
    let mut arrows: Vec<(usize, usize, bool, &Edge)> = Vec::new();
    for edge in &graph.endorsements {
        if let (Some(from), Some(to)) = (order.get(edge.from.as_str()), order.get(edge.to.as_str())) {
            arrows.push((*from.min(to), *from.max(to), from > to, edge));
        }
    }
    // The library looks at every way through what it has so far, to find out whether an arrow closes a circle, and once more
    // to check itself: in a dense graph that never ends. Here no arrow does, and what it points to has none of its own yet.
    picture.dag.set_validate(false);
    arrows.retain(|(upper, lower, ..)| upper != lower);
    arrows.sort_by_key(|(upper, lower, ..)| (*upper, *lower));
    for (.., points_up, edge) in arrows {
        if let (Some(from), Some(to)) = (places.get(&edge.from), places.get(&edge.to)) {
            let mut arrow = Arrow::simple(&on(edge));
            let colour = if edge.counts { CONNECTED } else { CLOSED };
            arrow.look = StyleAttr::new(Color::fast(colour), 1, None, 0, FONT);
            if points_up {
                picture.add_edge(arrow.reverse(), *to, *from);
            } else {
                picture.add_edge(arrow, *from, *to);
            }
        }
    }
    let mut paper = SVGWriter::new();
    picture.do_it(false, false, false, &mut paper);
    paper.finalize()
}

/// Where everybody stands when trust spreads from this node's own organisation, the first: a later one stands lower.
fn order(graph: &Graph) -> BTreeMap<&str, usize> {
    let mut waiting: VecDeque<&str> = VecDeque::new();
    let mut order = BTreeMap::new();
    for vertex in &graph.organisations {
        waiting.push_back(&vertex.party.organisation);
        while let Some(org) = waiting.pop_front() {
            let next = order.len();
            if order.contains_key(org) {
                continue;
            }
            order.insert(org, next);
            let vouched = graph.endorsements.iter().filter(|edge| edge.from == org);
            waiting.extend(vouched.map(|edge| edge.to.as_str()));
        }
    }
    order
}

/// For Graphviz.
pub(super) fn dot(graph: &Graph) -> String {
    let mut text = "digraph trust {\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
    for vertex in &graph.organisations {
        let (id, label, colour) = (
            quoted(&clean(&vertex.party.organisation)),
            quoted(&label(vertex)),
            colour(vertex),
        );
        text += &format!("  {id} [label={label}, color=\"{colour}\"];\n");
    }
    for edge in &graph.endorsements {
        let (from, to, on) = (quoted(&clean(&edge.from)), quoted(&clean(&edge.to)), quoted(&on(edge)));
        let style = if edge.counts { "solid" } else { "dotted" };
        text += &format!("  {from} -> {to} [label={on}, style={style}];\n");
    }
    text + "}\n"
}

fn label(vertex: &Vertex) -> String {
    let id = shortened(&vertex.party.organisation, ID);
    match &vertex.party.name {
        Some(name) => format!("{}\n{id}", shortened(name, NAME)),
        None => id,
    }
}

fn colour(vertex: &Vertex) -> &'static str {
    match (vertex.accept, vertex.connect) {
        (true, _) => OPEN,
        (false, true) => CONNECTED,
        (false, false) => CLOSED,
    }
}

fn on(edge: &Edge) -> String {
    let Edge {
        amount, depth, about, ..
    } = edge;
    let root = if edge.root { "root " } else { "" };
    let about = scope(about);
    format!("{root}{amount}/{depth}{}", shortened(&about, ABOUT))
}

fn scope(about: &About) -> String {
    let listed = |names: &Option<Vec<String>>, word: &str| {
        names
            .as_ref()
            .map_or_else(String::new, |names| format!(" {word}{}", names.join(",")))
    };
    listed(&about.topics, "") + &listed(&about.suffixes, "under ")
}

fn shortened(text: &str, most: usize) -> String {
    let text = clean(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 1).chain(['\u{2026}']).collect()
}

/// A text as Graphviz takes it: a line break is written out, and nothing ends the quotes.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::control::documents::trust::Party;

    fn vertex(organisation: &str, name: &str) -> Vertex {
        Vertex {
            party: Party {
                organisation: organisation.to_owned(),
                name: Some(name.to_owned()),
            },
            accept: true,
            connect: true,
        }
    }

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            amount: 60,
            depth: 1,
            about: About {
                topics: Some(vec!["phishing".to_owned()]),
                suffixes: Some(vec!["nl".to_owned()]),
            },
            root: false,
            counts: true,
        }
    }

    fn graph(names: &[&str], edges: &[(&str, &str)]) -> Graph {
        Graph {
            organisations: names.iter().map(|name| vertex(&format!("org:{name}"), name)).collect(),
            endorsements: edges
                .iter()
                .map(|(from, to)| edge(&format!("org:{from}"), &format!("org:{to}")))
                .collect(),
            left_out: 0,
        }
    }

    #[test]
    fn whatever_others_call_themselves_is_only_text() {
        let hostile = "</text><script>\"\\\n\u{1b}[2J";
        let drawn = graph(&["own", hostile], &[("own", hostile)]);
        let svg = svg(&drawn);
        assert!(
            !svg.contains("<script") && !svg.contains('\u{1b}') && svg.contains("&lt;script"),
            "{svg}"
        );
        let dot = dot(&drawn);
        assert!(!dot.contains('\u{1b}') && dot.contains(r#"<script>\"\\"#), "{dot}");
        assert_eq!(dot.lines().count(), 6, "{dot}");
    }

    #[test]
    fn any_shape_of_graph_is_drawn() {
        let check = |names: &[&str], edges: &[(&str, &str)]| {
            let drawn = svg(&graph(names, edges));
            assert!(
                drawn.contains("<svg") && drawn.trim_end().ends_with("</svg>"),
                "{names:?} {edges:?}"
            );
            for name in names {
                assert!(drawn.contains(name), "{name}: {drawn}");
            }
        };
        check(&["own"], &[]);
        check(&["own", "alone"], &[]);
        check(
            &["own", "a", "b"],
            &[("own", "a"), ("a", "b"), ("b", "a"), ("b", "own")],
        );
        check(
            &["own", "a"],
            &[("own", "a"), ("own", "a"), ("own", "unknown"), ("unknown", "a")],
        );
        let names: Vec<String> = (0..60).map(|number| format!("n{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let edges: Vec<(&str, &str)> = (0..180)
            .map(|number| (names[number * 7 % 60], names[number * 13 % 59 + 1]))
            .collect();
        check(&names, &edges);
    }

    #[test]
    fn trust_spreads_downwards() {
        let check = |names: &[&str], edges: &[(&str, &str)], expected: &[&str]| {
            let graph = graph(names, edges);
            let order = order(&graph);
            let mut found: Vec<(usize, &str)> = order.iter().map(|(org, place)| (*place, *org)).collect();
            found.sort_unstable();
            let found: Vec<&str> = found.iter().map(|(_, org)| &org["org:".len()..]).collect();
            assert_eq!(found, expected, "{edges:?}");
        };
        check(&["own", "a", "b"], &[], &["own", "a", "b"]);
        check(&["own", "a", "b"], &[("own", "b"), ("b", "a")], &["own", "b", "a"]);
        check(
            &["own", "a", "b"],
            &[("a", "b"), ("b", "a"), ("a", "own")],
            &["own", "a", "b"],
        );
        check(
            &["own", "a"],
            &[("own", "own"), ("own", "a"), ("own", "a")],
            &["own", "a"],
        );
    }

    #[test]
    fn texts_have_an_end() {
        let check = |text: &str, expected: &str| assert_eq!(shortened(text, 4), expected);
        check("", "");
        check("four", "four");
        check("fiver", "fiv\u{2026}");
        check("\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", "\u{e9}\u{e9}\u{e9}\u{2026}");
    }
}
