//! What stores say of their objects, in the forms in which they say it.
//!
//! Only the key and the order of an event are taken from it: what lies at the key now is
//! asked of the store, which knows better than any message. So a key that is told in vain
//! costs a question and changes nothing.

use super::sequencer::Sequencer;
use super::sns::SubscribeUrl;
use crate::path::FilePath;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;

/// The longest body in bytes.
pub(crate) const MOST_BYTES: u64 = 1024 * 1024;
/// The most events of one body.
pub(crate) const MOST_EVENTS: usize = 1000;

/// What a body says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Something happened to these objects.
    Objects(Vec<Told>),
    /// A topic asks whether it may tell: an answer to this address says so.
    Confirm(SubscribeUrl),
    /// Nothing that concerns objects: a test, or a farewell.
    Nothing,
}

/// What is told of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The store's bucket, where it is named.
    pub(crate) bucket: Option<String>,
    /// Where.
    pub(crate) key: FilePath,
    /// When, among the events of the same key; nothing where it is not told.
    pub(crate) order: Option<Sequencer>,
}

/// Why a body tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEvent {
    /// It cannot be read.
    #[error("this is no event in JSON: {0}")]
    Unreadable(String),
    /// It is something else.
    #[error(
        "this is no event of S3; send what S3, SNS, EventBridge or MinIO send, with `Records`, `Type` or `detail-type`"
    )]
    Unknown,
    /// A confirmation that leads elsewhere.
    #[error("subscriptions are confirmed at https://sns.<region>.amazonaws.com alone")]
    Elsewhere,
}

impl Notice {
    /// Reads a body.
    ///
    /// # Errors
    /// [`NoEvent`] when it says nothing that is known.
    pub(crate) fn read(body: &[u8]) -> Result<Self, NoEvent> {
        let message: Message = parse(body)?;
        match message.envelope.as_deref() {
            None => message.notice(),
            Some("Notification") => {
                let text = message.message.ok_or(NoEvent::Unknown)?;
                parse::<Message>(text.as_bytes())?.notice()
            }
            Some("SubscriptionConfirmation") => {
                let address = message.subscribe.ok_or(NoEvent::Unknown)?;
                let address = SubscribeUrl::read(&address).ok_or(NoEvent::Elsewhere)?;
                Ok(Self::Confirm(address))
            }
            Some("UnsubscribeConfirmation") => Ok(Self::Nothing),
            Some(_) => Err(NoEvent::Unknown),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, NoEvent> {
    serde_json::from_slice(text).map_err(|error| {
        // Without what stands in the body.
        NoEvent::Unreadable(format!("line {}, column {}", error.line(), error.column()))
    })
}

/// Every form at once: they share no names.
#[derive(Debug, Deserialize)]
struct Message {
    /// Of SNS: what the envelope holds, where there is one.
    #[serde(rename = "Type")]
    envelope: Option<String>,
    #[serde(rename = "Message")]
    message: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe: Option<String>,
    #[serde(rename = "Records", default, deserialize_with = "bounded")]
    records: Option<Vec<Record>>,
    /// Of a test: `s3:TestEvent`.
    #[serde(rename = "Event")]
    test: Option<String>,
    /// Of EventBridge.
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    detail: Option<Subject>,
    /// Of MinIO, beside the records.
    #[serde(rename = "EventName")]
    name: Option<String>,
    #[serde(rename = "Key")]
    key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    name: String,
    #[serde(rename = "eventSource", default)]
    source: String,
    s3: Subject,
}

#[derive(Debug, Deserialize)]
struct Subject {
    bucket: Option<Named>,
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Object {
    key: String,
    sequencer: Option<String>,
}

impl Message {
    fn notice(self) -> Result<Notice, NoEvent> {
        if let Some(records) = self.records {
            return Ok(Notice::Objects(
                records.iter().flat_map(Record::told).collect(),
            ));
        }
        match (self.detail_type.as_deref(), self.detail) {
            (Some("Object Created" | "Object Deleted"), Some(detail)) => {
                let key = detail.object.key.clone();
                return Ok(Notice::Objects(detail.at(key).into_iter().collect()));
            }
            // Another of the events that a rule may let through.
            (Some(_), _) => return Ok(Notice::Nothing),
            (None, _) => {}
        }
        if let (Some(name), Some(place)) = (&self.name, &self.key) {
            return Ok(Notice::Objects(whole(name, place).into_iter().collect()));
        }
        match self.test.as_deref() {
            Some("s3:TestEvent") => Ok(Notice::Nothing),
            _ => Err(NoEvent::Unknown),
        }
    }
}

/// What MinIO says in short: the key follows the bucket, and is not encoded.
fn whole(name: &str, place: &str) -> Option<Told> {
    let (bucket, key) = place.split_once('/')?;
    concerns(name).then_some(())?;
    Some(Told {
        bucket: Some(bucket.to_owned()),
        key: key.parse().ok()?,
        order: None,
    })
}

/// Whether what lies at a key may have changed. What was only read must not be looked at:
/// some stores tell of the look, too, and there would be no end.
fn concerns(name: &str) -> bool {
    let name = name.strip_prefix("s3:").unwrap_or(name);
    let kind = name.split(':').next().unwrap_or_default();
    matches!(
        kind,
        "ObjectCreated" | "ObjectRemoved" | "LifecycleExpiration"
    )
}

impl Record {
    /// A path that no file has is left out: it was told of something that is not shown.
    fn told(&self) -> Vec<Told> {
        if !concerns(&self.name) {
            return Vec::new();
        }
        let key = &self.s3.object.key;
        let decoded = decode(key);
        let mut keys: Vec<String> = decoded.into_iter().collect();
        // These two encode as forms do. Of others nobody knows, so both are looked at.
        let encodes = matches!(self.source.as_str(), "aws:s3" | "minio:s3");
        if !encodes && keys.first() != Some(key) {
            keys.push(key.clone());
        }
        keys.into_iter().filter_map(|key| self.s3.at(key)).collect()
    }
}

impl Subject {
    fn at(&self, key: String) -> Option<Told> {
        let order = self.object.sequencer.as_deref();
        Some(Told {
            bucket: self.bucket.as_ref().and_then(|bucket| bucket.name.clone()),
            key: key.parse().ok()?,
            order: order.and_then(Sequencer::read),
        })
    }
}

/// A key as a form encodes it.
fn decode(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// A list that is given up as soon as it is too long.
fn bounded<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Record>>, D::Error> {
    struct Bounded;

    impl<'de> Visitor<'de> for Bounded {
        type Value = Vec<Record>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MOST_EVENTS} records")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut records = Vec::new();
            while records.len() < MOST_EVENTS {
                match list.next_element()? {
                    Some(record) => records.push(record),
                    None => return Ok(records),
                }
            }
            match list.next_element::<IgnoredAny>()? {
                None => Ok(records),
                Some(_) => Err(serde::de::Error::invalid_length(MOST_EVENTS + 1, &self)),
            }
        }
    }

    from.deserialize_seq(Bounded).map(Some)
}

#[cfg(test)]
mod tests;
