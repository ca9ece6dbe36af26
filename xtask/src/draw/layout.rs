//! Where everything stands: boxes in rows, arrows that pass between boxes and never
//! over one, labels that cover nothing.

use super::description::{Description, Part, Spot};
use super::geometry::{Fall, Point, Rectangle, width_of};

pub(super) const TITLE: f64 = 15.0;
pub(super) const TEXT: f64 = 12.5;
pub(super) const LABEL: f64 = 11.5;
/// From one line of a box to the next.
pub(super) const LEADING: f64 = 17.0;
/// Between the edge of the picture and what is in it.
const MARGIN: f64 = 28.0;
/// For the names of layers, at the left.
const NAMES: f64 = 92.0;
/// For the title of the picture.
const HEAD: f64 = 42.0;
/// Between two boxes of a layer, where arrows pass.
const GAP: f64 = 76.0;
/// Between two layers, where labels stand.
const FALL: f64 = 74.0;
/// Between a frame and what it holds, and for its name.
const FRAME: f64 = 20.0;
const FRAME_HEAD: f64 = 30.0;
/// Between the ends of two arrows at one box.
const PORTS: f64 = 34.0;
/// Between two arrows that pass through one gap.
const LANES: f64 = 18.0;

/// Everything with its place.
pub(super) struct Picture {
    pub(super) width: f64,
    pub(super) height: f64,
    /// A row for each layer.
    pub(super) rows: Vec<Vec<Rectangle>>,
    pub(super) frames: Vec<Rectangle>,
    pub(super) routes: Vec<Route>,
}

/// The way of an arrow.
pub(super) struct Route {
    /// One for each step from a layer to the next; between two, it goes straight down.
    pub(super) falls: Vec<Fall>,
    /// Where its label is, when it has one.
    pub(super) label: Option<Rectangle>,
}

impl Picture {
    pub(super) fn of(description: &Description) -> Result<Self, String> {
        let sizes: Vec<Vec<(f64, f64)>> = description
            .layers
            .iter()
            .map(|layer| layer.boxes.iter().map(size).collect())
            .collect();
        let widest = sizes.iter().map(|row| row_width(row)).fold(0.0, f64::max);
        let width = MARGIN + NAMES + GAP + widest + GAP + MARGIN;
        let middle = MARGIN + NAMES + GAP + widest / 2.0;
        let rows = rows(description, &sizes, middle);
        let frames = frames(description, &rows, width);
        let below = rows.iter().flatten().map(Rectangle::bottom);
        let framed = frames.iter().map(Rectangle::bottom);
        let height = below.chain(framed).fold(0.0, f64::max) + MARGIN;
        let mut routes = routes(description, &rows);
        labels(description, &rows, &mut routes)?;
        Ok(Self {
            width,
            height,
            rows,
            frames,
            routes,
        })
    }
}

fn size(part: &Part) -> (f64, f64) {
    let lines = part.lines.iter().map(|line| width_of(line, TEXT));
    let widest = lines.fold(width_of(&part.title, TITLE) * 1.05, f64::max);
    let lines = LEADING * count(part.lines.len());
    ((widest + 32.0).max(120.0), 42.0 + lines)
}

fn row_width(row: &[(f64, f64)]) -> f64 {
    let boxes: f64 = row.iter().map(|(width, _)| width).sum();
    boxes + GAP * count(row.len().saturating_sub(1))
}

/// A handful of things as a factor.
fn count(things: usize) -> f64 {
    f64::from(u16::try_from(things).unwrap_or(u16::MAX))
}

fn rows(description: &Description, sizes: &[Vec<(f64, f64)>], middle: f64) -> Vec<Vec<Rectangle>> {
    let mut rows = Vec::new();
    let mut y = MARGIN + HEAD;
    for (index, row) in sizes.iter().enumerate() {
        if description.frames.iter().any(|frame| frame.first == index) {
            y += FRAME_HEAD;
        }
        let height = row.iter().map(|(_, height)| *height).fold(0.0, f64::max);
        let mut x = middle - row_width(row) / 2.0;
        let mut placed = Vec::new();
        for (width, _) in row {
            placed.push(Rectangle {
                x,
                y,
                width: *width,
                height,
            });
            x += width + GAP;
        }
        rows.push(placed);
        y += height + FALL;
        if description
            .frames
            .iter()
            .any(|frame| frame.end == index + 1)
        {
            y += FRAME;
        }
    }
    rows
}

fn frames(description: &Description, rows: &[Vec<Rectangle>], width: f64) -> Vec<Rectangle> {
    let edge = |row: Option<&Vec<Rectangle>>, of: fn(&Rectangle) -> f64| {
        row.and_then(|row| row.first()).map_or(0.0, of)
    };
    description
        .frames
        .iter()
        .map(|frame| {
            let top = edge(rows.get(frame.first), |part| part.y) - FRAME - FRAME_HEAD / 2.0;
            let bottom = edge(rows[..frame.end].last(), Rectangle::bottom) + FRAME;
            Rectangle {
                x: MARGIN / 2.0,
                y: top,
                width: width - MARGIN,
                height: bottom - top,
            }
        })
        .collect()
}

fn routes(description: &Description, rows: &[Vec<Rectangle>]) -> Vec<Route> {
    let lanes = lanes(description, rows);
    let centre = |spot: Spot| rows[spot.0][spot.1].middle();
    // Which way each arrow leaves and comes, so that those of one box do not cross.
    let leaving = |index: usize| {
        let first = lanes[index].first().copied();
        first.unwrap_or_else(|| centre(description.arrows[index].to))
    };
    let coming = |index: usize| {
        let last = lanes[index].last().copied();
        last.unwrap_or_else(|| centre(description.arrows[index].from))
    };
    let port =
        |index: usize, of: fn(&super::description::Arrow) -> Spot, other: &dyn Fn(usize) -> f64| {
            let spot = of(&description.arrows[index]);
            let mut beside: Vec<usize> = (0..description.arrows.len())
                .filter(|other| of(&description.arrows[*other]) == spot)
                .collect();
            beside.sort_by(|a, b| other(*a).total_cmp(&other(*b)));
            let place = beside.iter().position(|other| *other == index).unwrap_or(0);
            let part = rows[spot.0][spot.1];
            let room = (part.width * 0.7 / count(beside.len())).min(PORTS);
            part.middle() + room * (count(place) - count(beside.len() - 1) / 2.0)
        };
    description
        .arrows
        .iter()
        .enumerate()
        .map(|(index, arrow)| {
            let mut falls = Vec::new();
            let mut from = Point {
                x: port(index, |arrow| arrow.from, &leaving),
                y: rows[arrow.from.0][0].bottom(),
            };
            for (x, row) in lanes[index].iter().zip(&rows[arrow.from.0 + 1..]) {
                let to = Point { x: *x, y: row[0].y };
                falls.push(Fall { from, to });
                from = Point {
                    x: *x,
                    y: row[0].bottom(),
                };
            }
            let to = Point {
                x: port(index, |arrow| arrow.to, &coming),
                y: rows[arrow.to.0][0].y,
            };
            falls.push(Fall { from, to });
            Route { falls, label: None }
        })
        .collect()
}

/// For each arrow, where it passes the layers between its ends.
fn lanes(description: &Description, rows: &[Vec<Rectangle>]) -> Vec<Vec<f64>> {
    let mut taken: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    let mut lanes = Vec::new();
    for arrow in &description.arrows {
        let from = rows[arrow.from.0][arrow.from.1].middle();
        let to = rows[arrow.to.0][arrow.to.1].middle();
        let mut own = Vec::new();
        for layer in arrow.from.0 + 1..arrow.to.0 {
            let share = count(layer - arrow.from.0) / count(arrow.to.0 - arrow.from.0);
            let wanted = from + (to - from) * share;
            let x = nearest_lane(&rows[layer], &taken[layer], wanted);
            taken[layer].push(x);
            own.push(x);
        }
        lanes.push(own);
    }
    lanes
}

/// The free place between boxes that is nearest to where the arrow would go.
fn nearest_lane(row: &[Rectangle], taken: &[f64], wanted: f64) -> f64 {
    let gaps = row
        .windows(2)
        .map(|pair| (pair[0].right() + pair[1].x) / 2.0);
    let outer = [
        row.first().map(|part| part.x - GAP / 2.0),
        row.last().map(|part| part.right() + GAP / 2.0),
    ];
    let free = |lane: &f64| taken.iter().all(|other| (other - lane).abs() >= LANES);
    gaps.chain(outer.into_iter().flatten())
        .filter_map(|gap| [gap, gap - LANES, gap + LANES].into_iter().find(free))
        .min_by(|a, b| (a - wanted).abs().total_cmp(&(b - wanted).abs()))
        .unwrap_or(wanted)
}

/// Puts each label on its arrow, as near to the beginning as it covers nothing.
fn labels(
    description: &Description,
    rows: &[Vec<Rectangle>],
    routes: &mut [Route],
) -> Result<(), String> {
    let mut taken: Vec<Rectangle> = rows.iter().flatten().copied().collect();
    for (arrow, route) in description.arrows.iter().zip(routes) {
        if arrow.label.is_empty() {
            continue;
        }
        let width = width_of(&arrow.label, LABEL);
        let along = [0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73];
        let place = route
            .falls
            .iter()
            .flat_map(|fall| along.map(|share| fall.at(share)))
            .map(|point| Rectangle::around(point, width + 10.0, LABEL + 6.0))
            .find(|here| !taken.iter().any(|other| other.meets(here)));
        let place = place.ok_or_else(|| {
            format!(
                "1: there is no room for the label `{}`; make it shorter, or order the boxes anew",
                arrow.label
            )
        })?;
        taken.push(place);
        route.label = Some(place);
    }
    Ok(())
}
