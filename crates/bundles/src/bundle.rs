//! A bundle: a ZIP being made, or kept.

use crate::error::{Error, Result};
use crate::operations::{BundleInput, MakeBundle};
use crate::source::{Source, SourceRequest};
use crate::{Bundles, sql};
use access::Caller;
use base::{Actor, BundleId, OperationId, Timestamp, Trigger};
use operations::{Kind, NewOperation, Operation, State};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// A request for a bundle.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBundle {
    /// The archive's name, with or without `.zip`.
    pub name: Option<String>,
    /// What it shall hold: 1 to 100,000 addresses.
    pub sources: Vec<SourceRequest>,
    /// How it is made.
    #[serde(default)]
    pub options: Options,
}

/// How a bundle is made.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Kept until it expires, or else given once, as it is made.
    pub keep: bool,
    /// In which order the entries stand.
    pub order: EntryOrder,
    /// Whether what can be compressed is.
    pub compress: Compress,
    /// Fails when anything is missing, instead of listing it in the archive.
    pub strict: bool,
    /// Asks every source for its size first, compresses nothing, and tells the length
    /// of a streamed archive before its first byte. Where a source does not say its
    /// size, no length is told. A source that changes meanwhile breaks the archive off.
    pub exact_length: bool,
    /// Seconds for which it is kept. At most a year.
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub expires_in: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keep: true,
            order: EntryOrder::Arrival,
            compress: Compress::Auto,
            strict: false,
            exact_length: false,
            expires_in: None,
        }
    }
}

/// The order of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryOrder {
    /// As they come.
    Arrival,
    /// As they were asked for.
    Source,
}

/// What is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compress {
    /// Types that gain by it.
    Auto,
    /// Nothing.
    Never,
}

/// A bundle, as it stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Bundle {
    /// Its id, which is that of its operation.
    #[schema(value_type = String, format = Uuid)]
    pub id: BundleId,
    /// The archive's name, with `.zip`.
    pub name: String,
    /// Where its operation stands.
    pub state: State,
    /// How many sources were asked for.
    pub sources: u64,
    /// How many of them are in the archive, so far.
    pub done: u64,
    /// How many of them are missing; known when it is made.
    pub failed: u64,
    /// Bytes of the files, so far.
    pub bytes: u64,
    /// The archive's length in bytes, once it is kept.
    pub size: Option<u64>,
    /// Whether it is kept, or was streamed.
    pub kept: bool,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the kept archive is removed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// Where the archive is fetched, while there is one.
    pub archive_url: Option<String>,
    /// Its operation, while that is on record.
    pub operation: Option<Operation>,
    /// What can be done with it as it stands.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<&'static str>,
}

/// A bundle as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredBundle {
    pub(crate) id: BundleId,
    pub(crate) name: String,
    pub(crate) kept: bool,
    pub(crate) sources: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) bytes: u64,
    pub(crate) blob: Option<storage::BlobName>,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}

impl StoredBundle {
    /// Whether its time is over, though its bytes may not have been swept yet.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// How it is shown, with its operation.
    pub(crate) fn shown(self, operation: Option<Operation>, archive_url: String) -> Bundle {
        let state = operation.as_ref().map_or(
            if self.blob.is_some() {
                State::Succeeded
            } else {
                State::Failed
            },
            |operation| operation.state,
        );
        let progress = operation
            .as_ref()
            .and_then(|operation| operation.progress.as_ref());
        let (mut done, mut bytes) = (self.done, self.bytes);
        if !state.is_ended()
            && let Some(progress) = progress
        {
            (done, bytes) = (progress.done, progress.bytes.unwrap_or(0));
        }
        let has_archive = self.blob.is_some() || (!state.is_ended());
        let cancelling = operation
            .as_ref()
            .is_some_and(|operation| operation.cancel_requested);
        let mut actions = Vec::new();
        if state.is_ended() {
            if self.blob.is_some() {
                actions.push("link");
            }
            if self.failed > 0 {
                actions.push("retry_failed");
            }
            actions.push("again");
            actions.push("delete");
        } else if !cancelling {
            actions.push("cancel");
        }
        Bundle {
            id: self.id,
            name: self.name,
            state,
            sources: self.sources,
            done,
            failed: self.failed,
            bytes,
            size: self.size,
            kept: self.kept,
            created_at: self.created_at,
            expires_at: self.expires_at,
            archive_url: has_archive.then_some(archive_url),
            operation,
            actions,
        }
    }
}

/// A bundle that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: BundleId,
}

impl Bundles {
    /// Accepts a bundle. With `stream`, its archive is promised to whoever takes it
    /// from this process, once.
    ///
    /// # Errors
    /// No or too many sources, a name that cannot be one, or the database.
    pub async fn create(&self, new: NewBundle, caller: &Caller, stream: bool) -> Result<Accepted> {
        let most = self.current().settings.max_sources;
        if new.sources.is_empty() {
            return Err(Error::NoSources);
        }
        if new.sources.len() > most {
            return Err(Error::TooManySources {
                most,
                got: new.sources.len(),
            });
        }
        let name = archive_name(new.name.as_deref())?;
        let mut options = new.options;
        options.keep &= !stream;
        if options.keep {
            self.check_room().await?;
        }
        let sources = new
            .sources
            .into_iter()
            .map(|source| Source::of(source, self.access()))
            .collect();
        self.submit(name, sources, options, caller).await
    }

    /// Whether one more archive may be kept.
    async fn check_room(&self) -> Result<()> {
        let current = self.current();
        let (archives, bytes) = sql::kept(self.db()).await?;
        if archives >= current.settings.max_kept || bytes >= current.settings.max_kept_bytes {
            return Err(Error::KeptFull { archives, bytes });
        }
        Ok(())
    }

    /// Stores the operation of a bundle, and its row.
    async fn submit(
        &self,
        name: String,
        sources: Vec<Source>,
        options: Options,
        caller: &Caller,
    ) -> Result<Accepted> {
        let actor = caller.actor();
        let trigger = match caller.proof() {
            access::Proof::Session(_) => Trigger::Person,
            _ => Trigger::Api,
        };
        let count = sources.len();
        let keep = options.keep;
        let input = BundleInput {
            name: name.clone(),
            sources,
            options,
        };
        let mut operation = NewOperation::of::<MakeBundle>(&input, actor.clone(), trigger)?
            .title(format!("Bundle {name}"))
            .subject(format!("bundle:{name}"));
        drop(input);
        if !keep {
            operation = operation.here();
        }
        let id = BundleId::from(operation.id());
        sql::insert(self.db(), id, &name, keep, count, &actor, self.now()).await?;
        if !keep {
            self.outlets().promise(id);
        }
        if let Err(error) = self.operations().submit(operation).await {
            self.outlets().forget(id);
            sql::delete(self.db(), id).await?;
            return Err(error.into());
        }
        Ok(Accepted { id })
    }

    /// A bundle.
    ///
    /// # Errors
    /// When there is none, or the database does not answer.
    pub async fn get(&self, id: BundleId) -> Result<Bundle> {
        let stored = self.stored(id).await?;
        let operation = match self.operations().get(OperationId::from(id)).await {
            Ok(operation) => Some(operation),
            Err(operations::Error::NoOperation(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(stored.shown(operation, archive_path(id)))
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
        let repeated = match self.operations().get(OperationId::from(id)).await {
            Ok(operation) => operation,
            Err(operations::Error::NoOperation(_)) => return Err(Error::NoBundle(id)),
            Err(error) => return Err(error.into()),
        };
        // One that has ended was noted when it ran, and may have been deleted since.
        if repeated.kind != MakeBundle::NAME || repeated.state.is_ended() {
            return Err(Error::NoBundle(id));
        }
        let input = self.operations().input::<MakeBundle>(repeated.id).await?;
        sql::insert(
            self.db(),
            id,
            &input.name,
            input.options.keep,
            input.sources.len(),
            &repeated.actor,
            repeated.created_at,
        )
        .await?;
        Ok(())
    }

    /// The newest bundles, before `before` where that is given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, before: Option<BundleId>, limit: usize) -> Result<Vec<Bundle>> {
        let mut shown = Vec::new();
        for stored in sql::list(self.db(), before, limit).await? {
            let id = stored.id;
            let operation = self.operations().get(OperationId::from(id)).await.ok();
            shown.push(stored.shown(operation, archive_path(id)));
        }
        Ok(shown)
    }

    /// Makes a bundle of those sources of `id` that failed; or of `indexes`.
    ///
    /// # Errors
    /// When nothing failed, or an index does not exist.
    pub async fn retry(
        &self,
        id: BundleId,
        indexes: Option<Vec<usize>>,
        caller: &Caller,
    ) -> Result<Accepted> {
        let stored = self.stored(id).await?;
        let wanted = match indexes {
            Some(indexes) => indexes,
            None => sql::missing(self.db(), id).await?,
        };
        if wanted.is_empty() {
            return Err(Error::NothingFailed);
        }
        let input = self
            .operations()
            .input::<MakeBundle>(OperationId::from(id))
            .await?;
        let sources = wanted
            .into_iter()
            .map(|index| {
                input
                    .sources
                    .get(index)
                    .cloned()
                    .ok_or(Error::NoSource(index))
            })
            .collect::<Result<Vec<_>>>()?;
        let options = Options {
            keep: true,
            ..input.options
        };
        self.submit(stored.name, sources, options, caller).await
    }

    /// Deletes a bundle and its bytes; one that is being made is cancelled first.
    /// The bytes that came free.
    ///
    /// # Errors
    /// When there is none, or the disk refuses.
    pub async fn delete(&self, id: BundleId, actor: &Actor) -> Result<u64> {
        let stored = self.stored(id).await?;
        match self.operations().cancel(OperationId::from(id), actor).await {
            Ok(_) => {
                let ended = self.operations().wait(OperationId::from(id));
                // A function is dropped some seconds after it was cancelled.
                if tokio::time::timeout(Duration::from_secs(15), ended)
                    .await
                    .is_err()
                {
                    return Err(Error::NotReady);
                }
            }
            Err(operations::Error::State { .. } | operations::Error::NoOperation(_)) => {}
            Err(error) => return Err(error.into()),
        }
        // Read again: it may have been finished meanwhile.
        let blob = sql::get(self.db(), id)
            .await?
            .and_then(|stored| stored.blob);
        sql::delete(self.db(), id).await?;
        if let Some(blob) = blob {
            self.blobs().delete(blob).await?;
        }
        Ok(stored.size.unwrap_or(0))
    }
}

/// Where the archive of a bundle is fetched.
pub(crate) fn archive_path(id: BundleId) -> String {
    format!("/api/v1/bundles/{id}/archive")
}

/// A name for the archive, ending in `.zip`.
fn archive_name(wanted: Option<&str>) -> Result<String> {
    let wanted = wanted.unwrap_or("bundle").trim();
    let stem = wanted
        .strip_suffix(".zip")
        .or_else(|| wanted.strip_suffix(".ZIP"))
        .unwrap_or(wanted);
    if stem.is_empty() || stem.len() > LONGEST_NAME || stem.contains(['/', '\\']) {
        return Err(Error::Name);
    }
    let cleaned = crate::name::EntryName::from_path(stem).ok_or(Error::Name)?;
    Ok(format!("{}.zip", cleaned.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_in_zip_once_and_never_leads_anywhere() {
        for (wanted, name) in [
            (None, "bundle.zip"),
            (Some("covers"), "covers.zip"),
            (Some(" covers.zip "), "covers.zip"),
            (Some("a:b"), "a_b.zip"),
            (Some("CON"), "_CON.zip"),
        ] {
            assert_eq!(archive_name(wanted).expect("a name"), name);
        }
        for refused in ["", ".zip", "a/b", "..\\x", ".."] {
            assert!(archive_name(Some(refused)).is_err(), "{refused}");
        }
    }
}
