//! From measurements to figures.

use std::time::Duration;

/// Measurements of one thing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn add_time(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The least value that `part` (0 to 1) of them do not exceed (nearest rank); NaN when
    /// there are none.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let rank = (sorted.len() as f64 * part).ceil() as usize;
        let index = rank.saturating_sub(1);
        sorted.get(index).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    pub(crate) fn most(&self) -> f64 {
        self.quantile(1.0)
    }
}

/// Seconds, as a person reads them.
pub(crate) fn seconds(value: f64) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else if value < 0.0995 {
        format!("{:.1} ms", value * 1e3)
    } else if value < 0.9995 {
        format!("{:.0} ms", value * 1e3)
    } else {
        format!("{value:.2} s")
    }
}

/// Bytes as MiB.
pub(crate) fn mebibytes(bytes: f64) -> String {
    if bytes.is_nan() {
        return "–".to_owned();
    }
    format!("{:.0} MiB", bytes / f64::from(1 << 20))
}

/// `yes`, or by how much not.
pub(crate) fn within(value: f64, limit: f64) -> String {
    if value <= limit {
        "yes".to_owned()
    } else {
        format!("**no** ({:.2} ×)", value / limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Ordering;

    #[test]
    fn one_outlier_of_a_hundred_is_no_p99() {
        let mut figures = Figures::default();
        for value in 1..=100 {
            figures.add(f64::from(value));
        }
        assert_eq!(figures.quantile(0.99).total_cmp(&99.0), Ordering::Equal);
        assert_eq!(figures.median().total_cmp(&50.0), Ordering::Equal);
        assert_eq!(figures.most().total_cmp(&100.0), Ordering::Equal);
        assert!(Figures::default().median().is_nan());
    }
}
