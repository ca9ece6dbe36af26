//! The role of the way of 2024: a script that takes one row after the other. It gets the
//! object into a temporary file, uploads that over a fresh connection, waits for the
//! thumbnail of a film, and marks the row.
//!
//! It takes the variables that the copier took, and the schema.

use super::world::{PREFIX, table};
use crate::{Error, Result};
use data_encoding::BASE64;
use reqwest::{Client, Response};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use storage::{Answered, Db, DbLimits, ObjectSettings, ObjectStore, values};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::task::TaskTracker;

/// How often it looks whether a film is ready.
pub(super) const LOOK: Duration = Duration::from_secs(5);
/// How long a signed address is good.
const SIGNED_FOR: Duration = Duration::from_secs(3600);
/// The pieces of a film, as Cloudflare recommends them.
const PIECE: usize = 52_428_800;
const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");

/// A row that is not marked.
struct Row {
    id: String,
    name: String,
    media_type: String,
    path: String,
}

/// What became of a file.
struct Served {
    id: String,
    thumbnail: Option<String>,
}

struct Script {
    db: Db,
    store: ObjectStore,
    client: Client,
    api: String,
    token: String,
}

/// Plays the role once.
pub(crate) async fn play() -> Result {
    let script = Script::open()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("object");
    for row in script.rows().await? {
        script.download(&row, &file).await?;
        let served = if row.media_type.starts_with("image/") {
            script.image(&row, &file).await?
        } else {
            script.film(&row, &file).await?
        };
        script.mark(&row, &served).await?;
    }
    Ok(())
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| Error::from(format!("{name} is missing")))
}

/// What was answered, if that is good.
async fn good(answer: Response) -> Result<Response> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    Err(format!("{status}: {}", answer.text().await?).into())
}

async fn result(answer: Response) -> Result<Value> {
    let mut envelope: Value = serde_json::from_slice(&good(answer).await?.bytes().await?)?;
    Ok(envelope["result"].take())
}

fn text(value: &Value, name: &str) -> Result<String> {
    let found = value[name].as_str().map(str::to_owned);
    found.ok_or_else(|| format!("no {name} in {value}").into())
}

impl Script {
    fn open() -> Result<Self> {
        let (db, _) = Db::foreign(&variable("DATABASE_URL")?, &DbLimits::default())?;
        let settings = ObjectSettings {
            endpoint: variable("SPACES_ENDPOINT")?,
            public_endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: variable("SPACES_BUCKET")?,
            prefix: PREFIX.to_owned(),
            path_style: true,
            access_key: variable("SPACES_KEY")?,
            secret: variable("SPACES_SECRET")?.into(),
        };
        // It signs addresses alone.
        let signing = fetch::Client::new(fetch::Policy::default(), fetch::Limits::default());
        Ok(Self {
            db,
            store: ObjectStore::new(settings, &signing, TaskTracker::new())?,
            // A connection each.
            client: Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()?,
            api: format!(
                "{}/accounts/{}",
                variable("CLOUDFLARE_API_URL")?,
                variable("CLOUDFLARE_ACCOUNT_ID")?
            ),
            token: variable("CLOUDFLARE_API_TOKEN")?,
        })
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        let sql = format!(
            r#"SELECT id, "fileName" AS name, "fileType" AS media_type, path FROM {}
            WHERE NOT "copiedToCloudflare" ORDER BY id"#,
            table()
        );
        let rows = self.db.all(sql, values![]).await?;
        let read = |row: &storage::Row| -> Result<Row> {
            Ok(Row {
                id: row.get("id")?,
                name: row.get("name")?,
                media_type: row.get("media_type")?,
                path: row.get("path")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn download(&self, row: &Row, file: &Path) -> Result {
        let url = self
            .store
            .presign_get(&row.path, SIGNED_FOR, Answered::default())?;
        let mut answer = good(self.client.get(url).send().await?).await?;
        let mut file = File::create(file).await?;
        while let Some(piece) = answer.chunk().await? {
            file.write_all(&piece).await?;
        }
        Ok(file.flush().await?)
    }

    async fn image(&self, row: &Row, file: &Path) -> Result<Served> {
        let content = tokio::fs::read(file).await?;
        let mut body = Vec::with_capacity(content.len() + 1024);
        let part = "--2024\r\nContent-Disposition: form-data; name=";
        let (id, name, media_type) = (&row.id, &row.name, &row.media_type);
        let head = format!(
            "{part}\"id\"\r\n\r\n{id}\r\n{part}\"metadata\"\r\n\r\n{{\"id\":\"{id}\"}}\r\n\
             {part}\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n--2024--\r\n");
        let asked = self
            .client
            .post(format!("{}/images/v1", self.api))
            .bearer_auth(&self.token)
            .header("Content-Type", "multipart/form-data; boundary=2024")
            .body(body);
        let image = result(asked.send().await?).await?;
        Ok(Served {
            id: text(&image, "id")?,
            thumbnail: None,
        })
    }

    async fn film(&self, row: &Row, file: &Path) -> Result<Served> {
        let mut file = File::open(file).await?;
        let length = file.metadata().await?.len();
        let name = BASE64.encode(row.id.as_bytes());
        let made = self
            .client
            .post(format!("{}/stream", self.api))
            .bearer_auth(&self.token)
            .header(TUS.0, TUS.1)
            .header("Upload-Length", length)
            .header("Upload-Metadata", format!("name {name}"));
        let made = good(made.send().await?).await?;
        let header = |name: &str| {
            let value = made.headers().get(name).and_then(|text| text.to_str().ok());
            value
                .map(str::to_owned)
                .ok_or_else(|| Error::from(format!("no {name}")))
        };
        let (place, uid) = (header("location")?, header("stream-media-id")?);
        let mut offset = 0;
        while offset < length {
            let mut piece = Vec::new();
            (&mut file)
                .take(PIECE as u64)
                .read_to_end(&mut piece)
                .await?;
            let count = piece.len() as u64;
            let sent = self
                .client
                .patch(&place)
                .header(TUS.0, TUS.1)
                .header("Upload-Offset", offset)
                .header("Content-Type", "application/offset+octet-stream")
                .body(piece);
            good(sent.send().await?).await?;
            offset += count;
        }
        self.thumbnail(uid).await
    }

    /// Waits until a film is ready: then it has one.
    async fn thumbnail(&self, uid: String) -> Result<Served> {
        loop {
            let url = format!("{}/stream/{uid}", self.api);
            let asked = self.client.get(url).bearer_auth(&self.token);
            let film = result(asked.send().await?).await?;
            if film["readyToStream"] == true {
                return Ok(Served {
                    id: uid,
                    thumbnail: Some(text(&film, "thumbnail")?),
                });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn mark(&self, row: &Row, served: &Served) -> Result {
        let sql = format!(
            r#"UPDATE {} SET "copiedToCloudflare" = TRUE, "cloudflareId" = $2,
            status = 'ready', thumbnail = $3 WHERE id = $1"#,
            table()
        );
        let thumbnail = served.thumbnail.as_deref().unwrap_or_default();
        let values = values![row.id.as_str(), served.id.as_str(), thumbnail];
        self.db.execute(sql, values).await?;
        Ok(())
    }
}
