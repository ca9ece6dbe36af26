//! Finding what is to be delivered: the source tells, a page at a time, and it is noted
//! before anything is sent.

use super::Pass;
use super::route::{Chosen, choose};
use crate::rule::Route;
use crate::source::Found;
use crate::sql;
use crate::sql::delivery::Noting;
use crate::tally::Tally;
use crate::target::Trouble;
use ::operations::{Context, Failure};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Files of one page.
const PAGE: usize = 1000;
/// Pages are asked for again after such waits.
const AGAIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
    Duration::from_secs(30),
];
/// And after such a one where the source itself asks for more.
const LONGEST: Duration = Duration::from_secs(300);

/// How long the source is left alone before it is asked for a page again: `asked` is what it
/// asks for.
fn again_in(wait: Duration, asked: Option<Duration>) -> Duration {
    asked.map_or(wait, |asked| asked.min(LONGEST).max(wait))
}

/// How far finding is. A pass that is taken up again goes on from there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Finding {
    after: Option<String>,
    done: bool,
    /// How many of the files that were found no target takes.
    skipped: u64,
}

impl Finding {
    pub(super) fn of(context: &Context, recorded: bool) -> Self {
        let restored: Option<Self> = context.restored();
        restored.unwrap_or(Self {
            done: recorded,
            ..Self::default()
        })
    }

    pub(super) const fn is_done(&self) -> bool {
        self.done
    }
}

/// The target that takes a file, or why none does, whatever its size; neither where that is
/// known only when it is looked at.
pub(crate) fn sort<'a>(routes: &'a [Route], found: &Found) -> (Option<&'a str>, Option<String>) {
    if found.key.is_empty() || found.place.is_empty() {
        return (None, Some("it has no key or no path".to_owned()));
    }
    // A type that is not known yet may be known once it is looked at.
    if found.media_type.is_empty() {
        return (None, None);
    }
    match choose(routes, &found.into()) {
        Chosen::Nothing(reason) => (None, Some(reason)),
        Chosen::Target(index) => (routes.get(index).map(|route| route.name.as_str()), None),
        Chosen::BySize => (None, None),
    }
}

impl Pass {
    /// Goes on from what an earlier attempt had done and found. What became of files is read
    /// from their deliveries, since the counts are not kept with each of them.
    pub(super) async fn take_up(&self, finding: &Finding) -> Result<(), Failure> {
        let (db, id, sync) = (self.syncs.db(), self.context.id(), self.opened.sync.id);
        let kept = sql::pass::tally(db, id).await?.unwrap_or_default();
        let ended = sql::done::by(db, sync, id).await?;
        let working = sql::done::working_of(db, sync, id).await?;
        let tally = Tally {
            delivered: kept.delivered.max(ended.delivered),
            failed: kept.failed.max(ended.failed),
            skipped: kept.skipped.max(finding.skipped + ended.skipped),
            ..kept
        };
        self.board.go_on_from(tally, working);
        if finding.done {
            self.reckon(finding).await?;
        }
        Ok(())
    }

    /// Notes the next page of what the source tells.
    pub(super) async fn find(&self, finding: &mut Finding) -> Result<(), Failure> {
        // Before the source is asked: what is delivered afterwards is not asked for again.
        let read_at = sql::delivery::clock(self.syncs.db()).await?;
        let page = self.page(finding.after.as_deref()).await?;
        let mut skipped = Vec::new();
        let mut tx = self.syncs.db().begin().await?;
        for found in &page.files {
            let (target, unfit) = sort(&self.opened.sync.rule.targets, found);
            let noting = Noting {
                found,
                unfit: unfit.as_deref(),
                target,
                read_at,
                now: self.syncs.now(),
            };
            let news = sql::delivery::note(&mut tx, self.opened.sync.id, noting).await?;
            if let Some(reason) = unfit.filter(|_| news) {
                skipped.push(format!("{} is skipped: {reason}.", found.name));
            }
        }
        tx.commit().await?;
        let count = skipped.len() as u64;
        // As many as a page has: on the board there may be no room for all of them.
        self.board.flush().await;
        for line in skipped {
            self.context.log(line).await;
        }
        self.board.count(|tally| tally.skipped += count);
        finding.done = page.next.is_none();
        finding.after = page.next.or_else(|| finding.after.take());
        finding.skipped += count;
        self.context.checkpoint(finding).await?;
        self.reckon(finding).await?;
        let tally = self.board.tally();
        Ok(sql::pass::note(self.syncs.db(), self.context.id(), &tally).await?)
    }

    /// Shows how many there are to do, as far as they are found.
    async fn reckon(&self, finding: &Finding) -> Result<(), Failure> {
        // Before the others are counted: what ends meanwhile may be in neither number, and in
        // both it would be one that never comes.
        let done = self.board.tally().done();
        let left = sql::done::left(self.syncs.db(), self.opened.sync.id).await?;
        self.board.expect(done + left, !finding.done);
        Ok(())
    }

    /// Asks for a page, and again after what may pass.
    async fn page(&self, after: Option<&str>) -> Result<crate::source::SourcePage, Failure> {
        let mut waits = AGAIN.into_iter();
        loop {
            let trouble = match self.opened.source.page(after, PAGE).await {
                Ok(page) => return Ok(page),
                Err(trouble) => trouble,
            };
            let (reason, asked) = match trouble {
                Trouble::Later { reason, after } => (reason, after),
                Trouble::Paused { reason, after } => (reason, Some(after)),
                trouble => return Err(Failure::lasting("source", trouble.to_string())),
            };
            let Some(wait) = waits.next() else {
                return Err(Failure::passing("source", reason));
            };
            let wait = again_in(wait, asked);
            let text = format!(
                "The source cannot be read ({reason}); tried again in {} s.",
                wait.as_secs()
            );
            self.context.log(text).await;
            self.context.sleep(wait).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_left_alone_as_it_asks_and_not_for_ever() {
        let seconds = Duration::from_secs;
        for (asked, wait) in [
            (None, 15),
            (Some(3), 15),
            (Some(60), 60),
            (Some(u64::MAX), 300),
        ] {
            let again = again_in(seconds(15), asked.map(seconds));
            assert_eq!(again, seconds(wait), "{asked:?}");
        }
    }
}
