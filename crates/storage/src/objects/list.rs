//! Listing a store, a page at a time, by the last key that was seen.

use super::answer::{judged, unquoted};
use super::{Ask, ObjectError, ObjectStore, Result, document, xml};
use base::Timestamp;
use http::Method;

/// The most objects that a store tells of at once.
const MOST: usize = 1000;

/// An object, as a list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSummary {
    /// Its key, without the store's prefix.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag without quotes; nothing where the store lists none.
    pub etag: String,
    /// When it was put.
    pub last_modified: Timestamp,
}

/// A page of a list.
#[derive(Clone, Debug, Default)]
pub struct ObjectPage {
    /// Objects in the order of their keys' bytes.
    pub objects: Vec<ObjectSummary>,
    /// After which key the next page begins; nothing at the end.
    pub next: Option<String>,
}

impl ObjectStore {
    /// At most `limit` objects whose keys begin with `prefix`, after the key `after`.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ObjectPage> {
        let mut query = vec![
            ("encoding-type", "url".to_owned()),
            ("list-type", "2".to_owned()),
            ("max-keys", limit.clamp(1, MOST).to_string()),
            ("prefix", self.full_key(prefix)),
        ];
        if let Some(after) = after {
            query.push(("start-after", self.full_key(after)));
        }
        let ask = Ask {
            method: Method::GET,
            query,
            ..Ask::default()
        };
        let response = judged(self.send(&self.0.reads, ask).await?).await?;
        let text = document(response).await?;
        let (listed, encoded, more) = xml::objects_in(&text);
        let mut page = ObjectPage::default();
        for listed in listed {
            let key = if encoded {
                decoded(&listed.key)?
            } else {
                listed.key
            };
            let key = key
                .strip_prefix(&*self.0.prefix)
                .ok_or(ObjectError::Answer("it lists what was not asked for"))?;
            page.next = Some(key.to_owned());
            page.objects.push(ObjectSummary {
                key: key.to_owned(),
                size: listed
                    .size
                    .parse()
                    .map_err(|_| ObjectError::Answer("it lists an object without its length"))?,
                etag: unquoted(&listed.etag),
                last_modified: time(&listed.last_modified)?,
            });
        }
        if !more {
            page.next = None;
        }
        Ok(page)
    }
}

/// A key as forms are encoded: a space is written `+`.
pub(super) fn decoded(key: &str) -> Result<String> {
    let key = key.replace('+', " ");
    let text = percent_encoding::percent_decode_str(&key).decode_utf8();
    let text = text.map_err(|_| ObjectError::Answer("it lists a key that is no text"))?;
    Ok(text.into_owned())
}

fn time(text: &str) -> Result<Timestamp> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|_| ObjectError::Answer("it lists an object without its time"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}
