//! Rows of somebody's table: which are to be delivered, and marking them.
//!
//! The names come from a rule and are quoted; the types come from the database itself, so
//! that an id of any type is compared as what it is.

use crate::rule::TableRule;
use crate::source::{Found, Mark};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use storage::{Db, Result, Row, Value, values};

/// A column, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its type, as it is written in a statement.
    kind: String,
    /// Whether the role may read and write it.
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

/// A table that was looked up.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    name: String,
    rule: TableRule,
    columns: BTreeMap<String, Column>,
}

/// What became of marking a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Marked {
    /// It is marked, by this or by an earlier one of ours.
    Done,
    /// There is no such row any more.
    Gone,
    /// Somebody else has marked it, with another id.
    ByOthers(String),
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
    const SQL: &str = "SELECT CAST(n.nspname AS text) AS schema, CAST(a.attname AS text) AS name,
            format_type(a.atttypid, a.atttypmod) AS type,
            has_column_privilege(c.oid, a.attnum, 'SELECT') AS reads,
            has_column_privilege(c.oid, a.attnum, 'UPDATE') AS writes
        FROM pg_catalog.pg_attribute a
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

    /// Rows that are to be delivered, in the order of their ids, after one.
    pub(crate) async fn page(
        &self,
        db: &Db,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>> {
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
        let id = quoted(&columns.id);
        let mut values: Vec<Value> = values![limit];
        let mut beyond = String::new();
        if let Some(after) = after {
            values.push(after.into());
            beyond = format!(" AND {id} > {}", self.cast(2, &columns.id));
        }
        let sql = format!(
            "SELECT {}, {}, {}, {}, {creator}{metadata} FROM {} WHERE {} = FALSE{beyond} ORDER BY {id} LIMIT $1",
            text(&columns.id, "found_id"),
            text(&columns.path, "found_path"),
            text(&columns.name, "found_name"),
            text(&columns.media_type, "found_type"),
            self.name,
            quoted(&columns.copied),
        );
        let rows = db.all(sql, values).await?;
        rows.iter().map(|row| self.read(row)).collect()
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
        Ok(Found {
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
        })
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

    /// Marks a row as delivered. It is marked once; what follows only says more of it.
    pub(crate) async fn mark(&self, db: &Db, key: &str, mark: &Mark) -> Result<Marked> {
        if self.write(db, key, mark, true).await? > 0 {
            return Ok(Marked::Done);
        }
        // It was marked before, by us: then it becomes ready. Where no column says by whom,
        // it is left as it is.
        let columns = &self.rule.columns;
        if !columns.remote_id.is_empty() && self.write(db, key, mark, false).await? > 0 {
            return Ok(Marked::Done);
        }
        self.why_not(db, key).await
    }

    async fn write(&self, db: &Db, key: &str, mark: &Mark, first: bool) -> Result<u64> {
        let columns = &self.rule.columns;
        let statuses = &self.rule.statuses;
        let status = if mark.ready {
            &statuses.ready
        } else {
            &statuses.pending
        };
        let mut values: Vec<Value> = values![key];
        let mut sets = Vec::new();
        let mut set = |column: &str, value: &str, values: &mut Vec<Value>| {
            if !column.is_empty() {
                values.push(value.into());
                let cast = self.cast(values.len(), column);
                sets.push(format!("{} = {cast}", quoted(column)));
            }
        };
        if first {
            set(&columns.remote_id, &mark.receipt.id, &mut values);
        }
        set(&columns.status, status, &mut values);
        if let Some(thumbnail) = &mark.receipt.thumbnail {
            set(&columns.thumbnail, thumbnail, &mut values);
        }
        let copied = quoted(&columns.copied);
        let condition = if first {
            sets.insert(0, format!("{copied} = TRUE"));
            format!("{copied} = FALSE")
        } else {
            values.push(mark.receipt.id.as_str().into());
            let cast = self.cast(values.len(), &columns.remote_id);
            format!("{} = {cast}", quoted(&columns.remote_id))
        };
        if sets.is_empty() {
            // Nothing more can be said of it.
            return Ok(0);
        }
        let sql = format!(
            "UPDATE {} SET {} WHERE {} = {} AND {condition}",
            self.name,
            sets.join(", "),
            quoted(&columns.id),
            self.cast(1, &columns.id),
        );
        db.execute(sql, values).await
    }

    async fn why_not(&self, db: &Db, key: &str) -> Result<Marked> {
        let columns = &self.rule.columns;
        let by = if columns.remote_id.is_empty() {
            "''".to_owned()
        } else {
            format!("COALESCE(CAST({} AS text), '')", quoted(&columns.remote_id))
        };
        let sql = format!(
            "SELECT {by} AS found_by FROM {} WHERE {} = {}",
            self.name,
            quoted(&columns.id),
            self.cast(1, &columns.id)
        );
        let row = db.one(sql, values![key]).await?;
        let Some(row) = row else {
            return Ok(Marked::Gone);
        };
        let by: String = row.get("found_by")?;
        if columns.remote_id.is_empty() {
            return Ok(Marked::Done);
        }
        Ok(Marked::ByOthers(by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_whatever_it_is() {
        assert_eq!(quoted("fileName"), "\"fileName\"");
        assert_eq!(quoted("a\"; drop --"), "\"a\"\"; drop --\"");
    }
}
