//! Telling somebody how a pass went.

use super::SyncPass;
use super::summary::Summary;
use crate::mail::Unsent;
use crate::pass::Pass;
use crate::rule::Report;
use secrecy::ExposeSecret;

impl SyncPass {
    /// Tells whom the rule names. That somebody could not be told is said in the log, and
    /// holds nothing up.
    pub(super) async fn report(&self, pass: &Pass) {
        let Some(report) = &pass.opened.sync.rule.report else {
            return;
        };
        let tally = pass.board.tally();
        if tally.is_nothing() || (report.failures_only && tally.failed == 0) {
            return;
        }
        let summary = match Summary::of(pass).await {
            Ok(summary) => summary,
            Err(error) => return untold(pass, "Nobody", &error.to_string()).await,
        };
        if let Some(url) = &report.url
            && let Err(why) = self
                .tell(pass, (url, report.secret.as_deref()), &summary)
                .await
        {
            untold(pass, "The webhook", &why).await;
        }
        self.write(pass, report, &summary).await;
    }

    async fn tell(
        &self,
        pass: &Pass,
        (url, secret): (&str, Option<&str>),
        summary: &Summary,
    ) -> Result<(), String> {
        let listener = self.0.listener(url, secret, &pass.opened.keys).await;
        let listener = listener.map_err(|error| error.to_string())?;
        let key = pass.context.id().to_string();
        let told = listener.tell(&summary.event(), &key, self.0.now()).await;
        told.map_err(|untold| untold.to_string())
    }

    /// Writes to each reader by itself, and to nobody more once the server itself fails.
    async fn write(&self, pass: &Pass, report: &Report, summary: &Summary) {
        let Some(first) = report.email.first() else {
            return;
        };
        let Some(mail) = self.0.settings().mail else {
            return untold(pass, first, &Unsent::NoServer.to_string()).await;
        };
        let secrets = mail.secrets();
        pass.context
            .redact(secrets.iter().map(|secret| secret.expose_secret()));
        let letter = summary.letter(mail.console.as_deref(), self.0.now());
        for reader in &report.email {
            let Err(why) = mail.send(&letter, reader).await else {
                continue;
            };
            untold(pass, reader, &why.to_string()).await;
            if !why.is_of_the_reader() {
                return;
            }
        }
    }
}

async fn untold(pass: &Pass, who: &str, why: &str) {
    let line = format!("{who} could not be told how this pass went: {why}.");
    pass.context.log(line).await;
}
