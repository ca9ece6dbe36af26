//! What a pass would do, told without doing anything of it: by the sync as it is, or by a
//! rule that nobody has stored yet.

use crate::delivery::DeliveryState;
use crate::open::Opened;
use crate::pass::sort;
use crate::rule::Rule;
use crate::source::Found;
use crate::sql::known::{self, Known};
use crate::sync::{Origin, Sync};
use crate::{Error, Result, Syncs};
use base::SyncId;
use serde::Serialize;
use std::time::Duration;

/// Files that are told one by one.
const MOST_PLANNED: usize = 1000;
/// Files of a page.
const PAGE: usize = 1000;
/// How long a dry run may take; then it tells what it has seen.
const PLANNING: Duration = Duration::from_secs(20);

/// What a pass would do with one file.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Planned {
    /// What names it in its source.
    pub item: String,
    /// The name that people know it by.
    pub name: String,
    /// Its media type; empty where that is known only once it is looked at.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its size, if it is known.
    pub size: Option<u64>,
    /// The target that would get it; nothing where none takes it, or where its size or its
    /// type decides, which are not known yet.
    pub target: Option<String>,
    /// Why none takes it.
    pub skipped: Option<String>,
}

/// What a pass would do.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct DryRun {
    /// The first files, one by one.
    pub files: Vec<Planned>,
    /// How many would be sent, as far as can be said before they are looked at.
    pub deliver: u64,
    /// How many no target takes.
    pub skip: u64,
    /// How many are known already: delivered, or resting among the skipped and failed ones,
    /// or at a target that makes them ready.
    pub known: u64,
    /// Whether there are more than were looked at.
    pub more: bool,
}

impl Syncs {
    /// What a pass would do. Nothing is sent, recorded or marked.
    ///
    /// # Errors
    /// What the source says.
    pub async fn dry_run(&self, sync: Sync) -> Result<DryRun> {
        self.plan(sync, false).await
    }

    /// What a pass would do by a rule that is not stored: that of a new sync, or another one
    /// for the sync `of`.
    ///
    /// # Errors
    /// A rule that cannot be, [`Error::NoSync`], [`Error::OfEnvironment`], or what the source
    /// says.
    pub(crate) async fn dry_run_by(&self, rule: Rule, of: Option<&str>) -> Result<DryRun> {
        let now = self.now();
        let sync = match of {
            Some(name) => {
                let stored = self.named(name).await?;
                // Its secrets are the environment's, and no rule of others may name them.
                if stored.origin == Origin::Environment {
                    return Err(Error::OfEnvironment(stored.name));
                }
                Sync { rule, ..stored }
            }
            None => Sync {
                id: SyncId::new(),
                name: String::new(),
                rule,
                origin: Origin::People,
                paused: true,
                created_at: now,
                created_by: String::new(),
                changed_at: now,
            },
        };
        self.check_rule(&sync.rule).await?;
        self.plan(sync, true).await
    }

    /// `anew`: what no target took before is looked at again, as when a rule changes.
    async fn plan(&self, sync: Sync, anew: bool) -> Result<DryRun> {
        let opened = self.open(sync).await?;
        let begun = self.now();
        let mut plan = DryRun::default();
        let mut after = None;
        loop {
            let page = opened.source.page(after.as_deref(), PAGE).await?;
            let known = known::of(self.db(), opened.sync.id, &page.files).await?;
            for found in &page.files {
                match known.get(&found.key) {
                    Some(known) if !does_something(known, found, anew) => plan.known += 1,
                    _ => plan.add(&opened, found),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(plan);
            }
            if self.now().since(begun) > PLANNING {
                plan.more = true;
                return Ok(plan);
            }
        }
    }
}

fn does_something(known: &Known, found: &Found, anew: bool) -> bool {
    (anew && known.state == DeliveryState::Skipped) || known.is_wanted(found)
}

impl DryRun {
    fn add(&mut self, opened: &Opened, found: &Found) {
        let planned = Planned::of(opened, found);
        match planned.skipped {
            Some(_) => self.skip += 1,
            None => self.deliver += 1,
        }
        if self.files.len() < MOST_PLANNED {
            self.files.push(planned);
        }
    }
}

impl Planned {
    fn of(opened: &Opened, found: &Found) -> Self {
        let (target, unfit) = sort(&opened.sync.rule.targets, found);
        let skipped = unfit.or_else(|| why_not(opened, target?, found));
        Self {
            item: found.key.clone(),
            name: found.name.clone(),
            media_type: found.media_type.clone(),
            size: found.size,
            target: target.filter(|_| skipped.is_none()).map(str::to_owned),
            skipped,
        }
    }
}

/// Why the target that is meant takes none like it.
fn why_not(opened: &Opened, target: &str, found: &Found) -> Option<String> {
    let routes = &opened.sync.rule.targets;
    let index = routes.iter().position(|route| route.name == target)?;
    opened.targets.get(index)?.unfit(&found.into())
}
