//! Settings by kind of operation. Which kinds there are, only the whole program knows.

use super::nearest::nearest;
use super::settings::Config;

impl Config {
    /// What is set for kinds of operation of which `known` has none: a sentence each,
    /// with the nearest that there is.
    #[must_use]
    pub fn unknown_kinds(&self, known: &[&str]) -> Vec<String> {
        let operations = &self.operations;
        let retention = &operations.retention;
        let by_kind = [
            (
                "operations.concurrency.",
                "",
                operations.concurrency.names(),
            ),
            (
                "operations.retention.",
                ".age",
                retention.age_by_kind.names(),
            ),
            (
                "operations.retention.",
                ".count",
                retention.count_by_kind.names(),
            ),
        ];
        let mut found = Vec::new();
        for (before, after, kinds) in by_kind {
            for kind in kinds.into_iter().filter(|kind| !known.contains(kind)) {
                let meant = match nearest(kind, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are: {}", known.join(", ")),
                };
                found.push(format!(
                    "`{before}{kind}{after}`: there is no kind of operation `{kind}`; {meant}"
                ));
            }
        }
        found
    }
}
