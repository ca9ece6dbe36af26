//! Objects in parts: how a store takes what is large.

use super::answer::{etag_in, judged, unquoted};
use super::list::decoded;
use super::{Ask, ObjectError, ObjectHeaders, ObjectStore, Result, document, xml};
use bytes::Bytes;
use http::Method;
use std::fmt::Write;
use std::time::Duration;

/// The most parts of an object.
pub const MOST_PARTS: u16 = 10_000;
/// How long a store may take for a part when it puts them together.
const A_PART: Duration = Duration::from_millis(250);

impl ObjectStore {
    /// Begins an object in parts; its id.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked.
    pub async fn create_multipart(&self, key: &str, headers: &ObjectHeaders) -> Result<String> {
        let full = self.full_key(key);
        let ask = Ask {
            method: Method::POST,
            key: &full,
            query: vec![("uploads", String::new())],
            headers: headers.pairs(),
            ..Ask::default()
        };
        let answer = self.answer(ask).await?;
        let id = xml::text_of(&answer, "UploadId")
            .filter(|id| !id.is_empty())
            .ok_or(ObjectError::Answer("it names no id of an upload in parts"))?;
        self.has_begun(key, &id).await;
        Ok(id)
    }

    /// Stores one part, from 1 to 10,000; its ETag.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked.
    pub async fn put_part(&self, key: &str, id: &str, number: u16, body: Bytes) -> Result<String> {
        let key = self.full_key(key);
        let ask = Ask {
            method: Method::PUT,
            key: &key,
            query: of_part(id, number),
            body,
            ..Ask::default()
        };
        let response = judged(self.send(&self.0.writes, ask).await?).await?;
        etag_in(response.headers()).ok_or(ObjectError::Answer("it names no ETag of a part"))
    }

    /// Puts an object together of its parts, each by its number and ETag; its ETag. Until
    /// then nobody sees it.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. It may be there then.
    pub async fn complete_multipart(
        &self,
        key: &str,
        id: &str,
        parts: &[(u16, String)],
    ) -> Result<String> {
        let key = self.full_key(key);
        let mut body = String::from("<CompleteMultipartUpload>");
        for (number, etag) in parts {
            let etag = quick_xml::escape::escape(etag.as_str());
            // Writing to a String does not fail.
            let _ = write!(
                body,
                "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"
            );
        }
        body.push_str("</CompleteMultipartUpload>");
        let ask = Ask {
            method: Method::POST,
            key: &key,
            query: vec![("uploadId", id.to_owned())],
            headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
            body: body.into(),
            patience: A_PART * u32::try_from(parts.len()).unwrap_or(u32::MAX),
            ..Ask::default()
        };
        let answer = self.answer(ask).await?;
        self.has_ended(id).await;
        xml::text_of(&answer, "ETag")
            .map(|etag| unquoted(&etag))
            .ok_or(ObjectError::Answer("it names no ETag"))
    }

    /// The ids of what was begun in parts at exactly this key and is not together.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked. Some stores list no such thing.
    pub async fn unfinished(&self, key: &str) -> Result<Vec<String>> {
        let key = self.full_key(key);
        let ask = Ask {
            method: Method::GET,
            query: vec![
                ("encoding-type", "url".to_owned()),
                ("prefix", key.clone()),
                ("uploads", String::new()),
            ],
            ..Ask::default()
        };
        let response = judged(self.send(&self.0.reads, ask).await?).await?;
        let (begun, encoded) = xml::uploads_in(&document(response).await?);
        let mut ids = Vec::new();
        for (of, id) in begun {
            let of = if encoded { decoded(&of)? } else { of };
            if of == key {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// Gives an object in parts up, with all that has come of it.
    ///
    /// # Errors
    /// What the store says, or why it cannot be asked.
    pub async fn abort_multipart(&self, key: &str, id: &str) -> Result<()> {
        let key = self.full_key(key);
        let ask = Ask {
            method: Method::DELETE,
            key: &key,
            query: vec![("uploadId", id.to_owned())],
            ..Ask::default()
        };
        match judged(self.send(&self.0.writes, ask).await?).await {
            Ok(_) | Err(ObjectError::NoObject | ObjectError::Refused { status: 404, .. }) => {
                self.has_ended(id).await;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

pub(super) fn of_part(id: &str, number: u16) -> Vec<(&'static str, String)> {
    vec![
        ("partNumber", number.to_string()),
        ("uploadId", id.to_owned()),
    ]
}
