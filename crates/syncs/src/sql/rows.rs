//! Rows of somebody's table: which are to be delivered, and marking them.
//!
//! The names come from a rule and are quoted; the types come from the database itself, so
//! that an id of any type is compared as what it is, and nothing that is written is cut to
//! fit.

mod marking;

pub(crate) use marking::Marked;

use crate::rule::TableRule;
use crate::source::Found;
use data_encoding::HEXLOWER;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use storage::{Db, Error, Result, Row, Value, values};

/// A column, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its type, as it is written in a statement.
    pub(crate) kind: String,
    /// The type that a value is made of before it is written: without a length, for a cast
    /// to one that is too short cuts in silence, where writing complains.
    written: String,
    /// Whether it holds truths.
    pub(crate) is_truth: bool,
    /// Whether the role may read and write it.
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

impl Column {
    /// Whether it shows a text as it was written.
    fn is_a_text(&self) -> bool {
        self.written == "text"
    }
}

/// A table that was looked up.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    name: String,
    rule: TableRule,
    columns: BTreeMap<String, Column>,
}

/// A row as it is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Current {
    pub(crate) found: Found,
    /// Whether it is not to be delivered any more.
    pub(crate) is_marked: bool,
    /// With which id; an empty one where it holds none.
    pub(crate) by: String,
}

/// Quoted, so that it stands for nothing but itself.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Looks a table up: its schema, and its columns by their names. None where there is no
/// such table, or none that this role may know of.
pub(crate) async fn table(
    db: &Db,
    rule: &TableRule,
    schema: Option<&str>,
) -> Result<Option<Table>> {
    // -1 is a type without a length; without a word of it, `character` would mean one letter.
    const SQL: &str = "SELECT CAST(n.nspname AS text) AS schema, CAST(a.attname AS text) AS name,
            format_type(a.atttypid, a.atttypmod) AS type,
            CASE WHEN t.typcategory = 'S' THEN 'text' ELSE format_type(a.atttypid, -1) END
                AS written,
            t.typcategory = 'B' AS truth,
            has_column_privilege(c.oid, a.attnum, 'SELECT') AS reads,
            has_column_privilege(c.oid, a.attnum, 'UPDATE') AS writes
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = COALESCE($1, current_schema(), 'public') AND c.relname = $2
          AND c.relkind IN ('r', 'p', 'v', 'f') AND a.attnum > 0 AND NOT a.attisdropped";
    let schema = rule.schema.as_deref().or(schema);
    let rows = db.all(SQL, values![schema, rule.table.as_str()]).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let schema: String = first.get("schema")?;
    let mut columns = BTreeMap::new();
    for row in &rows {
        let column = Column {
            kind: row.get("type")?,
            written: row.get("written")?,
            is_truth: row.get("truth")?,
            reads: row.get("reads")?,
            writes: row.get("writes")?,
        };
        columns.insert(row.get("name")?, column);
    }
    Ok(Some(Table {
        name: format!("{}.{}", quoted(&schema), quoted(&rule.table)),
        rule: rule.clone(),
        columns,
    }))
}

/// Whether the database answers, and as whom it is asked.
pub(crate) async fn role(db: &Db) -> Result<String> {
    const SQL: &str = "SELECT CAST(current_user AS text) AS role";
    let row = db.one(SQL, values![]).await?;
    row.map_or_else(|| Ok(String::new()), |row| row.get("role"))
}

impl Table {
    /// A column by its name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }

    /// What a text becomes for this column. The type is the database's own word for it.
    fn cast(&self, parameter: usize, column: &str) -> String {
        let kind = self.columns.get(column);
        let kind = kind.map_or("text", |column| column.kind.as_str());
        format!("CAST(CAST(${parameter} AS text) AS {kind})")
    }

    /// What a text becomes before it is written into this column, which sees to its length.
    fn written(&self, parameter: usize, column: &str) -> String {
        let kind = self.columns.get(column);
        let kind = kind.map_or("text", |column| column.written.as_str());
        format!("CAST(CAST(${parameter} AS text) AS {kind})")
    }

    /// What is read of a row.
    fn read_columns(&self) -> String {
        let columns = &self.rule.columns;
        let text = |column: &str, name: &str| {
            format!("COALESCE(CAST({} AS text), '') AS {name}", quoted(column))
        };
        let metadata: String = columns
            .metadata
            .iter()
            .enumerate()
            .map(|(index, column)| {
                format!(", CAST(to_json({}) AS text) AS m{index}", quoted(column))
            })
            .collect();
        let creator = match columns.creator.as_str() {
            "" => "'' AS found_creator".to_owned(),
            column => text(column, "found_creator"),
        };
        format!(
            "{}, {}, {}, {}, {creator}{metadata}",
            text(&columns.id, "found_id"),
            text(&columns.path, "found_path"),
            text(&columns.name, "found_name"),
            text(&columns.media_type, "found_type"),
        )
    }

    /// The id of a delivered file that a row holds, as a text.
    fn held_id(&self) -> String {
        match self.rule.columns.remote_id.as_str() {
            "" => "''".to_owned(),
            column => format!("COALESCE(CAST({} AS text), '')", quoted(column)),
        }
    }

    /// Rows that are to be delivered, in the order of their ids, after one.
    pub(crate) async fn page(
        &self,
        db: &Db,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>> {
        let columns = &self.rule.columns;
        let id = quoted(&columns.id);
        let mut values: Vec<Value> = values![limit];
        let mut beyond = String::new();
        if let Some(after) = after {
            values.push(after.into());
            beyond = format!(" AND {id} > {}", self.cast(2, &columns.id));
        }
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = FALSE{beyond} ORDER BY {id} LIMIT $1",
            self.read_columns(),
            self.name,
            quoted(&columns.copied),
        );
        let rows = db.all(sql, values).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    /// The first rows, whether they are to be delivered or not.
    pub(crate) async fn first(&self, db: &Db, limit: usize) -> Result<Vec<Found>> {
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT $1",
            self.read_columns(),
            self.name,
            quoted(&self.rule.columns.id),
        );
        let rows = db.all(sql, values![limit]).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    /// A row as it is now, if it is there.
    pub(crate) async fn current(&self, db: &Db, key: &str) -> Result<Option<Current>> {
        let columns = &self.rule.columns;
        let sql = format!(
            "SELECT {}, {} IS DISTINCT FROM FALSE AS found_marked, {} AS found_by
             FROM {} WHERE {} = {}",
            self.read_columns(),
            quoted(&columns.copied),
            self.held_id(),
            self.name,
            quoted(&columns.id),
            self.cast(1, &columns.id),
        );
        let Some(row) = db.one(sql, values![key]).await? else {
            return Ok(None);
        };
        Ok(Some(Current {
            found: self.read(&row)?,
            is_marked: row.get("found_marked")?,
            by: row.get("found_by")?,
        }))
    }

    fn read(&self, row: &Row) -> Result<Found> {
        let mut metadata = BTreeMap::new();
        for (index, column) in self.rule.columns.metadata.iter().enumerate() {
            let text: Option<String> = row.get(&format!("m{index}"))?;
            let value: Option<Json> = text.and_then(|text| serde_json::from_str(&text).ok());
            if let Some(value) = value.filter(|value| !value.is_null()) {
                metadata.insert(column.clone(), value);
            }
        }
        let mut found = Found {
            key: row.get("found_id")?,
            place: row.get("found_path")?,
            name: row.get("found_name")?,
            media_type: row.get("found_type")?,
            size: None,
            content: None,
            seen: None,
            metadata,
            creator: Some(row.get::<String>("found_creator")?).filter(|name| !name.is_empty()),
            asked: true,
        };
        found.seen = Some(seen(&found)?);
        Ok(found)
    }

    /// How many rows are to be delivered.
    pub(crate) async fn waiting(&self, db: &Db) -> Result<u64> {
        let sql = format!(
            "SELECT COUNT(*) AS files FROM {} WHERE {} = FALSE",
            self.name,
            quoted(&self.rule.columns.copied)
        );
        let row = db.one(sql, values![]).await?;
        row.map_or(Ok(0), |row| row.get("files"))
    }

    /// Which of these rows are not there.
    pub(crate) async fn missing(&self, db: &Db, keys: &[String]) -> Result<Vec<String>> {
        let columns = &self.rule.columns;
        let id = quoted(&columns.id);
        let list: Vec<String> = (1..=keys.len())
            .map(|number| self.cast(number, &columns.id))
            .collect();
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT CAST({id} AS text) AS found_id FROM {} WHERE {id} IN ({})",
            self.name,
            list.join(", ")
        );
        let values = keys.iter().map(Value::from).collect();
        let rows = db.all(sql, values).await?;
        let there: Result<Vec<String>> = rows.iter().map(|row| row.get("found_id")).collect();
        let there = there?;
        let gone = keys.iter().filter(|key| !there.contains(key));
        Ok(gone.cloned().collect())
    }

    /// What a column would hold of a text. Nothing is written.
    pub(crate) async fn held(&self, db: &Db, column: &str, text: &str) -> Result<String> {
        let sql = format!("SELECT CAST({} AS text) AS held", self.cast(1, column));
        let row = db.one(sql, values![text]).await?;
        row.map_or_else(|| Ok(String::new()), |row| row.get("held"))
    }
}

/// A digest of what a row says of its file, by which a correction is seen. By whom it is, is
/// no reason to try a file again.
fn seen(found: &Found) -> Result<String> {
    let metadata = serde_json::to_string(&found.metadata).map_err(|_| Error::Stored("a row"))?;
    let mut digest = Sha256::new();
    for part in [&found.place, &found.name, &found.media_type, &metadata] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    Ok(HEXLOWER.encode(&digest.finalize()[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_is_quoted_whatever_it_is() {
        assert_eq!(quoted("fileName"), "\"fileName\"");
        assert_eq!(quoted("a\"; drop --"), "\"a\"\"; drop --\"");
    }

    #[test]
    fn a_correction_is_seen_and_who_made_a_file_is_none() {
        let row = Found {
            key: "7".to_owned(),
            place: "a.png".to_owned(),
            name: "a".to_owned(),
            media_type: "image/png".to_owned(),
            size: None,
            content: None,
            seen: None,
            metadata: BTreeMap::from([("album".to_owned(), json!("blue"))]),
            creator: None,
            asked: true,
        };
        let known = seen(&row).expect("a digest");
        let after = |change: &dyn Fn(&mut Found)| {
            let mut row = row.clone();
            change(&mut row);
            seen(&row).expect("a digest")
        };
        assert_eq!(after(&|row| row.creator = Some("anna".to_owned())), known);
        let corrections: [&dyn Fn(&mut Found); 5] = [
            &|row| row.place.push('x'),
            &|row| row.name.push('x'),
            &|row| "image/webp".clone_into(&mut row.media_type),
            &|row| row.metadata.clear(),
            // What is taken from one and added to the next is another row.
            &|row| {
                "a.pn".clone_into(&mut row.place);
                "ga".clone_into(&mut row.name);
            },
        ];
        for (number, correction) in corrections.into_iter().enumerate() {
            assert_ne!(after(correction), known, "correction {number}");
        }
    }
}
