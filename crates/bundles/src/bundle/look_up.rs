//! Looking bundles up.

use super::{Bundle, Rights, StoredBundle};
use crate::error::{Error, Result};
use crate::operations::MakeBundle;
use crate::sql::NewRow;
use crate::{Bundles, sql};
use base::{BundleId, OperationId};
use operations::{Kind, Operation};

impl Bundles {
    /// A bundle, as somebody with these rights sees it.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub(crate) async fn get(&self, id: BundleId, rights: Rights) -> Result<Bundle> {
        let stored = self.stored(id).await?;
        self.shown(stored, rights).await
    }

    /// The newest bundles, before `before` where that is given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn list(
        &self,
        before: Option<BundleId>,
        limit: usize,
        rights: Rights,
    ) -> Result<Vec<Bundle>> {
        let mut shown = Vec::new();
        for stored in sql::list(self.db(), before, limit).await? {
            shown.push(self.shown(stored, rights).await?);
        }
        Ok(shown)
    }

    async fn shown(&self, stored: StoredBundle, rights: Rights) -> Result<Bundle> {
        let id = stored.id;
        let operation = self.operation(id).await?;
        let flows = self.outlets().can_be_taken(id).is_ok();
        Ok(stored.shown(operation, flows, rights))
    }

    /// The operation of a bundle, while it is on record.
    pub(crate) async fn operation(&self, id: BundleId) -> Result<Option<Operation>> {
        match self.operations().get(OperationId::from(id)).await {
            Ok(operation) => Ok(Some(operation)),
            Err(operations::Error::NoOperation(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn stored(&self, id: BundleId) -> Result<StoredBundle> {
        if let Some(stored) = sql::get(self.db(), id).await? {
            return Ok(stored);
        }
        self.note_repeated(id).await?;
        sql::get(self.db(), id).await?.ok_or(Error::NoBundle(id))
    }

    /// An operation that repeats another is a bundle from the moment it is accepted,
    /// and is noted as one at the latest when somebody asks for it.
    async fn note_repeated(&self, id: BundleId) -> Result<()> {
        let repeated = self.operation(id).await?.ok_or(Error::NoBundle(id))?;
        // One that has ended was noted when it ran, and may have been deleted since.
        if repeated.kind != MakeBundle::NAME || repeated.state.is_ended() {
            return Err(Error::NoBundle(id));
        }
        let input = self.operations().input::<MakeBundle>(repeated.id).await?;
        let row = NewRow {
            id,
            name: &input.name,
            kept: input.keeps(&repeated),
            sources: input.sources.len(),
            actor: &repeated.actor,
            created_at: repeated.created_at,
        };
        sql::insert(self.db(), row).await?;
        Ok(())
    }
}
