//! Somebody's table, and what its columns are called.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The longest name of a table or a column in Postgres, in bytes.
const MOST_NAME: usize = 63;
/// The most columns that go along with a file.
const MOST_METADATA: usize = 64;

/// A table whose rows are files. Without anything said, it is the one that the copier of
/// Spaces to Cloudflare has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TableRule {
    /// Its schema; what the database's address names, or else the role's own, when absent.
    pub schema: Option<String>,
    /// Its name.
    pub table: String,
    /// Its columns.
    pub columns: Columns,
    /// What the column of the status holds.
    pub statuses: Statuses,
}

impl Default for TableRule {
    fn default() -> Self {
        Self {
            schema: None,
            table: "File".to_owned(),
            columns: Columns::default(),
            statuses: Statuses::default(),
        }
    }
}

/// What the columns are called. Those that are written but for `copied`, and `creator`, may
/// be empty: then there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    /// What names a row; its primary key, of any type that can be ordered.
    pub id: String,
    /// The name that people know the file by.
    pub name: String,
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Where it is in the store, after the prefix.
    pub path: String,
    /// Whether it was delivered: a boolean, set to true.
    pub copied: String,
    /// The id at the target, which is written.
    pub remote_id: String,
    /// How far it is there, which is written.
    pub status: String,
    /// The address of a small picture, which is written.
    pub thumbnail: String,
    /// Who made the file, for the summary of a pass. It goes to nobody else.
    pub creator: String,
    /// What else goes along, each under its own name.
    pub metadata: Vec<String>,
}

impl Default for Columns {
    fn default() -> Self {
        let named = str::to_owned;
        Self {
            id: named("id"),
            name: named("fileName"),
            media_type: named("fileType"),
            path: named("path"),
            copied: named("copiedToCloudflare"),
            remote_id: named("cloudflareId"),
            status: named("status"),
            thumbnail: named("thumbnail"),
            creator: String::new(),
            metadata: ["createdAt", "dateTaken", "gpsLatitude", "gpsLongitude"]
                .map(named)
                .to_vec(),
        }
    }
}

/// What the column of the status holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Statuses {
    /// Of a file that is served.
    pub ready: String,
    /// Of one that its target still works on.
    pub pending: String,
}

impl Default for Statuses {
    fn default() -> Self {
        Self {
            ready: "ready".to_owned(),
            pending: "pending".to_owned(),
        }
    }
}

impl TableRule {
    pub(super) fn check(&self, field: &str) -> Result<()> {
        let columns = &self.columns;
        let needed = [
            ("table", &self.table),
            ("columns.id", &columns.id),
            ("columns.name", &columns.name),
            ("columns.type", &columns.media_type),
            ("columns.path", &columns.path),
            ("columns.copied", &columns.copied),
        ];
        for (name, text) in needed {
            if text.is_empty() {
                return Err(Error::rule(
                    format!("{field}.{name}"),
                    "it may not be empty",
                ));
            }
        }
        if columns.metadata.len() > MOST_METADATA {
            let reason = format!("at most {MOST_METADATA} columns go along");
            return Err(Error::rule(format!("{field}.columns.metadata"), reason));
        }
        let named = [
            &columns.remote_id,
            &columns.status,
            &columns.thumbnail,
            &columns.creator,
        ];
        let all = needed.iter().map(|(_, text)| *text);
        let all = all.chain(named).chain(&columns.metadata);
        for text in all.chain(&self.schema) {
            check_identifier(field, text)?;
        }
        Ok(())
    }
}

/// Anything may be quoted but what no name of Postgres holds. Braces stand for something
/// else in statements of this house.
fn check_identifier(field: &str, text: &str) -> Result<()> {
    let odd = text
        .chars()
        .any(|c| c.is_control() || matches!(c, '{' | '}'));
    if odd || text.len() > MOST_NAME {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(70).collect();
        let reason =
            format!("`{shown}` is no name here: at most 63 bytes, no braces, nothing unprintable");
        return Err(Error::rule(field, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_odd_but_not_impossible() {
        let mut rule = TableRule::default();
        rule.columns.id = "the \"id\"; drop".to_owned();
        rule.columns.status = String::new();
        rule.check("table").expect("it is quoted");
        for wrong in ["", "a\0b", "{uuid}", &"x".repeat(64)] {
            let mut rule = TableRule::default();
            wrong.clone_into(&mut rule.columns.id);
            rule.check("table").expect_err(wrong);
        }
    }
}
