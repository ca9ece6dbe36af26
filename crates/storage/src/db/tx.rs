//! Transactions.

use crate::db::{Db, Dialect, Pools, Row, Sql, Value, row, timed};
use crate::{Error, Result};
use sqlx::{Postgres, Sqlite, Transaction};

/// A transaction that writes. Dropped without [`Tx::commit`], it is undone.
///
/// On SQLite it holds the one writing connection: do nothing slow while it lives.
#[derive(Debug)]
pub struct Tx(Inner);

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(crate) async fn begin(db: &Db) -> Result<Self> {
        let pools = db.pools.clone();
        let begun = tokio::spawn(async move {
            Ok(Self(match pools {
                Pools::Sqlite { writer, .. } => {
                    Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
                }
                Pools::Postgres(pool) => Inner::Postgres(pool.begin().await?),
            }))
        });
        begun.await.map_err(|_| Error::Stopped)?
    }

    const fn dialect(&self) -> Dialect {
        match self.0 {
            Inner::Sqlite(_) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Every row of a query, or of a statement with `RETURNING`.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn all(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.into().render(self.dialect());
        timed(&sql, async {
            match &mut self.0 {
                Inner::Sqlite(tx) => row::fetch_all(&mut **tx, &sql, values).await,
                Inner::Postgres(tx) => row::fetch_all(&mut **tx, &sql, values).await,
            }
        })
        .await
    }

    /// The first row of a query, or of a statement with `RETURNING`, if there is one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn one(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    /// Runs a statement that changes rows; how many it changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64> {
        let sql = sql.into().render(self.dialect());
        timed(&sql, async {
            match &mut self.0 {
                Inner::Sqlite(tx) => row::execute(&mut **tx, &sql, values).await,
                Inner::Postgres(tx) => row::execute(&mut **tx, &sql, values).await,
            }
        })
        .await
    }

    /// Waits until no other transaction holds the lock `number`, and holds it until
    /// this one ends. SQLite has one writer, and so nothing to wait for.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn lock(&mut self, number: i64) -> Result<()> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => self
                .execute(
                    "SELECT pg_advisory_xact_lock($1)",
                    vec![Value::from(number)],
                )
                .await
                .map(drop),
        }
    }

    /// Makes it all true at once. On return it survives a loss of power.
    ///
    /// # Errors
    /// When the database could not keep it; then none of it happened.
    pub async fn commit(self) -> Result<()> {
        match self.0 {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
