//! The one way to change what is at a path: a transaction in which nobody else changes
//! it, and after which nobody finds what was there before, neither here nor on another
//! replica.

use crate::event::ToTell;
use crate::store::Held;
use crate::{Files, kept, sql};
use base::BucketId;
use std::ops::{Deref, DerefMut};
use storage::{Change, Error, Result, Tx};

/// A change of what is at some paths. Dropped without [`commit`](Self::commit), it is
/// undone.
#[derive(Debug)]
pub(crate) struct Alteration {
    tx: Tx,
    announced: Change,
    files: Files,
    places: Vec<(BucketId, String)>,
}

impl Deref for Alteration {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl DerefMut for Alteration {
    fn deref_mut(&mut self) -> &mut Tx {
        &mut self.tx
    }
}

impl Files {
    /// Begins to change what is at these paths.
    pub(crate) async fn alter(&self, places: &[(BucketId, &str)]) -> Result<Alteration> {
        let announced = kept::change(self.shared_cache(), places).await?;
        let mut tx = self.db().begin().await?;
        sql::file::lock(&mut tx, places).await?;
        let places = places
            .iter()
            .map(|(bucket, path)| (*bucket, (*path).to_owned()));
        Ok(Alteration {
            tx,
            announced,
            files: self.clone(),
            places: places.collect(),
        })
    }

    /// The same for whoever has the turn at these paths of a store.
    ///
    /// # Errors
    /// [`storage::Error::Busy`] when another replica has taken it over.
    pub(crate) async fn alter_held(
        &self,
        places: &[(BucketId, &str)],
        held: Option<&Held>,
    ) -> Result<Alteration> {
        let mut alteration = self.alter(places).await?;
        if let Some(held) = held {
            held.keep(&mut alteration).await?;
        }
        Ok(alteration)
    }
}

impl Alteration {
    /// Makes it true, and has it told. On return nobody finds what was before.
    ///
    /// Who stops waiting does not stop it: the database may make it true all the same, and then
    /// memory must hear of it.
    ///
    /// # Errors
    /// When it is not true, or nobody knows.
    pub(crate) async fn commit(self, to_tell: ToTell) -> Result<()> {
        let tasks = self.files.tasks().clone();
        let committed = tasks.spawn(self.end(to_tell)).await;
        committed.map_err(|_| Error::Stopped)?
    }

    async fn end(self, to_tell: ToTell) -> Result<()> {
        let Self {
            tx,
            mut announced,
            files,
            places,
        } = self;
        announced.commits();
        let committed = tx.commit().await;
        for (bucket, path) in &places {
            files.remembered().changed(*bucket, path);
        }
        committed?;
        let happened = announced.happened().await;
        files.tell(to_tell).await;
        happened
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::FilePath;
    use crate::permit::Writer;
    use crate::put::NewFile;
    use base::Actor;
    use bytes::Bytes;
    use testing::within;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn memory_hears_of_a_change_though_nobody_waits_for_its_end() {
        testing::on_sqlite(|database| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let files = crate::store::tests::opened(&database, folder.path()).await;
            let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
            let by = Writer {
                actor: Actor::user("anna"),
                account: None,
            };
            let path: FilePath = "a".parse().expect("a path");
            for _ in 0..10 {
                let new = NewFile::at(path.clone());
                let mut incoming = files.put(&bucket, by.clone(), new).await.expect("begun");
                let content = Bytes::from_static(b"what was there");
                incoming.write(content).await.expect("written");
                let file = incoming.finish().await.expect("put");
                let found = files.file_and_content(&bucket, &path).await;
                found.expect("it is read, and remembered");
                let remembered = || files.remembered().get(bucket.id, "a").is_some();
                assert!(remembered());

                let mut tx = files.alter(&[(bucket.id, "a")]).await.expect("begun");
                let forgotten = sql::word::remove(&mut tx, bucket.id, "a").await;
                forgotten.expect("its words are gone");
                sql::file::delete(&mut tx, file.id).await.expect("deleted");
                let mut commit = Box::pin(tx.commit(ToTell::default()));
                assert!(futures::poll!(commit.as_mut()).is_pending());
                drop(commit);
                let is_there = || sql::file::current(files.db(), bucket.id, "a");
                within("it to be true", async {
                    while is_there().await.expect("asked").is_some() {
                        yield_now().await;
                    }
                })
                .await;
                within("memory to hear of it", async {
                    while remembered() {
                        yield_now().await;
                    }
                })
                .await;
            }
        })
        .await;
    }
}
