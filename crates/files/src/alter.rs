//! The one way to change what is at a path: a transaction in which nobody else changes
//! it, and after which nobody finds what was there before, neither here nor on another
//! replica.

use crate::store::Held;
use crate::{Files, kept, sql};
use base::BucketId;
use std::ops::{Deref, DerefMut};
use storage::{Change, Result, Tx};

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
    /// Makes it true. On return nobody finds what was before.
    ///
    /// # Errors
    /// When it is not true, or nobody knows.
    pub(crate) async fn commit(self) -> Result<()> {
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
        announced.happened().await
    }
}
