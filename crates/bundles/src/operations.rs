//! The kinds of operation of this crate.

mod expiry;
mod secrecy;

pub use expiry::{ExpireBundles, ExpireInput};

use crate::board::Board;
use crate::bundle::{Compress, EntryOrder, Options};
use crate::gather::Gather;
use crate::ledger::{AttemptEvent, Made};
use crate::make::{Maker, Plan};
use crate::outlet::{Outlet, Taker};
use crate::settings::Current;
use crate::source::Source;
use crate::sql::NewRow;
use crate::{Bundles, sql};
use base::{BundleId, Timestamp, UserId};
use operations::{Context, Failure, Kind, Operation, Outcome, Settings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use storage::StoredBlob;
use tokio::sync::watch;

/// Makes a bundle.
#[derive(Clone, Debug)]
pub struct MakeBundle(pub(crate) Bundles);

/// What a bundle is about.
#[derive(Debug, Serialize, Deserialize)]
pub struct BundleInput {
    pub(crate) name: String,
    /// Who asked for it.
    pub(crate) maker: Option<UserId>,
    pub(crate) sources: Vec<Source>,
    pub(crate) options: Options,
}

impl BundleInput {
    /// Whether `operation`, which has this input, keeps the archive. One that repeats
    /// another does always: nobody waits to take its stream.
    pub(crate) fn keeps(&self, operation: &Operation) -> bool {
        self.options.keep || operation.retry_of.is_some()
    }
}

impl Kind for MakeBundle {
    const NAME: &'static str = "bundle";
    type Input = BundleInput;

    fn settings(&self) -> Settings {
        Settings::new("Make a bundle")
            .limit(16)
            .resumable()
            .scope("bundles:write")
    }

    async fn run(&self, input: BundleInput, context: Context) -> Result<Outcome, Failure> {
        let id = BundleId::from(context.id());
        // Also where this is dropped half-done.
        let _forgetting = self.0.outlets().until_dropped(id);
        self.make(id, input, &context).await
    }
}

impl MakeBundle {
    async fn make(
        &self,
        id: BundleId,
        input: BundleInput,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        if let Some(outcome) = self.made_before(id, &input, context).await? {
            return Ok(outcome);
        }
        let secrets = secrecy::secrets(&input.sources, self.0.access());
        context.redact(secrets.iter().map(String::as_str));
        drop(secrets);
        let keep = input.keeps(context.operation());
        let BundleInput {
            name,
            sources,
            options,
            ..
        } = input;
        let current = self.0.current();
        let sources: Arc<[Source]> = sources.into();
        let mut plan = plan(id, name, &options, keep, &current, context);
        // Of stored files all sizes are known, and asking for them costs next to nothing.
        let stored = sources.iter().all(|source| source.stored.is_some());
        plan.promise |= stored && !plan.compress && !keep;
        let board = Board::new(context.clone(), sources.len());
        let gather = self.gather(&current, &sources, &board, context);
        drop(current);
        begin(context, sources.len()).await;
        let (outlet, grown) = self.outlet(id, keep, context).await?;
        let abandoned = outlet.abandoned();
        let mut maker = Maker::new(plan, sources, context.clone(), board, outlet);
        tokio::select! {
            worked = maker.run(gather) => worked?,
            failure = abandoned => return Err(failure),
        }
        let (made, stored) = maker.finish().await?;
        self.store(id, &made, stored.as_ref(), &options).await?;
        if let Some(grown) = grown {
            grown.send_replace(Some(true));
        }
        let failed = made.missing.len() as u64;
        context
            .log(format!(
                "Done: {} files, {} bytes; {failed} sources are missing.",
                made.entries, made.bytes
            ))
            .await;
        let size = stored.map(|stored| stored.size);
        Ok(outcome(made.entries, failed, made.bytes, size))
    }

    /// Sees to it that the bundle is noted. What came of it, where an earlier attempt
    /// has stored the archive and not lived to say so.
    async fn made_before(
        &self,
        id: BundleId,
        input: &BundleInput,
        context: &Context,
    ) -> Result<Option<Outcome>, Failure> {
        let operation = context.operation();
        let row = NewRow {
            id,
            name: &input.name,
            kept: input.keeps(operation),
            sources: input.sources.len(),
            actor: &operation.actor,
            created_at: operation.created_at,
        };
        sql::insert(self.0.db(), row).await?;
        let stored = sql::get(self.0.db(), id).await?;
        Ok(stored
            .filter(|stored| stored.blob.is_some())
            .map(|stored| outcome(stored.done, stored.failed, stored.bytes, stored.size)))
    }

    fn gather(
        &self,
        current: &Current,
        sources: &Arc<[Source]>,
        board: &Board,
        context: &Context,
    ) -> Gather {
        Gather {
            client: current.client.clone(),
            stored: self.0.stored_files(),
            access: self.0.access().clone(),
            sources: Arc::clone(sources),
            share: self.0.budget().share(),
            board: board.clone(),
            cancel: context.cancelled().clone(),
            concurrent: current.settings.concurrent,
            in_order: false,
            max_bytes: current.settings.max_source_bytes,
        }
    }

    async fn outlet(
        &self,
        id: BundleId,
        keep: bool,
        context: &Context,
    ) -> Result<(Outlet, Option<watch::Sender<Option<bool>>>), Failure> {
        if keep {
            let blob = self.0.blobs().create().await?;
            let grown = self.0.outlets().begin_growing(id, blob.tail()?);
            return Ok((Outlet::Kept(Box::new(blob)), Some(grown)));
        }
        let taker = self.0.outlets().begin_stream(id).ok_or_else(|| {
            Failure::lasting(
                "not-resumable",
                "A streamed bundle cannot be made again for the same taker; ask for a new one.",
            )
        })?;
        let taker = Taker::new(taker, context.cancelled().clone());
        Ok((Outlet::Streamed(taker), None))
    }

    async fn store(
        &self,
        id: BundleId,
        made: &Made,
        stored: Option<&StoredBlob>,
        options: &Options,
    ) -> Result<(), Failure> {
        let keep = options
            .expires_in
            .map_or(self.0.current().settings.expires_in, Duration::from_secs);
        let expires_at = stored.map(|_| self.0.now().plus(keep));
        let missing: Vec<usize> = made.missing.iter().map(|missing| missing.index).collect();
        sql::finish(
            self.0.db(),
            id,
            made.entries,
            &missing,
            made.bytes,
            stored,
            expires_at,
        )
        .await?;
        Ok(())
    }
}

/// Writes the line that every attempt begins with.
async fn begin(context: &Context, sources: usize) {
    let event = AttemptEvent {
        attempt: context.attempt(),
        sources,
    };
    context.event(&event.words(), &event).await;
}

fn plan(
    id: BundleId,
    name: String,
    options: &Options,
    keep: bool,
    current: &Current,
    context: &Context,
) -> Plan {
    let begun_at: Timestamp = context.operation().created_at;
    // A kept archive has its exact length anyway, once it is there.
    let promise = options.exact_length && !keep;
    Plan {
        id: id.to_string(),
        name,
        in_source_order: options.order == EntryOrder::Source,
        // A length is only known ahead when nothing is compressed.
        compress: options.compress == Compress::Auto && !promise,
        strict: options.strict,
        promise,
        max_bytes: current.settings.max_bytes,
        begun_at,
    }
}

fn outcome(entries: u64, failed: u64, bytes: u64, size: Option<u64>) -> Outcome {
    serde_json::json!({ "entries": entries, "failed": failed, "bytes": bytes, "size": size })
}
