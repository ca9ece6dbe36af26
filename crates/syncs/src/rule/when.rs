//! Which files go to a target: by type, size, prefix and metadata.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which files. All conditions must hold; what is absent holds for all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Of one of these media types: `image/png`, `image/*`, `*`.
    pub types: Vec<String>,
    /// Of so many bytes or more.
    pub min_size: Option<u64>,
    /// Of so many bytes or fewer.
    pub max_size: Option<u64>,
    /// Whose key in the source begins like this.
    pub prefix: String,
    /// Of which these are said, exactly.
    #[schema(value_type = Object)]
    pub metadata: BTreeMap<String, Value>,
}

/// A file as far as it is known when it is chosen where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Where its content is in the source.
    pub place: &'a str,
    /// Its media type.
    pub media_type: &'a str,
    /// Its size, if it is known by now.
    pub size: Option<u64>,
    /// What is said of it.
    pub metadata: &'a BTreeMap<String, Value>,
}

/// Whether a file is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// That depends on its size.
    BySize,
}

impl When {
    pub(super) fn check(&self, field: &str) -> Result<()> {
        let is_type = |text: &String| {
            text == "*"
                || text.split_once('/').is_some_and(|(kind, sub)| {
                    !kind.is_empty() && !sub.is_empty() && !text.contains([' ', ';'])
                })
        };
        if let Some(odd) = self.types.iter().find(|text| !is_type(text)) {
            let reason = format!("`{odd}` is no media type; write image/png, image/* or *");
            return Err(Error::rule(format!("{field}.types"), reason));
        }
        if let (Some(least), Some(most)) = (self.min_size, self.max_size)
            && least > most
        {
            let reason = "no file has fewer bytes than `min_size` and more than `max_size`";
            return Err(Error::rule(format!("{field}.max_size"), reason));
        }
        Ok(())
    }

    /// Whether a file is meant.
    #[must_use]
    pub fn means(&self, file: &Candidate<'_>) -> Meant {
        let by_type =
            self.types.is_empty() || self.types.iter().any(|kind| fits(kind, file.media_type));
        let by_metadata = self
            .metadata
            .iter()
            .all(|(name, wanted)| file.metadata.get(name) == Some(wanted));
        if !by_type || !by_metadata || !file.place.starts_with(&self.prefix) {
            return Meant::No;
        }
        if self.min_size.is_none() && self.max_size.is_none() {
            return Meant::Yes;
        }
        let Some(size) = file.size else {
            return Meant::BySize;
        };
        let by_size = self.min_size.is_none_or(|least| size >= least)
            && self.max_size.is_none_or(|most| size <= most);
        if by_size { Meant::Yes } else { Meant::No }
    }
}

/// Parameters (`; charset=…`) and case don't count.
fn fits(wanted: &str, found: &str) -> bool {
    let found = found.split(';').next().unwrap_or_default().trim();
    if wanted == "*" || wanted == "*/*" || wanted.eq_ignore_ascii_case(found) {
        return true;
    }
    wanted.strip_suffix("/*").is_some_and(|kind| {
        found
            .split_once('/')
            .is_some_and(|(found, _)| found.eq_ignore_ascii_case(kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meant(when: Value, place: &str, media_type: &str, size: Option<u64>) -> Meant {
        let when: When = serde_json::from_value(when).expect("a condition");
        when.check("when").expect("one that can be");
        let metadata = BTreeMap::from([("album".to_owned(), json!("blue"))]);
        when.means(&Candidate {
            place,
            media_type,
            size,
            metadata: &metadata,
        })
    }

    #[test]
    fn a_file_is_chosen_by_what_is_known_of_it() {
        use Meant::{BySize, No, Yes};
        for (when, place, media_type, size, expected) in [
            (json!({}), "a", "", None, Yes),
            (json!({"types": ["image/*"]}), "a", "image/png", None, Yes),
            (
                json!({"types": ["image/*"]}),
                "a",
                "IMAGE/PNG; q=1",
                None,
                Yes,
            ),
            (json!({"types": ["image/*"]}), "a", "imagery/png", None, No),
            (json!({"types": ["image/png"]}), "a", "image/jpeg", None, No),
            (json!({"types": ["*"]}), "a", "", None, Yes),
            (json!({"prefix": "x/"}), "x/a", "", None, Yes),
            (json!({"prefix": "x/"}), "y/a", "", None, No),
            (json!({"max_size": 3}), "a", "", None, BySize),
            (json!({"max_size": 3}), "a", "", Some(3), Yes),
            (json!({"max_size": 3}), "a", "", Some(4), No),
            (json!({"min_size": 3}), "a", "", Some(2), No),
            (json!({"max_size": 3, "prefix": "x"}), "a", "", None, No),
            (json!({"metadata": {"album": "blue"}}), "a", "", None, Yes),
            (json!({"metadata": {"album": "red"}}), "a", "", None, No),
            (json!({"metadata": {"other": "blue"}}), "a", "", None, No),
        ] {
            let found = meant(when.clone(), place, media_type, size);
            assert_eq!(found, expected, "{when} {place} {media_type} {size:?}");
        }
    }

    #[test]
    fn what_no_file_is_is_refused() {
        for wrong in [
            json!({"types": ["image"]}),
            json!({"types": ["/png"]}),
            json!({"min_size": 4, "max_size": 3}),
        ] {
            let when: When = serde_json::from_value(wrong.clone()).expect("a condition");
            when.check("when").expect_err(&wrong.to_string());
        }
    }
}
