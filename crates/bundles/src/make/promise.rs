//! Telling the archive's length before its first byte.
//!
//! What is promised here must then come exactly so: a source that changes between
//! the two requests breaks the archive off, visibly, instead of padding it.

use super::Maker;
use crate::gather::SMALL;
use crate::name::EntryName;
use crate::report::MissingState;
use crate::survey::Survey;
use crate::zip::ArchiveLength;
use operations::Failure;
use std::collections::HashMap;

/// The archive that was promised.
#[derive(Debug, Default)]
pub(super) struct Promise {
    /// For each source that shall come: its name and size.
    entries: HashMap<usize, (EntryName, u64)>,
}

impl Promise {
    pub(super) fn add(&mut self, index: usize, name: EntryName, size: u64) {
        self.entries.insert(index, (name, size));
    }

    pub(super) fn of(&self, index: usize) -> Option<&(EntryName, u64)> {
        self.entries.get(&index)
    }

    /// How many entries, and the bytes of their files.
    pub(super) fn totals(&self) -> (u64, u64) {
        (
            self.entries.len() as u64,
            self.entries.values().map(|(_, size)| size).sum(),
        )
    }
}

impl Maker {
    /// Tells the archive's length ahead, if every source that answers says its size.
    /// Sources that do not answer are missing from here on.
    ///
    /// # Errors
    /// As [`Maker::run`].
    pub(crate) async fn promise(&mut self, survey: Survey, id: &str) -> Result<(), Failure> {
        self.context.check()?;
        let answered = survey.iter().filter_map(|(_, about)| about.as_ref().ok());
        if answered.clone().any(|about| about.length.is_none()) {
            self.context
                .log("Not every source says its size, so the archive's length is not told ahead.")
                .await;
            return Ok(());
        }
        let mut promise = Promise::default();
        let mut length = ArchiveLength::new();
        for (index, about) in survey {
            match about {
                Ok(about) => {
                    let name = self.name(index, &about);
                    let size = about.length.unwrap_or(0);
                    if size > SMALL as u64 {
                        length.add_streamed(&name, size);
                    } else {
                        length.add(&name, size);
                    }
                    promise.add(index, name, size);
                }
                Err(miss) => {
                    self.missed(index, MissingState::Failed, miss, None, 0)
                        .await?
                }
            }
        }
        let (entries, bytes) = promise.totals();
        if entries == 0 {
            return Ok(());
        }
        if !self.made.missing.is_empty() {
            // The report is written when all is done, and says then what it says now.
            (self.made.entries, self.made.bytes) = (entries, bytes);
            let files = self
                .made
                .report(id, &self.plan.name, self.plan.begun_at, &self.sources);
            for (name, body) in &files {
                length.add(name, body.iter().map(|part| part.len() as u64).sum());
            }
            (self.made.entries, self.made.bytes) = (0, 0);
        }
        if let Some(total) = length.total() {
            self.outlet.promise(total).await?;
            self.promise = Some(promise);
        }
        Ok(())
    }

    /// Fails when a source has another size than the one that the promised length counts on.
    pub(super) fn keeps_promise(&self, index: usize, size: u64) -> Result<(), Failure> {
        let promised = self.promise.as_ref().and_then(|promise| promise.of(index));
        match promised {
            Some((_, promised)) if *promised != size => Err(changed(index)),
            _ => Ok(()),
        }
    }
}

/// The archive cannot have the length that was told: it must not end cleanly.
pub(super) fn changed(index: usize) -> Failure {
    Failure::lasting(
        "source-changed",
        format!(
            "Source {index} is not what it was when its size was asked for, so the promised length cannot be kept. Make the bundle again."
        ),
    )
}
