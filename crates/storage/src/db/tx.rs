//! Transactions.

use crate::db::{Answer, Db, Dialect, Pools, Row, Sql, Value, row, timed};
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
    pub fn all(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, Vec<Row>> {
        let sql = sql.into();
        Box::pin(self.read(sql, values))
    }

    /// The first row of a query, or of a statement with `RETURNING`, if there is one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn one(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, Option<Row>> {
        let sql = sql.into();
        Box::pin(self.read_one(sql, values))
    }

    /// Runs a statement that changes rows; how many it changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Answer<'_, u64> {
        let sql = sql.into();
        Box::pin(self.change(sql, values))
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

    async fn read(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>> {
        let sql = sql.render(self.dialect());
        timed(&sql, async {
            match &mut self.0 {
                Inner::Sqlite(tx) => row::fetch_all(&mut **tx, &sql, values).await,
                Inner::Postgres(tx) => row::fetch_all(&mut **tx, &sql, values).await,
            }
        })
        .await
    }

    async fn read_one(&mut self, sql: Sql, values: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.read(sql, values).await?.into_iter().next())
    }

    async fn change(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64> {
        let sql = sql.render(self.dialect());
        timed(&sql, async {
            match &mut self.0 {
                Inner::Sqlite(tx) => row::execute(&mut **tx, &sql, values).await,
                Inner::Postgres(tx) => row::execute(&mut **tx, &sql, values).await,
            }
        })
        .await
    }

    /// Makes it all true at once. On return it survives a loss of power.
    ///
    /// # Errors
    /// When the database could not keep it; then none of it happened.
    pub fn commit(self) -> Answer<'static, ()> {
        Box::pin(async move {
            match self.0 {
                Inner::Sqlite(tx) => tx.commit().await?,
                Inner::Postgres(tx) => tx.commit().await?,
            }
            Ok(())
        })
    }
}
