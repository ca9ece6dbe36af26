//! Points, rectangles, curves, and how wide a text is about to be.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rectangle {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rectangle {
    pub(super) fn around(middle: Point, width: f64, height: f64) -> Self {
        Self {
            x: middle.x - width / 2.0,
            y: middle.y - height / 2.0,
            width,
            height,
        }
    }

    pub(super) fn middle(&self) -> f64 {
        self.x + self.width / 2.0
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// A curve that leaves downwards and arrives downwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fall {
    pub(super) from: Point,
    pub(super) to: Point,
}

impl Fall {
    /// The two points that bend it.
    pub(super) fn bends(&self) -> (Point, Point) {
        let reach = (self.to.y - self.from.y) / 2.0;
        let after = Point {
            x: self.from.x,
            y: self.from.y + reach,
        };
        let before = Point {
            x: self.to.x,
            y: self.to.y - reach,
        };
        (after, before)
    }

    /// Where it is after a share of its way, from 0 to 1.
    pub(super) fn at(&self, share: f64) -> Point {
        let (after, before) = self.bends();
        let rest = 1.0 - share;
        let weights = [
            rest * rest * rest,
            3.0 * rest * rest * share,
            3.0 * rest * share * share,
            share * share * share,
        ];
        let points = [self.from, after, before, self.to];
        let sum = |of: fn(&Point) -> f64| -> f64 {
            points
                .iter()
                .zip(weights)
                .map(|(point, weight)| of(point) * weight)
                .sum()
        };
        Point {
            x: sum(|point| point.x),
            y: sum(|point| point.y),
        }
    }
}

/// How wide a text is in a common sans-serif of this size, on the generous side.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|letter| match letter {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.29,
            'f' | 't' | 'r' | ' ' | '(' | ')' | '/' | '-' | 'I' => 0.37,
            'm' | 'w' | 'M' | 'W' | '@' | '…' => 0.88,
            letter if letter.is_uppercase() => 0.69,
            _ => 0.58,
        })
        .sum();
    ems * size
}
