//! Accepting a bundle: what is asked for is checked, and stored with its operation.

use super::{Accepted, NewBundle, Options};
use crate::error::{Error, Result};
use crate::operations::{BundleInput, MakeBundle};
use crate::source::{Source, SourceRequest};
use crate::sql::NewRow;
use crate::stored::{FoundFile, NotStored, StoredPlace, StoredRequest};
use crate::{Bundles, sql};
use access::Caller;
use base::{BundleId, OperationId, Trigger, UserId};
use operations::NewOperation;
use std::collections::HashSet;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;
/// The longest time for which anything is kept, in seconds: a year.
const LONGEST_SPAN: u64 = 31_536_000;

impl Bundles {
    /// Accepts a bundle. With `stream`, its archive is promised to whoever takes it
    /// from this process, once.
    ///
    /// # Errors
    /// No or too many sources, a name that cannot be one, a time that is too long, or
    /// the database.
    pub async fn create(&self, new: NewBundle, caller: &Caller, stream: bool) -> Result<Accepted> {
        if new.sources.is_empty() {
            return Err(Error::NoSources);
        }
        self.check_count(new.sources.len())?;
        let name = archive_name(new.name.as_deref())?;
        let mut options = new.options;
        check_span(options.expires_in)?;
        options.keep &= !stream;
        if options.keep {
            self.check_room().await?;
        }
        let sources = self.sources(new.sources, caller).await?;
        self.submit(name, sources, options, caller).await
    }

    /// The sources as they are stored: those that are files here, one by one.
    async fn sources(&self, asked: Vec<SourceRequest>, caller: &Caller) -> Result<Vec<Source>> {
        let most = self.current().settings.max_sources;
        let mut sources = Vec::with_capacity(asked.len());
        for (index, source) in asked.into_iter().enumerate() {
            match source {
                SourceRequest::Url(url) => sources.push(Source::of(url.into(), self.access())),
                SourceRequest::Detailed(detailed) => {
                    sources.push(Source::of(detailed, self.access()));
                }
                SourceRequest::Stored(asked) => {
                    let room = most.saturating_sub(sources.len());
                    let found = self.found(index, &asked, caller, room).await?;
                    sources.extend(found.into_iter().map(Source::of_file));
                }
            }
            self.check_count(sources.len())?;
        }
        Ok(sources)
    }

    async fn found(
        &self,
        index: usize,
        asked: &StoredRequest,
        caller: &Caller,
        most: usize,
    ) -> Result<Vec<FoundFile>> {
        let stored = self.stored_files();
        let stored = stored.ok_or_else(|| not_stored(index)(NotStored::nowhere()))?;
        let found = stored.resolve(caller, asked, most).await;
        found.map_err(not_stored(index))
    }

    /// Makes a kept bundle of those sources of `id` that failed; or of `indexes`.
    ///
    /// # Errors
    /// When nothing failed, an index does not exist or stands twice, there is no room for
    /// one more, or a source is not for this caller.
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
        self.check_count(wanted.len())?;
        let mut seen = HashSet::with_capacity(wanted.len());
        if let Some(twice) = wanted.iter().find(|index| !seen.insert(**index)) {
            return Err(Error::SourceTwice(*twice));
        }
        self.check_room().await?;
        let input = self
            .operations()
            .input::<MakeBundle>(OperationId::from(id))
            .await?;
        let sources = wanted
            .into_iter()
            .map(|index| {
                let source = input.sources.get(index).cloned();
                Ok((index, source.ok_or(Error::NoSource(index))?))
            })
            .collect::<Result<Vec<_>>>()?;
        let sources = self.theirs(sources, input.maker, caller).await?;
        let options = Options {
            keep: true,
            ..input.options
        };
        self.submit(stored.name, sources, options, caller).await
    }

    /// What a bundle was asked to hold, as it is when `caller` asks for the same. Like a new
    /// one it must be within the limits of now.
    ///
    /// # Errors
    /// [`Error::TooManySources`], [`Error::KeptFull`], [`Error::NotStored`],
    /// [`Error::HeadersOfAnother`].
    pub async fn asked_by(&self, caller: &Caller, mut input: BundleInput) -> Result<BundleInput> {
        self.check_count(input.sources.len())?;
        // One that repeats another is kept, also where that was streamed.
        self.check_room().await?;
        let sources = std::mem::take(&mut input.sources);
        let numbered = sources.into_iter().enumerate().collect();
        input.sources = self.theirs(numbered, input.maker, caller).await?;
        input.maker = Some(caller.user());
        Ok(input)
    }

    /// Sources that `maker` asked for, each by its number, for another one who asks for them:
    /// stored files are read as who asks now, and what was sent in headers is sent for nobody
    /// but who gave it.
    async fn theirs(
        &self,
        sources: Vec<(usize, Source)>,
        maker: Option<UserId>,
        caller: &Caller,
    ) -> Result<Vec<Source>> {
        let same = maker == Some(caller.user());
        let mut theirs = Vec::with_capacity(sources.len());
        for (index, mut source) in sources {
            if !same && source.has_texts(self.access())? {
                return Err(Error::HeadersOfAnother(index));
            }
            if let Some(place) = &mut source.stored {
                **place = self.stored_for(index, place, caller).await?;
            }
            theirs.push(source);
        }
        Ok(theirs)
    }

    async fn stored_for(
        &self,
        index: usize,
        place: &StoredPlace,
        caller: &Caller,
    ) -> Result<StoredPlace> {
        let stored = self.stored_files();
        let stored = stored.ok_or_else(|| not_stored(index)(NotStored::nowhere()))?;
        let place = stored.asked_by(caller, place).await;
        place.map_err(not_stored(index))
    }

    fn check_count(&self, sources: usize) -> Result<()> {
        let most = self.current().settings.max_sources;
        if sources > most {
            return Err(Error::TooManySources { most });
        }
        Ok(())
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

    /// Accepts the operation of a bundle.
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
            maker: Some(caller.user()),
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
        // Promised before it can begin.
        if !keep {
            self.outlets().promise(id);
        }
        let row = NewRow {
            id,
            name: &name,
            kept: keep,
            sources: count,
            actor: &actor,
            created_at: self.now(),
        };
        if let Err(error) = self.store(operation, row).await {
            self.outlets().forget(id);
            return Err(error);
        }
        Ok(Accepted { id })
    }

    /// Stores the operation of a bundle and its row, both or neither.
    async fn store(&self, operation: NewOperation, row: NewRow<'_>) -> Result<()> {
        let mut tx = self.db().begin().await?;
        let submitted = self.operations().submit_in(&mut tx, operation).await?;
        sql::insert_in(&mut tx, row).await?;
        tx.commit().await?;
        self.operations().announce(submitted);
        Ok(())
    }
}

/// Why a source that is a file here cannot be had.
fn not_stored(index: usize) -> impl Fn(NotStored) -> Error {
    move |refused| Error::NotStored {
        index,
        code: refused.code,
        message: refused.message,
    }
}

/// Whether something may be kept, or good, for so many seconds.
pub(crate) fn check_span(seconds: Option<u64>) -> Result<()> {
    match seconds {
        Some(seconds) if !(1..=LONGEST_SPAN).contains(&seconds) => Err(Error::Span),
        _ => Ok(()),
    }
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
