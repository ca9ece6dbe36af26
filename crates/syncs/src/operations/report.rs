//! Telling somebody how a pass went.

use super::summary::Summary;
use super::{Ended, SyncPass};
use crate::mail::Unsent;
use crate::rule::Report;
use secrecy::ExposeSecret;

impl SyncPass {
    /// Tells whom the rule names, also of a pass that failed as a whole. That somebody could
    /// not be told is said in the log, and holds nothing up.
    pub(super) async fn report(&self, ended: &Ended<'_>) {
        let Some(report) = &ended.sync.rule.report else {
            return;
        };
        let tally = ended.tally;
        let uneventful = tally.is_nothing() || (report.failures_only && tally.failed == 0);
        if uneventful && ended.failure.is_none() {
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
