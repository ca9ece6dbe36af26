//! Marking a row: once as delivered, and from then on with what is known of its file by now.

use super::{Column, Table, quoted};
use crate::source::Mark;
use storage::{Db, Error, Result, Value, values};

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

/// Which row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which<'a> {
    /// One that is still to be delivered.
    Asking,
    /// One that holds one of these ids, which are ours.
    Ours(&'a [String]),
}

/// Whether a value is none of its column's type.
fn is_of_the_value(error: &Error) -> bool {
    let refusal = error.refusal();
    refusal.is_some_and(|refusal| refusal.code.starts_with("22"))
}

impl Table {
    /// Marks a row as delivered. It is marked once; what follows only says more of it, and
    /// under which id it is now.
    pub(crate) async fn mark(&self, db: &Db, key: &str, mark: &Mark) -> Result<Marked> {
        if self.write(db, key, mark, Which::Asking).await? > 0 {
            return Ok(Marked::Done);
        }
        // It was marked before, by us: then it becomes ready, or has another id by now. Where
        // no column says by whom, it is left as it is.
        let columns = &self.rule.columns;
        if !columns.remote_id.is_empty() {
            let mut told = mark.told.clone();
            told.push(mark.receipt.id.clone());
            let ours = self.shown(db, &told).await?;
            if self.write(db, key, mark, Which::Ours(&ours)).await? > 0 {
                return Ok(Marked::Done);
            }
        }
        self.why_not(db, key).await
    }

    /// How the column of ids shows these once it holds them: one of a type of its own may do so
    /// in another way than they are written, as a UUID gets dashes. What it cannot hold it
    /// holds of nobody, and is left as it is.
    pub(crate) async fn shown(&self, db: &Db, ids: &[String]) -> Result<Vec<String>> {
        let column = &self.rule.columns.remote_id;
        if self.column(column).is_none_or(Column::is_a_text) {
            return Ok(ids.to_vec());
        }
        let mut shown = Vec::with_capacity(ids.len());
        for id in ids {
            shown.push(match self.held(db, column, id).await {
                Ok(held) => held,
                Err(error) if is_of_the_value(&error) => id.clone(),
                Err(error) => return Err(error),
            });
        }
        Ok(shown)
    }

    async fn write(&self, db: &Db, key: &str, mark: &Mark, which: Which<'_>) -> Result<u64> {
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
                let cast = self.written(values.len(), column);
                sets.push(format!("{} = {cast}", quoted(column)));
            }
        };
        set(&columns.remote_id, &mark.receipt.id, &mut values);
        set(&columns.status, status, &mut values);
        if let Some(thumbnail) = &mark.receipt.thumbnail {
            set(&columns.thumbnail, thumbnail, &mut values);
        }
        let copied = quoted(&columns.copied);
        let condition = match which {
            Which::Asking => {
                sets.insert(0, format!("{copied} = TRUE"));
                format!("{copied} = FALSE")
            }
            Which::Ours(ids) => {
                let mut list = Vec::new();
                for id in ids {
                    values.push(id.into());
                    list.push(format!("CAST(${} AS text)", values.len()));
                }
                format!("{} IN ({})", self.held_id(), list.join(", "))
            }
        };
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
        let sql = format!(
            "SELECT {} AS found_by FROM {} WHERE {} = {}",
            self.held_id(),
            self.name,
            quoted(&columns.id),
            self.cast(1, &columns.id)
        );
        let row = db.one(sql, values![key]).await?;
        let Some(row) = row else {
            return Ok(Marked::Gone);
        };
        if columns.remote_id.is_empty() {
            return Ok(Marked::Done);
        }
        Ok(Marked::ByOthers(row.get("found_by")?))
    }
}
