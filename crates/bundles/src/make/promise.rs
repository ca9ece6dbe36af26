//! Telling the archive's length before its first byte.
//!
//! What is promised here must then come exactly so: a source that changes between
//! the two requests breaks the archive off, visibly, instead of padding it.

use super::Maker;
use crate::gather::{About, Gather, Miss, SMALL, Said};
use crate::ledger::Telling;
use crate::name::{EntryName, NameRegister};
use crate::report::MissingState;
use crate::zip::ArchiveLength;
use bytes::Bytes;
use futures::StreamExt;
use operations::Failure;
use std::collections::BTreeMap;

/// The archive that was promised.
#[derive(Debug)]
pub(super) struct Promise {
    /// For each source that shall come: its name and size.
    entries: BTreeMap<usize, (EntryName, u64)>,
    /// The sizes of the report's two files, where there will be one.
    pub(super) report: Option<[u64; 2]>,
    /// The length of it all.
    total: u64,
}

impl Promise {
    pub(super) fn of(&self, index: usize) -> Option<&(EntryName, u64)> {
        self.entries.get(&index)
    }

    /// The sources that shall come, in their order.
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> {
        self.entries.keys().copied()
    }
}

/// What the sources said of themselves.
#[derive(Default)]
struct Survey {
    entries: BTreeMap<usize, (EntryName, u64)>,
    bytes: u64,
    refused: Vec<(usize, Miss)>,
}

impl Maker {
    /// Tells the archive's length ahead, if every source says its size and all of them
    /// fit. Those that are refused are missing from here on.
    ///
    /// # Errors
    /// As [`Maker::run`].
    pub(super) async fn promise(&mut self, gather: &Gather) -> Result<(), Failure> {
        self.context.log("Asking every source for its size.").await;
        let survey = self.survey(gather).await;
        self.context.check()?;
        let Some(survey) = survey else {
            // Whoever comes first has the first choice of names again.
            self.names = NameRegister::new();
            self.context
                .log("Not every source says its size, or they are too much for one archive, so its length is not told ahead.")
                .await;
            return Ok(());
        };
        let Survey {
            entries,
            bytes,
            refused,
        } = survey;
        for (index, miss) in refused {
            self.missed(index, MissingState::Failed, miss, None, 0)
                .await?;
        }
        if entries.is_empty() {
            return Ok(());
        }
        let mut length = ArchiveLength::new();
        for (name, size) in entries.values() {
            add(&mut length, name, *size);
        }
        let report = self.count_report(entries.len() as u64, bytes);
        if let Some([json, text]) = report {
            add(&mut length, &EntryName::report_json(), json);
            add(&mut length, &EntryName::report_text(), text);
        }
        if let Some(total) = length.total() {
            self.outlet.promise(total).await?;
            self.promise = Some(Promise {
                entries,
                report,
                total,
            });
        }
        Ok(())
    }

    /// Asks every source for its size; nothing as soon as one does not tell, or there is
    /// more than one archive may hold. Only names and sizes are kept.
    async fn survey(&mut self, gather: &Gather) -> Option<Survey> {
        let asked = futures::stream::iter(0..gather.sources.len())
            .map(async |index| (index, gather.size(index).await))
            .buffered(gather.concurrent);
        tokio::pin!(asked);
        let mut survey = Survey::default();
        while let Some((index, said)) = asked.next().await {
            match said {
                Said::Sized(about, size) => self.note(&mut survey, index, &about, size)?,
                Said::Refused(miss) => survey.refused.push((index, miss)),
                Said::Nothing => return None,
            }
        }
        Some(survey)
    }

    fn note(&mut self, survey: &mut Survey, index: usize, about: &About, size: u64) -> Option<()> {
        survey.bytes = survey.bytes.checked_add(size)?;
        if self.plan.max_bytes.is_some_and(|most| survey.bytes > most) {
            return None;
        }
        let name = self.name(index, about);
        survey.entries.insert(index, (name, size));
        Some(())
    }

    /// The sizes of the report's files. It is written when all is done, and says then
    /// what it says now.
    fn count_report(&mut self, entries: u64, bytes: u64) -> Option<[u64; 2]> {
        if self.made.missing.is_empty() {
            return None;
        }
        self.made.sort();
        let telling = Telling {
            missing: &self.made.missing,
            entries,
            bytes,
            id: &self.plan.id,
            name: &self.plan.name,
            created_at: self.plan.begun_at,
            sources: &self.sources,
            context: &self.context,
        };
        let count = |parts: &mut dyn Iterator<Item = Bytes>| {
            parts.map(|part| part.len() as u64).sum::<u64>()
        };
        Some([count(&mut telling.json()), count(&mut telling.text())])
    }

    /// Fails when a source has another size than the one that the promised length counts on.
    pub(super) fn keeps_promise(&self, index: usize, size: u64) -> Result<(), Failure> {
        let promised = self.promise.as_ref().and_then(|promise| promise.of(index));
        match promised {
            Some((_, promised)) if *promised != size => Err(changed(index)),
            _ => Ok(()),
        }
    }

    /// Fails when the archive would end with another length than the one promised. Asked
    /// before its end goes out, without which no reader takes it for whole.
    pub(super) fn is_as_long_as_promised(&self) -> Result<(), Failure> {
        let Some(Promise { total, .. }) = &self.promise else {
            return Ok(());
        };
        let length = self.archive.length();
        if length == *total {
            return Ok(());
        }
        Err(Failure::lasting(
            "length",
            format!(
                "The archive would have {length} bytes, where {total} were told ahead. Make the bundle again, without `exact_length`."
            ),
        ))
    }
}

/// Adds an entry as it will be written.
fn add(length: &mut ArchiveLength, name: &EntryName, size: u64) {
    if size > SMALL as u64 {
        length.add_streamed(name, size);
    } else {
        length.add(name, size);
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
