//! Rows of a table in somebody's Postgres, and their content in a store.

mod checking;

use super::store::{StoreSource, open_object};
use super::{Found, LookedAt, Mark, Source, SourcePage, Still, Told};
use crate::rule::TableRule;
use crate::sql::rows::{self, Marked, Table};
use crate::target::{Checked, Content, Receipt, Trouble};
use crate::trouble;
use async_trait::async_trait;
use std::time::Duration;
use storage::{Db, DbLimits, Schema};
use tokio::sync::OnceCell;

/// How long one statement may take. A pooler between takes no such limit from us.
const STATEMENT: Duration = Duration::from_secs(60);
/// Connections to somebody else's database.
const CONNECTIONS: u32 = 4;
/// How long one waits for one.
const ACQUIRE: Duration = Duration::from_secs(15);

/// Rows, and the store of their content.
#[derive(Debug)]
pub(crate) struct RowSource {
    db: Db,
    schema: Schema,
    rule: TableRule,
    table: OnceCell<Table>,
    content: StoreSource,
    key_prefix: String,
}

impl RowSource {
    /// Nothing is asked yet.
    pub(crate) fn open(
        url: &str,
        rule: TableRule,
        content: StoreSource,
        key_prefix: String,
    ) -> Result<Self, Trouble> {
        let limits = DbLimits {
            postgres_connections: CONNECTIONS,
            acquire: ACQUIRE,
            ..DbLimits::default()
        };
        let (db, schema) =
            Db::foreign(url, &limits).map_err(|error| trouble::of_foreign(&error))?;
        Ok(Self {
            db,
            schema,
            rule,
            table: OnceCell::new(),
            content,
            key_prefix,
        })
    }

    async fn table(&self) -> Result<&Table, Trouble> {
        self.table
            .get_or_try_init(|| async {
                let found = rows::table(&self.db, &self.rule, self.schema.0.as_deref());
                within(found).await?.ok_or_else(|| self.no_table())
            })
            .await
    }

    fn no_table(&self) -> Trouble {
        Trouble::Everything {
            reason: format!(
                "the database has no table \"{}\" that this role may use; correct its name and schema, or grant SELECT and UPDATE on it",
                self.rule.table
            ),
        }
    }

    fn key(&self, place: &str) -> String {
        format!("{}{place}", self.key_prefix)
    }
}

/// Waits for somebody else's database, but not for ever.
async fn within<T>(work: impl Future<Output = storage::Result<T>>) -> Result<T, Trouble> {
    within_as(trouble::of_foreign, work).await
}

/// The same, where its errors mean something else.
async fn within_as<T>(
    meaning: fn(&storage::Error) -> Trouble,
    work: impl Future<Output = storage::Result<T>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(STATEMENT, work).await {
        Ok(done) => done.map_err(|error| meaning(&error)),
        Err(_) => Err(Trouble::Later {
            reason: format!(
                "the database of the rows did not answer within {} s",
                STATEMENT.as_secs()
            ),
            after: None,
        }),
    }
}

#[async_trait]
impl Source for RowSource {
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<SourcePage, Trouble> {
        let table = self.table().await?;
        let files = within(table.page(&self.db, after, limit)).await?;
        let next = files.last().map(|last| last.key.clone());
        Ok(SourcePage {
            next: next.filter(|_| files.len() == limit),
            files,
        })
    }

    async fn still(&self, key: &str, told: &[String]) -> Result<Still, Trouble> {
        let table = self.table().await?;
        let Some(now) = within(table.current(&self.db, key)).await? else {
            return Ok(Still::Gone);
        };
        if now.is_marked {
            // Where no column says by whom, who has told it once is taken for the one.
            let is_ours = if self.rule.columns.remote_id.is_empty() {
                !told.is_empty()
            } else {
                within(table.shown(&self.db, told)).await?.contains(&now.by)
            };
            if !is_ours {
                return Ok(Still::ByOthers(now.by));
            }
        }
        Ok(Still::Wanted(Box::new(now.found)))
    }

    async fn samples(&self, limit: usize) -> Result<Vec<Found>, Trouble> {
        let table = self.table().await?;
        within(table.first(&self.db, limit)).await
    }

    async fn look(&self, place: &str) -> Result<Option<LookedAt>, Trouble> {
        let looked = self.content.look(&self.key(place)).await?;
        // What the row says of its type counts.
        Ok(looked.map(|looked| LookedAt {
            media_type: None,
            ..looked
        }))
    }

    async fn open(&self, place: &str, looked: &LookedAt, offset: u64) -> Result<Content, Trouble> {
        open_object(self.content.store(), &self.key(place), looked, offset).await
    }

    fn link(&self, place: &str) -> Option<String> {
        self.content.link(&self.key(place))
    }

    async fn mark(&self, key: &str, mark: &Mark) -> Result<Told, Trouble> {
        let table = self.table().await?;
        let marked = within_as(trouble::of_mark, table.mark(&self.db, key, mark)).await?;
        Ok(match marked {
            Marked::Done => Told::Done,
            Marked::Gone => Told::But("its row was deleted meanwhile".to_owned()),
            Marked::ByOthers(id) => Told::But(format!(
                "its row was marked by somebody else meanwhile, with the id `{id}`; it is left so"
            )),
        })
    }

    async fn missing(&self, keys: &[String]) -> Result<Vec<String>, Trouble> {
        let table = self.table().await?;
        within(table.missing(&self.db, keys)).await
    }

    async fn waiting(&self) -> Result<Option<u64>, Trouble> {
        let table = self.table().await?;
        within(table.waiting(&self.db)).await.map(Some)
    }

    async fn check(&self) -> Vec<Checked> {
        let mut checked = Vec::new();
        let mut say = |what: &str, missing: Option<String>| {
            checked.push(Checked {
                what: what.to_owned(),
                missing,
            });
        };
        match within(rows::role(&self.db)).await {
            Err(trouble) => say("Database", Some(trouble.to_string())),
            Ok(role) => {
                say(&format!("Database, as the role {role}"), None);
                match self.table().await {
                    Err(trouble) => say("Table", Some(trouble.to_string())),
                    Ok(table) => {
                        let lacking = self.lacking(table);
                        let missing = (!lacking.is_empty()).then(|| lacking.join("; "));
                        say(
                            &format!("Table \"{}\" and its columns", self.rule.table),
                            missing,
                        );
                    }
                }
            }
        }
        checked.extend(self.content.check().await);
        checked
    }

    async fn check_told(&self, receipts: &[Receipt]) -> Vec<Checked> {
        self.check_holding(receipts).await
    }
}
