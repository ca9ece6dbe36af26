//! Telling somebody how a pass went.

use super::summary::Summary;
use super::{Ended, SyncPass};
use crate::mail::Unsent;
use crate::rule::Report;
use crate::sql;
use secrecy::ExposeSecret;
use std::time::Duration;

/// How long it takes until the same failure as a whole is told of again.
const TOLD_AGAIN: Duration = Duration::from_secs(600);

impl SyncPass {
    /// Tells whom the rule names, also of a pass that failed as a whole; but where nothing else
    /// happened not twice within [`TOLD_AGAIN`] of the same failure: every new file of a bucket
    /// may set off a pass that meets it. That somebody could not be told is said in the log,
    /// and holds nothing up.
    pub(super) async fn report(&self, ended: &Ended<'_>) {
        let Some(report) = &ended.sync.rule.report else {
            return;
        };
        let tally = ended.tally;
        let uneventful = tally.is_nothing() || (report.failures_only && tally.failed == 0);
        if uneventful && !self.fails_anew(ended).await {
            return;
        }
        let summary = match Summary::of(self.0.db(), ended).await {
            Ok(summary) => summary,
            Err(error) => return untold(ended, "Nobody", &error.to_string()).await,
        };
        if let Some(url) = &report.url
            && let Err(why) = self
                .tell(ended, (url, report.secret.as_deref()), &summary)
                .await
        {
            untold(ended, "The webhook", &why).await;
        }
        self.write(ended, report, &summary).await;
        if ended.failure.is_some() {
            let (db, now) = (self.0.db(), self.0.now());
            if let Err(error) = sql::pass::told(db, ended.context.id(), now).await {
                tracing::warn!(%error, "a failure of a pass may be told of once more");
            }
        }
    }

    /// Whether it failed as a whole, and nobody was told of the same a moment ago.
    async fn fails_anew(&self, ended: &Ended<'_>) -> bool {
        let Some(failure) = &ended.failure else {
            return false;
        };
        let since = self.0.now().minus(TOLD_AGAIN);
        let told = sql::pass::is_told(self.0.db(), ended.sync.id, failure, since).await;
        // Who cannot know tells it rather twice.
        !told.unwrap_or(false)
    }

    async fn tell(
        &self,
        ended: &Ended<'_>,
        (url, secret): (&str, Option<&str>),
        summary: &Summary,
    ) -> Result<(), String> {
        let listener = self.0.listener(url, secret, ended.keys).await;
        let listener = listener.map_err(|error| error.to_string())?;
        let key = ended.context.id().to_string();
        let told = listener.tell(&summary.event(), &key, self.0.now()).await;
        told.map_err(|untold| untold.to_string())
    }

    /// Writes to each reader by itself, to some at once.
    async fn write(&self, ended: &Ended<'_>, report: &Report, summary: &Summary) {
        let Some(first) = report.email.first() else {
            return;
        };
        let Some(mail) = self.0.settings().mail else {
            return untold(ended, first, &Unsent::NoServer.to_string()).await;
        };
        let secrets = mail.secrets();
        ended
            .context
            .redact(secrets.iter().map(|secret| secret.expose_secret()));
        let letter = summary.letter(mail.console.as_deref(), self.0.now());
        for (reader, sent) in mail.send_to_all(&letter, &report.email).await {
            match sent {
                Ok(()) => {
                    let line = format!("{reader} was told by e-mail how this pass went.");
                    ended.context.log(line).await;
                }
                Err(why) => untold(ended, &reader, &why.to_string()).await,
            }
        }
    }
}

async fn untold(ended: &Ended<'_>, who: &str, why: &str) {
    let line = format!("{who} could not be told how this pass went: {why}.");
    ended.context.log(line).await;
}
