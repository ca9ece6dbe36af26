//! What became of each source and of the archive: told, counted, and listed at its end.

use super::promise::changed;
use super::{GATHERED, Maker, broken, drain};
use crate::gather::{About, Miss, SMALL};
use crate::ledger::{Made, MissingSource, Reason, SourceEvent, Telling};
use crate::name::EntryName;
use crate::outlet::Outlet;
use crate::report::MissingState;
use crate::zip::{Archive, EntryTime, Packing, Pieces, Written};
use bytes::Bytes;
use fetch::for_log;
use operations::Failure;
use storage::StoredBlob;

impl Maker {
    pub(super) async fn done(
        &mut self,
        index: usize,
        about: &About,
        name: &EntryName,
        written: Written,
    ) -> Result<(), Failure> {
        self.made.entries += 1;
        self.made.bytes += written.size;
        self.board.end(index);
        let url = for_log(&self.sources[index].url);
        let event = SourceEvent {
            source: index,
            url: &url,
            state: "done",
            bytes: written.size,
            status: Some(about.status),
            path: Some(name.as_str()),
            reason: None,
        };
        self.context
            .event(
                &format!("{} ({} bytes)", name.as_str(), written.size),
                &event,
            )
            .await;
        Ok(())
    }

    pub(super) async fn missed(
        &mut self,
        index: usize,
        state: MissingState,
        mut miss: Miss,
        entry: Option<EntryName>,
        bytes: u64,
    ) -> Result<(), Failure> {
        // A cancelled bundle does not list what was under way.
        self.context.check()?;
        // The report goes into the archive; an origin may repeat what it was told.
        miss.message = self.context.redacted(&miss.message).into();
        let state = if miss.refused {
            MissingState::Refused
        } else {
            state
        };
        let url = for_log(&self.sources[index].url);
        let event = SourceEvent {
            source: index,
            url: &url,
            state: if miss.refused { "refused" } else { "failed" },
            bytes,
            status: miss.status,
            path: entry.as_ref().map(EntryName::as_str),
            reason: Some(Reason {
                code: miss.code,
                message: &miss.message,
            }),
        };
        self.context
            .event(&format!("{url}: {}", miss.message), &event)
            .await;
        self.board.end(index);
        if self.promise.is_some() {
            return Err(changed(index));
        }
        let strict = self.plan.strict.then(|| {
            Failure::lasting(
                "source-missing",
                format!(
                    "The bundle is strict and source {index} ({url}) is missing: {}.",
                    miss.message
                ),
            )
        });
        self.made.miss(MissingSource {
            index,
            state,
            miss,
            entry,
            bytes,
        });
        strict.map_or(Ok(()), Err)
    }

    /// Fails when it is not known of every source what became of it: an archive must
    /// not look whole because something broke on the way.
    pub(super) fn is_complete(&self) -> Result<(), Failure> {
        let (settled, asked) = (self.made.settled(), self.sources.len() as u64);
        if settled == asked {
            return Ok(());
        }
        Err(Failure::lasting(
            "internal",
            format!(
                "Longshore made a mistake: it lost track of {} of {asked} sources. Make the bundle again.",
                asked.abs_diff(settled)
            ),
        ))
    }

    /// Writes the report, if there is something to report, and the archive's end.
    ///
    /// # Errors
    /// When nothing usable came at all, a promised length is not kept, or the end
    /// cannot be sent.
    pub(crate) async fn finish(mut self) -> Result<(Made, Option<StoredBlob>), Failure> {
        if self.made.entries == 0 {
            let first = self.made.missing.iter().min_by_key(|missing| missing.index);
            let first = first.map_or("there were none", |missing| &missing.miss.message);
            return Err(Failure::lasting(
                "nothing-usable",
                crate::Error::NothingUsable(first.to_owned()).to_string(),
            ));
        }
        self.board.tell("Zipping");
        if !self.made.missing.is_empty() {
            self.made.sort();
            self.write_report().await?;
        }
        self.is_as_long_as_promised()?;
        let mut ending = std::mem::take(&mut self.archive)
            .finish()
            .map_err(|error| broken(&error))?;
        drain(&mut self.pieces, &mut self.outlet).await?;
        for piece in &mut ending {
            self.outlet.send(piece).await?;
        }
        let stored = self.outlet.finish().await?;
        Ok((self.made, stored))
    }

    async fn write_report(&mut self) -> Result<(), Failure> {
        let sizes = self.promise.as_ref().and_then(|promise| promise.report);
        let telling = Telling {
            missing: &self.made.missing,
            entries: self.made.entries,
            bytes: self.made.bytes,
            id: &self.plan.id,
            name: &self.plan.name,
            created_at: self.plan.begun_at,
            sources: &self.sources,
            context: &self.context,
        };
        let mut page = Page {
            archive: &mut self.archive,
            pieces: &mut self.pieces,
            outlet: &mut self.outlet,
            time: EntryTime::at(self.plan.begun_at),
            compress: self.plan.compress,
        };
        let [json, text] = sizes.map_or([None; 2], |sizes| sizes.map(Some));
        page.write(&EntryName::report_json(), telling.json(), json)
            .await?;
        page.write(&EntryName::report_text(), telling.text(), text)
            .await
    }
}

/// Where a file of the report goes.
struct Page<'a> {
    archive: &'a mut Archive,
    pieces: &'a mut Pieces,
    outlet: &'a mut Outlet,
    time: EntryTime,
    compress: bool,
}

impl Page<'_> {
    /// Writes a file of the report: at once while it is small, as every reader likes it,
    /// and as it is made when it is not, since it may have hundreds of megabytes. Its
    /// `size` must be given where the archive's length was promised.
    async fn write(
        &mut self,
        name: &EntryName,
        mut parts: impl Iterator<Item = Bytes> + Send,
        size: Option<u64>,
    ) -> Result<(), Failure> {
        let (mut head, mut length) = (Vec::new(), 0);
        while length <= SMALL
            && let Some(part) = parts.next()
        {
            length += part.len();
            head.push(part);
        }
        let packing = if self.compress {
            Packing::Deflate
        } else {
            Packing::Store
        };
        let (archive, pieces) = (&mut *self.archive, &mut *self.pieces);
        if length <= SMALL {
            let written = archive.whole(name, self.time, head, packing, pieces);
            return written.map(drop).map_err(|error| broken(&error));
        }
        let mut entry = match packing {
            Packing::Deflate => archive.deflate(name, self.time, size, pieces),
            Packing::Store => archive.stream(name, self.time, size, pieces),
        }
        .map_err(|error| broken(&error))?;
        for part in head.into_iter().chain(parts) {
            entry.push(part, pieces).map_err(|error| broken(&error))?;
            if pieces.len() >= GATHERED {
                drain(pieces, self.outlet).await?;
            }
            // Making it is all work and no wait.
            tokio::task::yield_now().await;
        }
        let written = entry.finish(pieces).map_err(|error| broken(&error));
        written.map(drop)
    }
}
