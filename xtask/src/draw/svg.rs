//! The picture as SVG: no script, no font of its own, light and dark by what the reader
//! prefers.

use super::description::{Description, Part};
use super::geometry::Rectangle;
use super::layout::{LABEL, LEADING, Picture, Route, TEXT, TITLE};
use std::fmt::Write;

/// Colours by what they are for; the second half is for the dark.
const STYLE: &str = "
    svg { --paper: #ffffff; --ink: #17212b; --soft: #5b6b7a; --line: #c9d3dc; --box: #f4f7fa; --frame: #eaf2fb; --edge: #2f6fb2; --arrow: #6d8399; }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #10161c; --ink: #e8eef4; --soft: #9fb0c0; --line: #384653; --box: #1b242d; --frame: #142231; --edge: #6aa9e9; --arrow: #8297ab; }
    }
    text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; fill: var(--ink); }
    .paper { fill: var(--paper); stroke: var(--line); }
    .frame { fill: var(--frame); stroke: var(--edge); stroke-width: 1.5; }
    .box { fill: var(--box); stroke: var(--line); stroke-width: 1.25; }
    .inside { fill: var(--paper); stroke: var(--edge); stroke-opacity: .55; }
    .head { font-weight: 650; }
    .soft { fill: var(--soft); }
    .edge { fill: var(--edge); font-weight: 650; }
    .arrow { fill: none; stroke: var(--arrow); stroke-width: 1.6; }
    .tip { fill: var(--arrow); }
    .gap { fill: var(--paper); }
    .within { fill: var(--frame); }
";

pub(super) fn write(description: &Description, picture: &Picture) -> String {
    let mut out = String::new();
    let (width, height) = (picture.width.ceil(), picture.height.ceil());
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title\">"
    );
    out.push_str(
        "  <!-- Made by `cargo xtask draw` from architecture.txt; do not edit it here. -->\n",
    );
    let _ = writeln!(
        out,
        "  <title id=\"title\">{}</title>",
        escaped(&description.title)
    );
    let _ = writeln!(out, "  <style>{STYLE}  </style>");
    out.push_str("  <defs>\n    <marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"tip\" d=\"M0 0.8 L10 5 L0 9.2 L2.4 5 z\"/></marker>\n  </defs>\n");
    let _ = writeln!(
        out,
        "  <rect class=\"paper\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"12\"/>",
        width - 1.0,
        height - 1.0
    );
    text(
        &mut out,
        "head",
        28.0,
        42.0,
        20.0,
        "start",
        &description.title,
    );
    for (frame, place) in description.frames.iter().zip(&picture.frames) {
        rectangle(&mut out, "frame", place, 14.0);
        text(
            &mut out,
            "edge",
            place.x + 14.0,
            place.y + 25.0,
            TITLE,
            "start",
            &frame.name,
        );
    }
    for route in &picture.routes {
        let _ = writeln!(
            out,
            "  <path class=\"arrow\" marker-end=\"url(#tip)\" d=\"{}\"/>",
            path(route)
        );
    }
    for (index, (layer, row)) in description.layers.iter().zip(&picture.rows).enumerate() {
        let framed = is_framed(description, index);
        if let Some(first) = row.first() {
            let y = first.y + first.height / 2.0 + TEXT / 3.0;
            text(&mut out, "soft", 28.0, y, TEXT, "start", &layer.name);
        }
        for (part, place) in layer.boxes.iter().zip(row) {
            boxed(
                &mut out,
                part,
                place,
                if framed { "box inside" } else { "box" },
            );
        }
    }
    for (arrow, route) in description.arrows.iter().zip(&picture.routes) {
        if let Some(place) = route.label {
            let within =
                is_framed(description, arrow.from.0) && is_framed(description, arrow.from.0 + 1);
            rectangle(&mut out, if within { "within" } else { "gap" }, &place, 4.0);
            let y = place.y + place.height / 2.0 + LABEL / 3.0;
            text(
                &mut out,
                "soft",
                place.middle(),
                y,
                LABEL,
                "middle",
                &arrow.label,
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn is_framed(description: &Description, layer: usize) -> bool {
    description
        .frames
        .iter()
        .any(|frame| (frame.first..frame.end).contains(&layer))
}

fn boxed(out: &mut String, part: &Part, place: &Rectangle, class: &str) {
    rectangle(out, class, place, 9.0);
    let middle = place.middle();
    // Boxes of a row are equally high; what is in them stands in their middle.
    let lines = part.lines.iter().map(|_| LEADING).sum::<f64>();
    let mut y = place.y + (place.height - lines) / 2.0 + TITLE / 3.0;
    text(out, "head", middle, y, TITLE, "middle", &part.title);
    for line in &part.lines {
        y += LEADING;
        text(out, "soft", middle, y, TEXT, "middle", line);
    }
}

fn rectangle(out: &mut String, class: &str, place: &Rectangle, radius: f64) {
    let _ = writeln!(
        out,
        "  <rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius}\"/>",
        place.x, place.y, place.width, place.height
    );
}

fn text(out: &mut String, class: &str, x: f64, y: f64, size: f64, anchor: &str, words: &str) {
    let _ = writeln!(
        out,
        "  <text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{}</text>",
        escaped(words)
    );
}

fn path(route: &Route) -> String {
    let mut path = String::new();
    for (index, fall) in route.falls.iter().enumerate() {
        let (after, before) = fall.bends();
        let step = if index == 0 { 'M' } else { 'L' };
        let _ = write!(
            path,
            "{step}{:.1} {:.1} C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            fall.from.x, fall.from.y, after.x, after.y, before.x, before.y, fall.to.x, fall.to.y
        );
    }
    path
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
