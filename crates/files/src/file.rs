//! A file: a content at a path.

use crate::bucket::Bucket;
use crate::path::FilePath;
use crate::remembered::{Content, SMALL, Since};
use crate::store::StoreContent;
use crate::{Error, Files, Result, kept, sql};
use base::{BucketId, FileId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use storage::BlobName;

/// The longest metadata, in bytes of JSON.
const MOST_METADATA: usize = 8 * 1024;
/// The longest value of a header that is kept, in bytes.
const MOST_HEADER: usize = 512;

/// A file, as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct File {
    /// The id of this content; another one lies at the path when it is overwritten.
    #[schema(value_type = String, format = Uuid)]
    pub id: FileId,
    /// Its path in the bucket.
    #[schema(value_type = String)]
    pub path: FilePath,
    /// Its length in bytes.
    pub size: u64,
    /// Its media type, as declared or, where none was, as recognised.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its media type as its first bytes look; nothing where they tell none.
    pub sniffed_type: String,
    /// The SHA-256 of its content, in hexadecimal digits.
    pub sha256: Option<String>,
    /// What changes exactly when the content does, without quotes. For most files it is
    /// the MD5 of the content in hexadecimal digits.
    pub etag: String,
    /// Since when there is a file at this path.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When this content came.
    #[schema(value_type = String, format = DateTime)]
    pub modified_at: Timestamp,
    /// Who put it there: `user:anna`, `token:anna/ci`, `system`.
    pub uploader: String,
    /// What its uploader says of it.
    #[schema(value_type = Object)]
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// Its tags.
    #[serde(skip_serializing_if = "TagSet::is_empty")]
    pub tags: TagSet,
    /// Headers that are answered with it.
    #[serde(skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// When a picture or a video says that it was taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub taken_at: Option<Timestamp>,
    /// Where it says so, in degrees north.
    pub latitude: Option<f64>,
    /// Where it says so, in degrees east.
    pub longitude: Option<f64>,
    /// Its width in pixels, where it has one.
    pub width: Option<u64>,
    /// Its height in pixels, where it has one.
    pub height: Option<u64>,
    /// In which bucket.
    #[serde(skip)]
    pub(crate) bucket: BucketId,
    /// Whose quota it counts against.
    #[serde(skip)]
    pub(crate) account: Option<uuid::Uuid>,
    /// Where its bytes are.
    #[serde(skip)]
    pub(crate) blob: Option<BlobName>,
    /// Where they are, if that is its bucket's store.
    #[serde(skip)]
    pub(crate) object: Option<Object>,
}

/// Where the bytes of a file are in its bucket's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// The key, without the store's prefix.
    pub(crate) key: String,
    /// The ETag there, without quotes.
    pub(crate) etag: String,
}

/// Headers that are kept with a file and answered with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Headers {
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
}

impl Headers {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each by its name in HTTP.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("cache-control", &self.cache_control),
            ("content-disposition", &self.content_disposition),
            ("content-encoding", &self.content_encoding),
            ("content-language", &self.content_language),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// # Errors
    /// [`Error::Header`] for a value that no header has.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value) in self.iter() {
            let visible = |c: char| c == '\t' || !c.is_control();
            if value.len() > MOST_HEADER || value.is_empty() || !value.chars().all(visible) {
                return Err(Error::Header(name));
            }
        }
        Ok(())
    }

    /// As it is stored.
    pub(crate) fn text(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What an uploader says of a file: a JSON object.
pub type Metadata = serde_json::Map<String, serde_json::Value>;

/// Tags: short texts by short names.
pub type TagSet = BTreeMap<String, String>;

/// The most tags of a file, and the most characters of their names and their texts: what
/// S3 allows.
const MOST_TAGS: usize = 10;
const MOST_TAG_NAME: usize = 128;
const MOST_TAG_TEXT: usize = 256;

/// As tags are stored.
///
/// # Errors
/// [`Error::Tags`] when there are too many, or one is too long.
pub(crate) fn tags_text(tags: &TagSet) -> Result<String> {
    if tags.is_empty() {
        return Ok(String::new());
    }
    let fits = |(name, text): (&String, &String)| {
        (1..=MOST_TAG_NAME).contains(&name.chars().count())
            && text.chars().count() <= MOST_TAG_TEXT
            && !name.contains('\0')
            && !text.contains('\0')
    };
    if tags.len() > MOST_TAGS || !tags.iter().all(fits) {
        return Err(Error::Tags);
    }
    serde_json::to_string(tags).map_err(|_| Error::Tags)
}

/// As it is stored.
///
/// # Errors
/// [`Error::Metadata`] when it is too long, or holds what no database holds.
pub(crate) fn metadata_text(metadata: &Metadata) -> Result<String> {
    if metadata.is_empty() {
        return Ok(String::new());
    }
    let text = serde_json::to_string(metadata).map_err(|_| Error::Metadata)?;
    if text.len() > MOST_METADATA || text.contains(r"\u0000") {
        return Err(Error::Metadata);
    }
    Ok(text)
}

/// A media type as it is kept: without what no header may hold. Nothing where it is none.
#[must_use]
pub fn media_type(text: &str) -> Option<String> {
    let text = text.trim();
    let (kind, rest) = text.split_once('/')?;
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let name = rest.split(';').next().unwrap_or_default().trim();
    let usable = text.len() <= 255
        && !kind.is_empty()
        && kind.chars().all(token)
        && !name.is_empty()
        && name.chars().all(token)
        && text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    usable.then(|| text.to_owned())
}

impl From<StoreContent> for Content {
    fn from(found: StoreContent) -> Self {
        match found {
            StoreContent::Small(bytes) => Self::Small(bytes),
            StoreContent::Large(content) => Self::InStore(content),
        }
    }
}

impl Files {
    /// The file at this path.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub async fn file(&self, bucket: &Bucket, path: &FilePath) -> Result<File> {
        let looked = kept::look_up(self.shared_cache(), bucket.id, path.as_str()).await;
        let fill = match looked {
            Ok(file) => return Ok(file),
            Err(fill) => fill,
        };
        let file = self.file_by_database(bucket, path).await?;
        kept::keep(fill, &file).await;
        Ok(file)
    }

    async fn file_by_database(&self, bucket: &Bucket, path: &FilePath) -> Result<File> {
        let found = match sql::file::current(self.db(), bucket.id, path.as_str()).await? {
            None => self.found_in_store(bucket, path).await?,
            found => found,
        };
        found.ok_or_else(|| Error::NoFile(path.clone()))
    }

    /// The content of a file. It can be read to its end, though it may be overwritten
    /// or deleted meanwhile.
    ///
    /// # Errors
    /// [`Error::NoFile`] when its bytes are gone, as it was deleted a moment ago.
    pub async fn content(&self, file: &File) -> Result<Content> {
        if let Some(object) = &file.object {
            return Ok(self.content_in_store(file, object).await?.into());
        }
        let gone = || Error::NoFile(file.path.clone());
        let blob = file.blob.ok_or_else(gone)?;
        if let Some(bytes) = self.remembered().content(blob) {
            return Ok(Content::Small(bytes));
        }
        match self.blobs().read_small(blob, SMALL).await {
            Ok((_, Some(bytes))) => {
                self.remembered().put_content(blob, &bytes);
                Ok(Content::Small(bytes))
            }
            Ok((blob, None)) => Ok(Content::Stored(blob)),
            Err(storage::Error::NoBlob) => Err(gone()),
            Err(error) => Err(error.into()),
        }
    }

    /// The file at this path with its content. Where it is overwritten between the one
    /// look and the other, it is looked at once more; and where that happens again and
    /// again, at last with nobody else's turn to change it: what is always there is found.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub async fn file_and_content(
        &self,
        bucket: &Bucket,
        path: &FilePath,
    ) -> Result<(Arc<File>, Content)> {
        if let Some(known) = self.remembered().get(bucket.id, path.as_str()) {
            let content = Content::Small(known.content.clone());
            return Ok((Arc::clone(&known.file), content));
        }
        // What is remembered should not have to make room for the search.
        Box::pin(self.find_file_and_content(bucket, path)).await
    }

    async fn find_file_and_content(
        &self,
        bucket: &Bucket,
        path: &FilePath,
    ) -> Result<(Arc<File>, Content)> {
        for look in LOOKS {
            let since = self.remembered().now(bucket.id, path.as_str());
            let file = match look {
                Look::Usual => self.file(bucket, path).await?,
                Look::Database => self.file_by_database(bucket, path).await?,
            };
            if let Some(found) = self.with_content(file, since).await? {
                return Ok(found);
            }
        }
        self.held_file_and_content(bucket, path).await
    }

    /// A file with its content; nothing where that is gone by now.
    async fn with_content(&self, file: File, since: Since) -> Result<Option<(Arc<File>, Content)>> {
        let content = match self.content(&file).await {
            Err(Error::NoFile(_)) => return Ok(None),
            content => content?,
        };
        let file = Arc::new(file);
        // A store is changed by others, too.
        if let Content::Small(bytes) = &content
            && file.object.is_none()
        {
            self.remembered().put(&file, bytes, since);
        }
        Ok(Some((file, content)))
    }

    /// The same while nobody else may change it.
    pub(crate) async fn held_file_and_content(
        &self,
        bucket: &Bucket,
        path: &FilePath,
    ) -> Result<(Arc<File>, Content)> {
        if let Some(held) = self.hold(bucket, &[path]).await? {
            let (file, content) = self.content_of_held(&held, bucket, path).await?;
            return Ok((Arc::new(file), content.into()));
        }
        // Bytes go after the change that displaces them, which has to wait for this.
        let mut tx = self.db().begin().await?;
        sql::file::lock(&mut tx, &[(bucket.id, path.as_str())]).await?;
        let file = sql::file::current_in(&mut tx, bucket.id, path.as_str()).await?;
        let file = file.ok_or_else(|| Error::NoFile(path.clone()))?;
        let content = self.content(&file).await?;
        Ok((Arc::new(file), content))
    }
}

/// How a file and its content are looked at.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// As what is asked for often is.
    Usual,
    /// Past all that is remembered.
    Database,
}

/// How often one looks without a turn, so that writers seldom wait for readers. That it is
/// so often in vain takes somebody who writes as fast as others look.
const LOOKS: [Look; 4] = [Look::Usual, Look::Database, Look::Database, Look::Database];

#[cfg(test)]
impl Files {
    /// A file of which nothing is known but where it is.
    pub(crate) fn file_for_test(bucket: BucketId, path: &str) -> File {
        File {
            id: FileId::new(),
            path: path.parse().expect("a path"),
            size: 0,
            media_type: String::new(),
            sniffed_type: String::new(),
            sha256: None,
            etag: String::new(),
            created_at: Timestamp::from_micros(0),
            modified_at: Timestamp::from_micros(0),
            uploader: String::new(),
            metadata: Metadata::new(),
            tags: TagSet::new(),
            headers: Headers::default(),
            taken_at: None,
            latitude: None,
            longitude: None,
            width: None,
            height: None,
            bucket,
            account: None,
            blob: None,
            object: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_kept_as_it_can_stand_in_a_header() {
        for (text, kept) in [
            ("image/png", Some("image/png")),
            (
                " text/plain; charset=utf-8 ",
                Some("text/plain; charset=utf-8"),
            ),
            ("application/vnd.x+json", Some("application/vnd.x+json")),
            ("", None),
            ("image", None),
            ("/png", None),
            ("image/", None),
            ("image/p ng", None),
            ("text/plain; a=\u{7}", None),
            ("text/plain\r\nX: y", None),
        ] {
            assert_eq!(media_type(text).as_deref(), kept, "{text:?}");
        }
    }

    #[test]
    fn metadata_is_bounded() {
        let mut metadata = Metadata::new();
        assert_eq!(metadata_text(&metadata).expect("short"), "");
        metadata.insert("a".to_owned(), "x".repeat(8000).into());
        assert!(metadata_text(&metadata).is_ok());
        metadata.insert("b".to_owned(), "x".repeat(200).into());
        assert!(matches!(metadata_text(&metadata), Err(Error::Metadata)));
        let nul = Metadata::from_iter([("a".to_owned(), "\0".into())]);
        assert!(matches!(metadata_text(&nul), Err(Error::Metadata)));
    }
}
