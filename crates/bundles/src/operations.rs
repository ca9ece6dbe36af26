//! The kinds of operation of this crate.

use crate::board::Board;
use crate::bundle::{Compress, EntryOrder, Options};
use crate::gather::Gather;
use crate::ledger::MissingSource;
use crate::make::{Maker, Plan};
use crate::outlet::Outlet;
use crate::source::Source;
use crate::survey::survey;
use crate::{Bundles, sql};
use access::Access;
use base::{BundleId, Timestamp};
use operations::{Context, Failure, Kind, Missed, NewSchedule, Outcome, Settings, Timing};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use storage::{BlobName, StoredBlob};

/// How long a blob that no bundle owns is left alone: its bundle may be about to.
const ORPHANED: Duration = Duration::from_secs(24 * 3600);

/// Makes a bundle.
#[derive(Clone, Debug)]
pub struct MakeBundle(pub(crate) Bundles);

/// What a bundle is about.
#[derive(Debug, Serialize, Deserialize)]
pub struct BundleInput {
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) options: Options,
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
        let made = self.make(id, input, &context).await;
        self.0.outlets().forget(id);
        made
    }
}

impl MakeBundle {
    async fn make(
        &self,
        id: BundleId,
        input: BundleInput,
        context: &Context,
    ) -> Result<Outcome, Failure> {
        let bundles = &self.0;
        let operation = context.operation();
        let keep = input.options.keep;
        sql::insert(
            bundles.db(),
            id,
            &input.name,
            keep,
            input.sources.len(),
            &operation.actor,
            operation.created_at,
        )
        .await?;
        // An earlier attempt may have stored the archive and not lived to say so.
        if let Some(stored) = sql::get(bundles.db(), id).await?
            && stored.blob.is_some()
        {
            return Ok(outcome(
                stored.done,
                stored.failed,
                stored.bytes,
                stored.size,
            ));
        }
        let headers = secrets(&input.sources, bundles.access());
        context.redact(headers.iter().map(String::as_str));
        let current = bundles.current();
        let sources: Arc<[Source]> = input.sources.into();
        let plan = plan(
            input.name,
            &input.options,
            current.settings.max_bytes,
            operation.created_at,
        );
        let board = Board::new(context.clone(), sources.len());
        let gather = Gather {
            client: current.client.clone(),
            access: bundles.access().clone(),
            sources: Arc::clone(&sources),
            share: bundles.budget().share(),
            board: board.clone(),
            cancel: context.cancelled().clone(),
            concurrent: current.settings.concurrent,
            max_bytes: current.settings.max_source_bytes,
        };
        context
            .log(format!("Fetching {} sources.", sources.len()))
            .await;
        let (outlet, grown) = self.outlet(id, keep).await?;
        let abandoned = outlet.abandoned();
        let mut maker = Maker::new(plan, sources, context.clone(), board, outlet);
        let work = async {
            if input.options.exact_length {
                context.log("Asking every source for its size.").await;
                maker
                    .promise(survey(&gather).await, &id.to_string())
                    .await?;
            }
            maker.run(gather).await
        };
        tokio::select! {
            worked = work => worked?,
            failure = abandoned => return Err(failure),
        }
        let (made, stored) = maker.finish(&id.to_string()).await?;
        let failed = made.missing.len() as u64;
        self.store(
            id,
            &made.missing,
            made.entries,
            made.bytes,
            stored.as_ref(),
            &input.options,
        )
        .await?;
        if let Some(grown) = grown {
            grown.send_replace(Some(true));
        }
        context
            .log(format!(
                "Done: {} files, {} bytes; {failed} sources are missing.",
                made.entries, made.bytes
            ))
            .await;
        Ok(outcome(
            made.entries,
            failed,
            made.bytes,
            stored.map(|stored| stored.size),
        ))
    }

    async fn outlet(
        &self,
        id: BundleId,
        keep: bool,
    ) -> Result<(Outlet, Option<tokio::sync::watch::Sender<Option<bool>>>), Failure> {
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
        Ok((Outlet::Streamed(taker), None))
    }

    async fn store(
        &self,
        id: BundleId,
        missing: &[MissingSource],
        done: u64,
        bytes: u64,
        stored: Option<&StoredBlob>,
        options: &Options,
    ) -> Result<(), Failure> {
        let keep = options
            .expires_in
            .map_or(self.0.current().settings.expires_in, Duration::from_secs);
        let expires_at = stored.map(|_| self.0.now().plus(keep));
        let missing: Vec<usize> = missing.iter().map(|missing| missing.index).collect();
        sql::finish(self.0.db(), id, done, &missing, bytes, stored, expires_at).await?;
        Ok(())
    }
}

fn plan(name: String, options: &Options, max_bytes: Option<u64>, begun_at: Timestamp) -> Plan {
    Plan {
        name,
        in_source_order: options.order == EntryOrder::Source,
        // A length is only known ahead when nothing is compressed.
        compress: options.compress == Compress::Auto && !options.exact_length,
        strict: options.strict,
        max_bytes,
        begun_at,
    }
}

fn outcome(entries: u64, failed: u64, bytes: u64, size: Option<u64>) -> Outcome {
    serde_json::json!({ "entries": entries, "failed": failed, "bytes": bytes, "size": size })
}

/// The values of all headers, which no log may show.
fn secrets(sources: &[Source], access: &Access) -> Vec<String> {
    let mut values: Vec<String> = sources
        .iter()
        .flat_map(|source| source.texts(access))
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Removes bundles whose time is over, and bytes that no bundle owns.
#[derive(Clone, Debug)]
pub struct ExpireBundles(pub(crate) Bundles);

/// Nothing to say.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExpireInput {}

impl Kind for ExpireBundles {
    const NAME: &'static str = "bundle-expiry";
    type Input = ExpireInput;

    fn settings(&self) -> Settings {
        Settings::new("Remove expired bundles")
            .limit(1)
            .resumable()
            .keep(operations::Retained {
                count: 50,
                ..operations::Retained::default()
            })
    }

    async fn run(&self, _input: ExpireInput, context: Context) -> Result<Outcome, Failure> {
        let bundles = &self.0;
        let (mut removed, mut freed) = (0_u64, 0_u64);
        loop {
            context.check()?;
            let expired = sql::expired(bundles.db(), bundles.now(), 100).await?;
            if expired.is_empty() {
                break;
            }
            for (id, blob, size) in expired {
                sql::forget_blob(bundles.db(), id).await?;
                bundles.blobs().delete(blob).await?;
                removed += 1;
                freed += size;
            }
        }
        bundles.blobs().sweep_incoming(ORPHANED).await?;
        let orphans = self.sweep_orphans(&context).await?;
        context
            .log(format!(
                "{removed} bundles expired, {freed} bytes came free; {orphans} blobs had no owner."
            ))
            .await;
        Ok(serde_json::json!({ "expired": removed, "freed": freed, "orphans": orphans }))
    }
}

impl ExpireBundles {
    /// Removes blobs that no bundle owns: what a crash between the two left behind.
    async fn sweep_orphans(&self, context: &Context) -> Result<u64, Failure> {
        let (sender, mut names) = tokio::sync::mpsc::channel::<BlobName>(256);
        let blobs = self.0.blobs().clone();
        let listing = tokio::spawn(async move {
            blobs
                .list(move |name, _| {
                    // Nobody listens any more: the rest is left for the next time.
                    let _ = sender.blocking_send(name);
                })
                .await
        });
        let mut orphans = 0;
        while let Some(name) = names.recv().await {
            context.check()?;
            let old = self.0.now().since(name.created_at()) > ORPHANED;
            if old && !sql::owns(self.0.db(), name).await? {
                self.0.blobs().delete(name).await?;
                orphans += 1;
            }
        }
        listing
            .await
            .map_err(|_| Failure::passing("stopped", "Longshore stopped while it swept."))??;
        Ok(orphans)
    }
}

impl Bundles {
    /// Sees to it that expired bundles are removed every quarter of an hour.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schedule_expiry(&self) -> operations::Result<()> {
        let name = "bundle-expiry"
            .parse()
            .map_err(|_| operations::Error::Stored("name"))?;
        self.operations()
            .ensure_schedule(NewSchedule {
                name,
                kind: ExpireBundles::NAME.to_owned(),
                title: String::new(),
                input: serde_json::json!({}),
                timing: Timing::parse("*/15 * * * *", "UTC")?,
                missed: Missed::RunOnce,
                enabled: true,
            })
            .await
    }
}
