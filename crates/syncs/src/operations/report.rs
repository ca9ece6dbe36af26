//! Telling somebody how a pass went.

use super::SyncPass;
use crate::pass::Pass;
use serde_json::json;

impl SyncPass {
    /// Tells whom the rule names. That nobody could be told is said in the log, and holds
    /// nothing up.
    pub(super) async fn report(&self, pass: &Pass) {
        let sync = &pass.opened.sync;
        let Some(report) = &sync.rule.report else {
            return;
        };
        let tally = pass.board.tally();
        if tally.is_nothing() || (report.failures_only && tally.failed == 0) {
            return;
        }
        let secret = report.secret.as_deref();
        let listener = self
            .0
            .listener(&report.url, secret, &pass.opened.keys)
            .await;
        let told = match listener {
            Ok(listener) => {
                let id = pass.context.id().to_string();
                let body = json!({
                    "type": "sync.pass",
                    "sync": sync.name,
                    "operation": id,
                    "by": pass.context.operation().actor,
                    "trigger": pass.context.operation().trigger,
                    "counts": tally,
                    "failures": pass.board.failures(),
                });
                let told = listener.tell(&body, &id, self.0.now()).await;
                told.map_err(|untold| untold.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = told {
            let line = format!("Nobody could be told how this pass went: {why}.");
            pass.context.log(line).await;
        }
    }
}
