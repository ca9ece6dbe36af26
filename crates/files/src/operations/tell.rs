//! Telling a webhook what happened.

use super::PATIENT;
use crate::permit::Permission;
use crate::webhook::{Webhook, signature};
use crate::{Files, sql};
use access::Caller;
use base::WebhookId;
use bytes::Bytes;
use fetch::{ExtraHeaders, Request};
use http::Method;
use operations::{Context, Failure, Kind, Outcome, Settings};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Events in one request, at most.
const BATCH: usize = 100;

/// Tells a webhook of everything that was noted for it, the oldest first.
#[derive(Clone, Debug)]
pub struct TellWebhook(pub(crate) Files);

/// Whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TellInput {
    /// The webhook.
    pub webhook: WebhookId,
}

impl Kind for TellWebhook {
    const NAME: &'static str = "webhook";
    type Input = TellInput;

    fn settings(&self) -> Settings {
        Settings::new("Tell of files")
            .limit(8)
            .resumable()
            .scope("files:write")
            .retry(PATIENT)
    }

    async fn run(&self, input: TellInput, context: Context) -> Result<Outcome, Failure> {
        // From now on, what comes is told by another one, or by this one already.
        sql::event::end_waiting(self.0.db(), input.webhook).await?;
        let mut told = 0;
        loop {
            context.check()?;
            // Asked every time: it may have been switched off while it was told.
            let webhook = sql::event::webhook(self.0.db(), input.webhook).await?;
            let webhook = webhook.ok_or_else(|| Failure::withdrawn("the webhook was removed"))?;
            if !webhook.enabled {
                let text = "the webhook is off; what was noted for it waits until it is on";
                return Err(Failure::withdrawn(text));
            }
            let events = sql::event::untold(self.0.db(), webhook.id, BATCH).await?;
            if events.is_empty() {
                return Ok(serde_json::json!({ "events": told }));
            }
            self.send(&webhook, &events, &context).await?;
            told += events.len();
            let ids: Vec<Uuid> = events.into_iter().map(|(id, _)| id).collect();
            sql::event::told(self.0.db(), &ids).await?;
        }
    }
}

impl TellWebhook {
    async fn send(
        &self,
        webhook: &Webhook,
        events: &[(Uuid, String)],
        context: &Context,
    ) -> Result<(), Failure> {
        let bodies: Vec<&str> = events.iter().map(|(_, body)| body.as_str()).collect();
        let body = Bytes::from(format!("{{\"events\":[{}]}}", bodies.join(",")));
        let secret = self
            .0
            .webhook_secret(webhook)
            .map_err(|error| Failure::lasting("secret", error.to_string()))?;
        let client = self.0.client();
        let refused = |error: fetch::Refused| Failure::lasting("address", error.to_string());
        let url = client.check(&webhook.url).map_err(refused)?;
        let headers = ExtraHeaders::parse([
            ("content-type", "application/json"),
            (
                "longshore-signature",
                signature(&secret, self.0.now(), &body).as_str(),
            ),
        ])
        .map_err(refused)?;
        let request = Request::new(Method::POST, url).headers(headers).body(body);
        let answered = client.send(request, context.cancelled()).await;
        let status = match answered {
            Ok(response) => response.status(),
            Err(error) => return Err(Failure::passing("unreachable", error.to_string())),
        };
        let count = events.len();
        if status.is_success() {
            context
                .log(format!("{count} events were told: {status}."))
                .await;
            return Ok(());
        }
        let text = format!("the webhook answered {status} to {count} events");
        context.log(format!("{text}.")).await;
        Err(Failure::passing("refused", text))
    }
}

impl Files {
    /// Whether this caller may have a webhook told: of files that are theirs to list, too. One
    /// that is gone is told nothing.
    ///
    /// # Errors
    /// What [`Files::permit`] says.
    pub async fn permit_telling(&self, caller: &Caller, input: &TellInput) -> crate::Result<()> {
        let Some(webhook) = sql::event::webhook(self.db(), input.webhook).await? else {
            return Ok(());
        };
        let Some(bucket) = self.buckets().with_id(webhook.bucket) else {
            return Ok(());
        };
        let prefix = webhook.prefix.as_str();
        self.permit(Some(caller), &bucket, prefix, Permission::List)
            .await
    }
}
