//! What a comparison gave, and what of it was promised.

use super::cases::Case;
use super::ways::Measured;
use crate::figures::{Figures, mebibytes, seconds, within};
use crate::table::Table;
use std::fmt;

const OURS: &str = "Longshore";
const FLOOR: &str = "thrown away, 16";
const PASSED: &str = "passed on";
const LIBRARY: &str = "archiver";
const SEED: &str = "2020";
const MEMORY: f64 = 96.0 * 1_048_576.0;

#[derive(Default)]
struct Row {
    name: String,
    wall: Figures,
    first_byte: Figures,
    after_source: Figures,
    processor: Figures,
    peak: Figures,
    bytes: Figures,
}

pub(super) struct Report {
    rows: Vec<Row>,
    gate: Option<f64>,
    gigabytes: f64,
    distant: bool,
    broken: Vec<String>,
}

impl Report {
    pub(super) fn new(case: &Case) -> Self {
        Self {
            rows: Vec::new(),
            gate: case.gate,
            #[expect(clippy::cast_precision_loss)]
            gigabytes: case.bytes as f64 / 1e9,
            distant: case.distant,
            broken: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: String, measured: &Measured) {
        let index = self.rows.iter().position(|row| row.name == name);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row {
                name,
                ..Row::default()
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        row.wall.add(measured.wall);
        row.first_byte.add(measured.first_byte);
        row.processor.add(measured.processor);
        row.peak.add(measured.peak);
        for (figures, value) in [
            (&mut row.after_source, measured.after_source),
            (&mut row.bytes, measured.bytes),
        ] {
            if !value.is_nan() {
                figures.add(value);
            }
        }
    }

    /// Another measurement of the first byte, by a way that was added before.
    pub(super) fn add_after_source(&mut self, name: &str, after: f64) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.name == name) {
            row.after_source.add(after);
        }
    }

    pub(super) fn verify(&mut self, wrong: Option<String>) {
        self.broken.extend(wrong);
    }

    fn of(&self, part: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name.contains(part))
    }

    fn promises(&self) -> Table {
        let mut table = Table::new(["promise", "limit", "measured", "kept"]);
        let Some(ours) = self.of(OURS) else {
            return table;
        };
        let mut promise = |name: &str, limit: String, measured: String, kept: String| {
            table.row([name.to_owned(), limit, measured, kept]);
        };
        let wall = ours.wall.median();
        if let Some(floor) = self.of(FLOOR) {
            let ratio = wall / floor.wall.median();
            promise(
                "time, against fetching as many at once and throwing away",
                "1.3 ×".to_owned(),
                format!("{ratio:.2} ×"),
                within(ratio, 1.3),
            );
        }
        if let Some(floor) = self.of(PASSED) {
            let ratio = wall / floor.wall.median();
            promise(
                "time, against fetching as many at once and passing it on",
                "–".to_owned(),
                format!("{ratio:.2} ×"),
                "–".to_owned(),
            );
        }
        if let Some(seed) = self.of(SEED) {
            let ratio = seed.wall.median() / wall;
            let kept = match (self.distant, ratio > 20.0) {
                (true, true) => "yes".to_owned(),
                (true, false) => "**no**".to_owned(),
                (false, _) => "–".to_owned(),
            };
            let limit = if self.distant { "> 20 ×" } else { "–" };
            promise(
                "faster than the way of 2020",
                limit.to_owned(),
                format!("{ratio:.1} ×"),
                kept,
            );
        }
        if let Some(library) = self.of(LIBRARY) {
            let ratio = ours.processor.median() / library.processor.median();
            promise(
                "CPU, against the npm library",
                "0.5 ×".to_owned(),
                format!("{ratio:.2} ×"),
                within(ratio, 0.5),
            );
        }
        if !ours.after_source.is_empty() {
            let after = ours.after_source.median();
            promise(
                "first byte, after the first source's first byte",
                "5 ms".to_owned(),
                format!(
                    "{} (most {})",
                    seconds(after),
                    seconds(ours.after_source.most())
                ),
                within(after, 0.005),
            );
        }
        let peak = ours.peak.most();
        promise(
            "peak memory",
            "96 MiB".to_owned(),
            mebibytes(peak),
            within(peak, MEMORY),
        );
        if let Some(gate) = self.gate {
            promise(
                "time (own gate)",
                seconds(gate),
                seconds(wall),
                within(wall, gate),
            );
            let each = ours.processor.median() / self.gigabytes;
            promise(
                "CPU for each GB (own gate)",
                "1.2 s".to_owned(),
                format!("{each:.2} s"),
                within(each, 1.2),
            );
        }
        table
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = self.of(OURS).map_or(f64::NAN, |row| row.wall.median());
        let mut table = Table::new([
            "way",
            "time (median)",
            "least to most",
            "× Longshore",
            "first byte",
            "CPU",
            "peak memory",
            "archive",
        ]);
        for row in &self.rows {
            let wall = row.wall.median();
            table.row([
                row.name.clone(),
                seconds(wall),
                format!(
                    "{} to {}",
                    seconds(row.wall.quantile(0.0)),
                    seconds(row.wall.most())
                ),
                format!("{:.2}", wall / ours),
                seconds(row.first_byte.median()),
                seconds(row.processor.median()),
                mebibytes(row.peak.most()),
                mebibytes(row.bytes.median()),
            ]);
        }
        writeln!(f, "{table}")?;
        writeln!(f, "{}", self.promises())?;
        for wrong in &self.broken {
            writeln!(f, "**the archive is broken:** {wrong}")?;
        }
        Ok(())
    }
}
