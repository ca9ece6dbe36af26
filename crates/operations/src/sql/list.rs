//! The statement behind a list of operations, put together from constants.

use super::operation::{COLUMNS, read};
use crate::Result;
use crate::list::{ListPage, Order, Position, Query, Sort};
use base::OperationId;
use std::time::Duration;
use storage::{Db, Value, values};

/// Rows that one page looks at when it looks for a text.
const WINDOW: usize = 20_000;
/// How far apart the making of an id and the storing of its operation may be.
const SLACK: Duration = Duration::from_secs(60);

/// A page of operations.
pub(crate) async fn page(db: &Db, query: &Query) -> Result<ListPage> {
    let statement = Statement::of(query);
    if query.filter.text.is_some() {
        return search(db, query, statement).await;
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM operation {} {} LIMIT {}",
        statement.conditions,
        statement.order,
        query.limit + 1
    );
    let rows = db.all(sql, statement.values).await?;
    let mut operations = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let more = operations.len() > query.limit;
    operations.truncate(query.limit);
    let next = operations
        .last()
        .filter(|_| more)
        .map(|last| position(query.sort, last));
    Ok(ListPage { operations, next })
}

/// Looks for a text in a window of the rows that pass the other filters.
async fn search(db: &Db, query: &Query, mut statement: Statement) -> Result<ListPage> {
    let column = column(query.sort);
    let window = format!(
        "SELECT * FROM operation {} {} LIMIT {WINDOW}",
        statement.conditions, statement.order
    );
    // The row at the end of the window says where to go on when the page stays short.
    let value = if column == "id" { "''" } else { column };
    let end = format!(
        "SELECT {value} AS value, id FROM operation {} {} LIMIT 1 OFFSET {}",
        statement.conditions,
        statement.order,
        WINDOW - 1
    );
    let end = db.one(end, statement.values.clone()).await?;
    let text = statement.bind(like(query.filter.text.as_deref().unwrap_or_default()));
    let sql = format!(
        "SELECT {COLUMNS} FROM ({window}) page_window
         WHERE LOWER(title) LIKE {text} ESCAPE '\\' OR LOWER(subject) LIKE {text} ESCAPE '\\'
            OR LOWER(COALESCE(error_text, '')) LIKE {text} ESCAPE '\\'
         {} LIMIT {}",
        statement.order,
        query.limit + 1
    );
    let rows = db.all(sql, statement.values).await?;
    let mut operations = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let more = operations.len() > query.limit;
    operations.truncate(query.limit);
    let next = match (more, end) {
        (true, _) => operations.last().map(|last| position(query.sort, last)),
        (false, Some(end)) => Some(Position {
            value: end.get("value")?,
            id: OperationId::from(end.get::<uuid::Uuid>("id")?),
        }),
        (false, None) => None,
    };
    Ok(ListPage { operations, next })
}

/// Conditions, order and values that the two kinds of page share.
struct Statement {
    conditions: String,
    order: String,
    values: Vec<Value>,
}

impl Statement {
    fn of(query: &Query) -> Self {
        let mut statement = Self {
            conditions: String::new(),
            order: String::new(),
            values: values![],
        };
        statement.filter(query);
        statement.after(query);
        let direction = match query.order {
            Order::Asc => "ASC",
            Order::Desc => "DESC",
        };
        statement.order = match column(query.sort) {
            "id" => format!("ORDER BY id {direction}"),
            column => format!("ORDER BY {column} {direction}, id {direction}"),
        };
        statement
    }

    /// The placeholder of a new value.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.conditions.push_str(if self.conditions.is_empty() {
            "WHERE "
        } else {
            " AND "
        });
        self.conditions.push_str(condition);
    }

    fn equals(&mut self, column: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            let placeholder = self.bind(value);
            self.and(&format!("{column} = {placeholder}"));
        }
    }

    fn filter(&mut self, query: &Query) {
        let filter = &query.filter;
        self.equals("kind", filter.kind.as_deref());
        self.equals("state", filter.state.map(crate::State::as_str));
        self.equals("subject", filter.subject.as_deref());
        self.equals("server", filter.server.as_deref());
        self.equals("actor", filter.actor.as_deref());
        self.equals("trigger", filter.trigger.map(base::Trigger::as_str));
        if let Some(parent) = filter.parent {
            let placeholder = self.bind(parent.uuid());
            self.and(&format!("parent = {placeholder}"));
        }
        // Ids begin with the time they were made, shortly before they were stored. So a
        // range of time is a range of ids, which every index ends in, with some slack;
        // the exact time decides at its edges.
        if let Some(from) = filter.from {
            let (id, time) = (self.bind(earliest_id(from.minus(SLACK))), self.bind(from));
            self.and(&format!("id >= {id} AND created_at >= {time}"));
        }
        if let Some(to) = filter.to {
            let (id, time) = (self.bind(earliest_id(to.plus(SLACK))), self.bind(to));
            self.and(&format!("id < {id} AND created_at < {time}"));
        }
    }

    fn after(&mut self, query: &Query) {
        let Some(after) = &query.after else { return };
        let sign = match query.order {
            Order::Asc => ">",
            Order::Desc => "<",
        };
        match column(query.sort) {
            "id" => {
                let id = self.bind(after.id.uuid());
                self.and(&format!("id {sign} {id}"));
            }
            column => {
                let (value, id) = (self.bind(after.value.as_str()), self.bind(after.id.uuid()));
                self.and(&format!("({column}, id) {sign} ({value}, {id})"));
            }
        }
    }
}

const fn column(sort: Sort) -> &'static str {
    match sort {
        Sort::CreatedAt => "id",
        Sort::Kind => "kind",
        Sort::State => "state",
        Sort::Subject => "subject",
        Sort::Server => "server",
        Sort::Actor => "actor",
        Sort::Trigger => "trigger",
    }
}

fn position(sort: Sort, operation: &crate::Operation) -> Position {
    let value = match sort {
        Sort::CreatedAt => String::new(),
        Sort::Kind => operation.kind.clone(),
        Sort::State => operation.state.to_string(),
        Sort::Subject => operation.subject.clone().unwrap_or_default(),
        Sort::Server => operation.server.clone().unwrap_or_default(),
        Sort::Actor => operation.actor.to_string(),
        Sort::Trigger => operation.trigger.to_string(),
    };
    Position {
        value,
        id: operation.id,
    }
}

/// The smallest UUIDv7 of a millisecond.
fn earliest_id(at: base::Timestamp) -> uuid::Uuid {
    let millis = u64::try_from(at.micros().div_euclid(1000)).unwrap_or(0);
    uuid::Uuid::from_u128((u128::from(millis) & 0xffff_ffff_ffff) << 80)
}

fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.to_ascii_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
