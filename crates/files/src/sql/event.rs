//! Webhooks, and what they were not told yet.

use crate::webhook::Webhook;
use base::{Actor, BucketId, Timestamp, WebhookId};
use storage::{Db, Result, Row, Tx, values};
use uuid::Uuid;

const COLUMNS: &str = "id, bucket, url, prefix, secret, enabled, created_at";

fn read(row: &Row) -> Result<Webhook> {
    Ok(Webhook {
        id: row.get::<Uuid>("id")?.into(),
        bucket: row.get::<Uuid>("bucket")?.into(),
        url: row.get("url")?,
        prefix: row.get("prefix")?,
        sealed: row.get("secret")?,
        enabled: row.get("enabled")?,
        created_at: row.get("created_at")?,
    })
}

/// All webhooks, by their age.
pub(crate) async fn webhooks(db: &Db) -> Result<Vec<Webhook>> {
    let sql = format!("SELECT {COLUMNS} FROM webhook ORDER BY id");
    db.all(sql, values![]).await?.iter().map(read).collect()
}

/// One of a bucket, which nobody else changes until the transaction ends.
pub(crate) async fn webhook_for_change(
    tx: &mut Tx,
    bucket: BucketId,
    id: WebhookId,
) -> Result<Option<Webhook>> {
    let sql = format!(
        "UPDATE webhook SET enabled = enabled WHERE id = $1 AND bucket = $2 RETURNING {COLUMNS}"
    );
    let row = tx.one(sql, values![id.uuid(), bucket.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

/// Has a webhook told from now on, or not.
pub(crate) async fn enable_webhook(tx: &mut Tx, id: WebhookId, enabled: bool) -> Result<()> {
    const SQL: &str = "UPDATE webhook SET enabled = $2 WHERE id = $1";
    tx.execute(SQL, values![id.uuid(), enabled]).await.map(drop)
}

/// One of them.
pub(crate) async fn webhook(db: &Db, id: WebhookId) -> Result<Option<Webhook>> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE id = $1");
    let row = db.one(sql, values![id.uuid()]).await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn insert_webhook(tx: &mut Tx, webhook: &Webhook, by: &Actor) -> Result<()> {
    const SQL: &str = "INSERT INTO webhook (id, bucket, url, prefix, secret, enabled, waits,
        created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7, $8)";
    tx.execute(
        SQL,
        values![
            webhook.id.uuid(),
            webhook.bucket.uuid(),
            webhook.url.as_str(),
            webhook.prefix.as_str(),
            webhook.sealed.clone(),
            webhook.enabled,
            webhook.created_at,
            by.as_str(),
        ],
    )
    .await
    .map(drop)
}

/// Notes that an operation is to begin that tells a webhook what was noted for it. False
/// where one waits already.
pub(crate) async fn begin_waiting(db: &Db, id: WebhookId) -> Result<bool> {
    const SQL: &str = "UPDATE webhook SET waits = TRUE WHERE id = $1 AND waits = FALSE";
    Ok(db.execute(SQL, values![id.uuid()]).await? == 1)
}

/// No operation waits to begin any more.
pub(crate) async fn end_waiting(db: &Db, id: WebhookId) -> Result<()> {
    const SQL: &str = "UPDATE webhook SET waits = FALSE WHERE id = $1";
    db.execute(SQL, values![id.uuid()]).await.map(drop)
}

/// Whether there was one.
pub(crate) async fn delete_webhook(tx: &mut Tx, bucket: BucketId, id: WebhookId) -> Result<bool> {
    const SQL: &str = "DELETE FROM webhook WHERE id = $1 AND bucket = $2";
    Ok(tx.execute(SQL, values![id.uuid(), bucket.uuid()]).await? == 1)
}

pub(crate) async fn insert(
    tx: &mut Tx,
    id: Uuid,
    webhook: WebhookId,
    at: Timestamp,
    body: &str,
) -> Result<()> {
    // One that was removed a moment ago is told nothing.
    const SQL: &str = "INSERT INTO file_event (id, webhook, at, body)
        SELECT $1, id, $3, $4 FROM webhook WHERE id = $2";
    tx.execute(SQL, values![id, webhook.uuid(), at, body])
        .await
        .map(drop)
}

/// The oldest events that a webhook was not told.
pub(crate) async fn untold(
    db: &Db,
    webhook: WebhookId,
    limit: usize,
) -> Result<Vec<(Uuid, String)>> {
    const SQL: &str =
        "SELECT id, body FROM file_event WHERE webhook = $1 ORDER BY turn, id LIMIT $2";
    let rows = db.all(SQL, values![webhook.uuid(), limit]).await?;
    rows.iter()
        .map(|row| Ok((row.get("id")?, row.get("body")?)))
        .collect()
}

/// These events have been told.
pub(crate) async fn told(db: &Db, events: &[Uuid]) -> Result<()> {
    const SQL: &str = "DELETE FROM file_event WHERE id = $1";
    let mut tx = db.begin().await?;
    for event in events {
        tx.execute(SQL, values![*event]).await?;
    }
    tx.commit().await
}

/// Removes what nobody wanted to hear for so long; how many.
pub(crate) async fn forget(db: &Db, before: Timestamp) -> Result<u64> {
    db.execute("DELETE FROM file_event WHERE at < $1", values![before])
        .await
}

/// Webhooks for which something is noted since before `before`.
pub(crate) async fn waiting(db: &Db, before: Timestamp) -> Result<Vec<WebhookId>> {
    const SQL: &str = "SELECT DISTINCT webhook FROM file_event WHERE at < $1";
    let rows = db.all(SQL, values![before]).await?;
    rows.iter()
        .map(|row| Ok(row.get::<Uuid>("webhook")?.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Noted;
    use crate::sql::feed;
    use crate::webhook::NewWebhook;
    use access::Doer;

    /// Made by a clock that is ahead, and by one that is behind.
    const IDS: [Uuid; 2] = [
        Uuid::from_u128(0x0190_a6e0_c7a1_7000_8000_0000_0000_000b),
        Uuid::from_u128(0x0190_a6e0_c7a0_7000_8000_0000_0000_000a),
    ];

    #[tokio::test]
    async fn of_replicas_whose_clocks_differ_it_is_told_in_the_order_in_which_it_happened() {
        testing::on_postgres(|database| async move {
            let folder = tempfile::tempdir().expect("a folder");
            let files = crate::store::tests::opened(&database, folder.path()).await;
            let bucket = files.bucket(crate::DEFAULT_BUCKET).expect("it is there");
            let new = NewWebhook {
                url: "http://127.0.0.1:9/".to_owned(),
                prefix: String::new(),
            };
            let made = files.create_webhook(&Doer::system(), &bucket, new).await;
            let (webhook, _) = made.expect("made");
            for (id, word) in IDS.into_iter().zip(["first", "second"]) {
                let change = Noted {
                    id,
                    at: files.now(),
                    happened: "file.put".to_owned(),
                    path: "a".to_owned(),
                    from: None,
                    actor: word.to_owned(),
                    file: "{}".to_owned(),
                };
                let mut tx = files.db().begin().await.expect("begun");
                let event = insert(&mut tx, id, webhook.id, files.now(), word).await;
                event.expect("noted");
                let watched = feed::note(&mut tx, bucket.id, &[change]).await;
                watched.expect("noted");
                tx.commit().await.expect("committed");
            }
            let untold = untold(files.db(), webhook.id, 10).await.expect("read");
            let told: Vec<&str> = untold.iter().map(|(_, body)| body.as_str()).collect();
            assert_eq!(told, ["first", "second"]);
            feed::number(files.db(), 10).await.expect("numbered");
            let changes = feed::after(files.db(), 0, 10).await.expect("read");
            let actors: Vec<&str> = changes
                .iter()
                .map(|change| change.change.actor.as_str())
                .collect();
            assert_eq!(actors, ["first", "second"]);
        })
        .await;
    }
}
