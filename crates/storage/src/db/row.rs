//! Running a statement on either driver, and reading its rows.

use crate::db::Value;
use crate::{Error, Result};
use base::Timestamp;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Executor, Row as _};
use uuid::Uuid;

/// One row of a result.
#[derive(Debug)]
pub struct Row(Inner);

enum Inner {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self(Inner::Sqlite(row))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self(Inner::Postgres(row))
    }
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// When there is no such column, or it does not hold a `T`.
    pub fn get<T: Column>(&self, column: &str) -> Result<T> {
        T::read(self, column).map_err(|source| Error::Column {
            column: column.to_owned(),
            source,
        })
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type that a column can be read as.
pub trait Column: Sized + sealed::Sealed {
    #[doc(hidden)]
    fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error>;
}

macro_rules! column {
    ($($type:ty),*) => {
        $(
            impl sealed::Sealed for $type {}
            impl Column for $type {
                fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
                    match &row.0 {
                        Inner::Sqlite(row) => row.try_get(column),
                        Inner::Postgres(row) => row.try_get(column),
                    }
                }
            }
            impl sealed::Sealed for Option<$type> {}
            impl Column for Option<$type> {
                fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
                    match &row.0 {
                        Inner::Sqlite(row) => row.try_get(column),
                        Inner::Postgres(row) => row.try_get(column),
                    }
                }
            }
        )*
    };
}

column!(String, i64, bool, Vec<u8>, Uuid);

impl sealed::Sealed for Timestamp {}
impl Column for Timestamp {
    fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
        i64::read(row, column).map(Self::from_micros)
    }
}

impl sealed::Sealed for Option<Timestamp> {}
impl Column for Option<Timestamp> {
    fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
        Ok(Option::<i64>::read(row, column)?.map(Timestamp::from_micros))
    }
}

impl sealed::Sealed for u64 {}
impl Column for u64 {
    fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
        let value = i64::read(row, column)?;
        Self::try_from(value).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }
}

impl sealed::Sealed for Option<u64> {}
impl Column for Option<u64> {
    fn read(row: &Row, column: &str) -> Result<Self, sqlx::Error> {
        Option::<i64>::read(row, column)?
            .map(|value| u64::try_from(value).map_err(|error| sqlx::Error::Decode(Box::new(error))))
            .transpose()
    }
}

/// Postgres holds no NUL in a text; to be the same everywhere, neither does SQLite.
fn storable(text: String) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text
    }
}

/// A driver whose arguments can be made of our values.
pub(crate) trait Driver: sqlx::Database {
    fn bind(values: Vec<Value>) -> Result<Self::Arguments, sqlx::Error>;
    fn affected(result: &Self::QueryResult) -> u64;
}

macro_rules! driver {
    ($driver:ty, $arguments:ty) => {
        impl Driver for $driver {
            fn bind(values: Vec<Value>) -> Result<Self::Arguments, sqlx::Error> {
                let mut arguments = <$arguments>::default();
                for value in values {
                    match value {
                        Value::Text(value) => arguments.add(value.map(storable)),
                        Value::Int(value) => arguments.add(value),
                        Value::Bool(value) => arguments.add(value),
                        Value::Bytes(value) => arguments.add(value),
                        Value::Uuid(value) => arguments.add(value),
                    }
                    .map_err(sqlx::Error::Encode)?;
                }
                Ok(arguments)
            }
            fn affected(result: &Self::QueryResult) -> u64 {
                result.rows_affected()
            }
        }
    };
}

driver!(Sqlite, SqliteArguments);
driver!(Postgres, PgArguments);

pub(crate) async fn fetch_all<'c, D, E>(
    executor: E,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<Row>>
where
    D: Driver,
    D::Row: Into<Row>,
    D::Arguments: sqlx::IntoArguments<D>,
    E: Executor<'c, Database = D>,
{
    let query = sqlx::query_with::<D, _>(AssertSqlSafe(sql), D::bind(values)?);
    let rows = query.fetch_all(executor).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) async fn execute<'c, D, E>(executor: E, sql: &str, values: Vec<Value>) -> Result<u64>
where
    D: Driver,
    D::Arguments: sqlx::IntoArguments<D>,
    E: Executor<'c, Database = D>,
{
    let query = sqlx::query_with::<D, _>(AssertSqlSafe(sql), D::bind(values)?);
    Ok(D::affected(&query.execute(executor).await?))
}
