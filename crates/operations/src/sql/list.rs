//! The statement behind a list of operations, put together from constants.
//!
//! There is an index for every filter and every sort, not for every pair of them. So
//! one index is walked in the order of the page, and what it does not answer is looked
//! at row by row, in windows of a bounded size and for a bounded time; a page may then
//! come back short and say where to go on. Where a filter leaves few rows, those are
//! sorted instead, and the page is full.

use super::operation::{COLUMNS, read};
use crate::list::{Filter, ListPage, Order, Position, Query, Sort};
use crate::{Operation, Result};
use base::OperationId;
use std::time::{Duration, Instant};
use storage::{Db, Row, Value};

/// Rows that are sorted for a page rather than walked past.
const FEW: usize = 500;
/// Rows looked at by one statement when the walk does not answer the whole question.
const WINDOW: usize = 1_000;
/// For how long a page goes on from window to window.
const PATIENCE: Duration = Duration::from_millis(8);
/// How far apart the making of an id and the storing of its operation may be.
const SLACK: Duration = Duration::from_secs(60);

/// A page of operations.
pub(crate) async fn page(db: &Db, query: &Query) -> Result<ListPage> {
    let plan = Plan::of(query);
    if plan.walks_to_the_answer() {
        return walked(db, &plan).await;
    }
    if let Some(few) = plan.filter_with_few_rows(db).await? {
        return sorted(db, &plan, few).await;
    }
    let begun = Instant::now();
    let mut page = ListPage {
        operations: Vec::new(),
        next: query.after.clone(),
    };
    loop {
        windowed(db, &plan, &mut page).await?;
        let full = page.operations.len() == query.limit;
        if full || page.next.is_none() || begun.elapsed() >= PATIENCE {
            return Ok(page);
        }
    }
}

/// The page, where every row on the walk is one that is wanted.
async fn walked(db: &Db, plan: &Plan<'_>) -> Result<ListPage> {
    let mut statement = Statement::default();
    plan.walk(&mut statement, plan.query.after.as_ref());
    let sql = format!(
        "SELECT {COLUMNS} FROM operation {} {} LIMIT {}",
        statement.conditions,
        plan.order(),
        plan.query.limit + 1
    );
    let mut operations = all(db, sql, statement.values).await?;
    let next = plan.cut(&mut operations, plan.query.limit);
    Ok(ListPage { operations, next })
}

/// The page, where all rows that pass `few` are soon sorted.
async fn sorted(db: &Db, plan: &Plan<'_>, few: Equality<'_>) -> Result<ListPage> {
    let mut statement = Statement::default();
    statement.equals(few);
    // The limit is never reached; it keeps the database from merging the two
    // statements, and choosing another index.
    let rows = format!(
        "SELECT * FROM operation {} LIMIT 1000000",
        statement.conditions
    );
    statement.conditions.clear();
    plan.walk(&mut statement, plan.query.after.as_ref());
    plan.rest(&mut statement);
    let sql = format!(
        "SELECT {COLUMNS} FROM ({rows}) few {} {} LIMIT {}",
        statement.conditions,
        plan.order(),
        plan.query.limit + 1
    );
    let mut operations = all(db, sql, statement.values).await?;
    let next = plan.cut(&mut operations, plan.query.limit);
    Ok(ListPage { operations, next })
}

/// Adds to `page` what a window of the rows on the walk has.
///
/// The window and its end are read by one statement, and so as they are at one moment: what
/// came between two would push rows out of the window that lie before its end, and no later
/// window would have them.
async fn windowed(db: &Db, plan: &Plan<'_>, page: &mut ListPage) -> Result<()> {
    let mut statement = Statement::default();
    plan.walk(&mut statement, page.next.as_ref());
    let order = plan.order();
    let walk = format!("FROM operation {} {order}", statement.conditions);
    statement.conditions.clear();
    plan.rest(&mut statement);
    let wanted = plan.query.limit - page.operations.len();
    let value = plan.sorted_by().unwrap_or("''");
    let sql = format!(
        "SELECT wanted.*, window_end.end_value, window_end.end_id FROM (SELECT 1 AS one) moment
         LEFT JOIN (SELECT {value} AS end_value, id AS end_id {walk} LIMIT 1 OFFSET {}) window_end
            ON TRUE
         LEFT JOIN (SELECT {COLUMNS} FROM (SELECT * {walk} LIMIT {WINDOW}) page_window {} {order}
            LIMIT {}) wanted
            ON TRUE
         {order}",
        WINDOW - 1,
        statement.conditions,
        wanted + 1
    );
    let rows = db.all(sql, statement.values).await?;
    let mut operations = Vec::with_capacity(rows.len());
    for row in &rows {
        // Where nothing in the window is wanted, its end comes alone.
        if row.get::<Option<uuid::Uuid>>("id")?.is_some() {
            operations.push(read(row)?);
        }
    }
    let end = rows.first().map(end_of_window).transpose()?.flatten();
    page.next = plan.cut(&mut operations, wanted).or(end);
    page.operations.append(&mut operations);
    Ok(())
}

/// The row at the end of a full window: it says where to go on when the page stays short.
fn end_of_window(row: &Row) -> Result<Option<Position>> {
    let Some(id) = row.get::<Option<uuid::Uuid>>("end_id")? else {
        return Ok(None);
    };
    Ok(Some(Position {
        value: row.get("end_value")?,
        id: OperationId::from(id),
    }))
}

async fn all(db: &Db, sql: String, values: Vec<Value>) -> Result<Vec<Operation>> {
    db.all(sql, values).await?.iter().map(read).collect()
}

/// A column that must have a value.
#[derive(Clone, Copy, Debug)]
struct Equality<'a> {
    column: &'static str,
    value: Wanted<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Wanted<'a> {
    Text(&'a str),
    Id(OperationId),
}

/// Which index is walked, and what is left to be looked at.
struct Plan<'a> {
    query: &'a Query,
    /// What the walked index begins with: rows of one value, in the order of their ids.
    /// Without it the walk is along the sorted column, or along the ids alone.
    within: Option<Equality<'a>>,
    /// Filters that the walk does not answer.
    others: Vec<Equality<'a>>,
}

impl<'a> Plan<'a> {
    fn of(query: &'a Query) -> Self {
        let mut others = equalities(&query.filter);
        let within = match sort_column(query.sort) {
            // The one that likely leaves the fewest rows.
            None if others.is_empty() => None,
            None => Some(others.remove(0)),
            // Where the sorted column has but one value, the ids are the order.
            Some(column) => {
                let same = others.iter().position(|equality| equality.column == column);
                same.map(|index| others.remove(index))
            }
        };
        Self {
            query,
            within,
            others,
        }
    }

    /// By which column rows are sorted before their ids, if they are.
    fn sorted_by(&self) -> Option<&'static str> {
        match self.within {
            Some(_) => None,
            None => sort_column(self.query.sort),
        }
    }

    /// Whether the walk answers all that was asked.
    fn walks_to_the_answer(&self) -> bool {
        self.others.is_empty() && !self.has_time_left() && self.query.filter.text.is_none()
    }

    /// A range of time is one of ids, which a walk in the order of ids answers.
    fn has_time_left(&self) -> bool {
        let filter = &self.query.filter;
        self.sorted_by().is_some() && (filter.from.is_some() || filter.to.is_some())
    }

    fn order(&self) -> String {
        let direction = match self.query.order {
            Order::Asc => "ASC",
            Order::Desc => "DESC",
        };
        match self.sorted_by() {
            None => format!("ORDER BY id {direction}"),
            Some(column) => format!("ORDER BY {column} {direction}, id {direction}"),
        }
    }

    /// What the walk answers, from `after` on.
    fn walk(&self, statement: &mut Statement, after: Option<&Position>) {
        if let Some(within) = self.within {
            statement.equals(within);
        }
        if self.sorted_by().is_none() {
            self.times(statement);
        }
        let Some(after) = after else { return };
        let sign = match self.query.order {
            Order::Asc => ">",
            Order::Desc => "<",
        };
        let id = statement.bind(after.id.uuid());
        match self.sorted_by() {
            None => statement.and(&format!("id {sign} {id}")),
            Some(column) => {
                let value = statement.bind(after.value.as_str());
                statement.and(&format!("({column}, id) {sign} ({value}, {id})"));
            }
        }
    }

    /// What it does not answer.
    fn rest(&self, statement: &mut Statement) {
        for other in &self.others {
            statement.equals(*other);
        }
        if self.has_time_left() {
            self.times(statement);
        }
        if let Some(text) = &self.query.filter.text {
            let text = statement.bind(like(text));
            statement.and(&format!(
                "(LOWER(title) LIKE {text} ESCAPE '\\' OR LOWER(subject) LIKE {text} ESCAPE '\\'
                  OR LOWER(COALESCE(error_text, '')) LIKE {text} ESCAPE '\\')"
            ));
        }
    }

    fn times(&self, statement: &mut Statement) {
        let filter = &self.query.filter;
        // Ids begin with the time they were made, shortly before they were stored. So a
        // range of time is a range of ids, which every index ends in, with some slack;
        // the exact time decides at its edges.
        if let Some(from) = filter.from {
            let id = statement.bind(earliest_id(from.minus(SLACK)));
            let time = statement.bind(from);
            statement.and(&format!("id >= {id} AND created_at >= {time}"));
        }
        if let Some(to) = filter.to {
            let id = statement.bind(earliest_id(to.plus(SLACK)));
            let time = statement.bind(to);
            statement.and(&format!("id < {id} AND created_at < {time}"));
        }
    }

    /// A filter that few rows pass, counted on its index.
    async fn filter_with_few_rows(&self, db: &Db) -> Result<Option<Equality<'a>>> {
        for equality in self.within.iter().chain(&self.others) {
            let mut statement = Statement::default();
            statement.equals(*equality);
            let sql = format!(
                "SELECT COUNT(*) AS count FROM (SELECT 1 FROM operation {} LIMIT {}) counted",
                statement.conditions,
                FEW + 1
            );
            let counted = db.one(sql, statement.values).await?;
            let count = counted.map(|row| row.get::<u64>("count")).transpose()?;
            if count.is_some_and(|count| count <= FEW as u64) {
                return Ok(Some(*equality));
            }
        }
        Ok(None)
    }

    /// Cuts what is more than `limit`; where to go on, if anything was.
    fn cut(&self, operations: &mut Vec<Operation>, limit: usize) -> Option<Position> {
        let more = operations.len() > limit;
        operations.truncate(limit);
        operations
            .last()
            .filter(|_| more)
            .map(|last| position(self.query.sort, last))
    }
}

/// The filters by value, those that likely leave the fewest rows first.
fn equalities(filter: &Filter) -> Vec<Equality<'_>> {
    let text = Wanted::Text;
    let given = [
        ("parent", filter.parent.map(Wanted::Id)),
        ("subject", filter.subject.as_deref().map(text)),
        ("server", filter.server.as_deref().map(text)),
        ("actor", filter.actor.as_deref().map(text)),
        ("kind", filter.kind.as_deref().map(text)),
        (
            "trigger",
            filter.trigger.map(|trigger| text(trigger.as_str())),
        ),
        ("state", filter.state.map(|state| text(state.as_str()))),
    ];
    let equalities = given.into_iter().filter_map(|(column, value)| {
        let value = value?;
        Some(Equality { column, value })
    });
    equalities.collect()
}

/// Conditions and the values in them.
#[derive(Default)]
struct Statement {
    conditions: String,
    values: Vec<Value>,
}

impl Statement {
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

    fn equals(&mut self, Equality { column, value }: Equality<'_>) {
        let placeholder = match value {
            Wanted::Text(text) => self.bind(text),
            Wanted::Id(id) => self.bind(id.uuid()),
        };
        self.and(&format!("{column} = {placeholder}"));
    }
}

const fn sort_column(sort: Sort) -> Option<&'static str> {
    match sort {
        Sort::CreatedAt => None,
        Sort::Kind => Some("kind"),
        Sort::State => Some("state"),
        Sort::Subject => Some("subject"),
        Sort::Server => Some("server"),
        Sort::Actor => Some("actor"),
        Sort::Trigger => Some("trigger"),
    }
}

fn position(sort: Sort, operation: &Operation) -> Position {
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
