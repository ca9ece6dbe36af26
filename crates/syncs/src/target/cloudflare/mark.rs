//! What is kept beside a file at Cloudflare, and how our own is recognised there.
//!
//! Three values tell whose it is and what it is of: a digest of the sync and the file's
//! key, the size, and what the source said of the content. They are what a later attempt
//! compares; everything else beside a file is for people, and gives way where there is no
//! room.

use crate::target::Item;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The names of the three values.
const OF: &str = "longshore_of";
const SIZE: &str = "longshore_size";
const CONTENT: &str = "longshore_content";

/// The most that Images keeps beside an image, in bytes of JSON.
const MOST_BESIDE_AN_IMAGE: usize = 1024;
/// The most that is kept beside a video, in bytes of one header.
const MOST_BESIDE_A_VIDEO: usize = 8 * 1024;
/// Longer words of a source for a content are kept as their digest.
const MOST_CONTENT: usize = 100;

/// Whose a file is, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The digest of sync and key.
    pub(super) of: String,
    size: u64,
    content: Option<String>,
}

/// What something at Cloudflare is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinship {
    /// Of this sync and file, with this content.
    Same,
    /// Of this sync and file, with another content.
    Older,
    /// Made by a sync of some Longshore for another file, or by another sync, but with the
    /// same content.
    Alike,
    /// Nothing says what it is.
    Unknown,
    /// Something else.
    Other,
}

impl Kinship {
    /// Whether it was made by this sync of this file.
    pub(super) const fn is_ours(self) -> bool {
        matches!(self, Self::Same | Self::Older)
    }
}

impl Mark {
    /// The mark of a file under the sync `owner`.
    pub(super) fn new(owner: &str, item: &Item) -> Self {
        let of = digest(&[owner.as_bytes(), b"\0", item.key.as_bytes()]);
        let content = item.content.as_deref().map(|content| {
            let plain = content.len() <= MOST_CONTENT && content.is_ascii();
            if plain {
                content.to_owned()
            } else {
                digest(&[content.as_bytes()])
            }
        });
        Self {
            of,
            size: item.size,
            content,
        }
    }

    /// The same in one text, to be recorded.
    pub(super) fn text(&self) -> String {
        let content = self.content.as_deref().unwrap_or_default();
        format!("{}:{}:{content}", self.of, self.size)
    }

    /// What [`text`](Self::text) has written.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (of, rest) = text.split_once(':')?;
        let (size, content) = rest.split_once(':')?;
        Some(Self {
            of: of.to_owned(),
            size: size.parse().ok()?,
            content: (!content.is_empty()).then(|| content.to_owned()),
        })
    }

    /// What the `beside` of something there says of it.
    pub(super) fn kinship(&self, beside: &Value) -> Kinship {
        let text = |name: &str| match beside.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let Some(of) = text(OF) else {
            return Kinship::Unknown;
        };
        let same = text(SIZE) == Some(self.size.to_string()) && text(CONTENT) == self.content;
        match (of == self.of, same) {
            (true, true) => Kinship::Same,
            (true, false) => Kinship::Older,
            // A size alone proves nothing.
            (false, true) if self.content.is_some() => Kinship::Alike,
            (false, _) => Kinship::Other,
        }
    }

    fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries = vec![(OF, self.of.clone()), (SIZE, self.size.to_string())];
        if let Some(content) = &self.content {
            entries.push((CONTENT, content.clone()));
        }
        entries
    }

    /// The filter by which the list of images finds what is of this file.
    pub(super) fn filter(&self) -> (String, &str) {
        (format!("meta.{OF}[eq]"), &self.of)
    }

    /// What is kept beside an image, as JSON; and the names of what had no room.
    pub(super) fn beside_an_image(&self, item: &Item) -> (String, Vec<String>) {
        let mut all = Map::new();
        for (name, value) in self.entries() {
            all.insert(name.to_owned(), Value::String(value));
        }
        let mut left_out = Vec::new();
        for (name, value) in described(item) {
            all.insert(name.clone(), value.clone());
            if length(&all) > MOST_BESIDE_AN_IMAGE {
                all.remove(name);
                left_out.push(name.clone());
            }
        }
        (Value::Object(all).to_string(), left_out)
    }

    /// What is kept beside a video, as the value of `Upload-Metadata`, after `first`; and
    /// the names of what had no room or cannot be one there.
    pub(super) fn beside_a_video(
        &self,
        item: &Item,
        first: &[(&str, String)],
    ) -> (String, Vec<String>) {
        let mut pairs: Vec<String> = first
            .iter()
            .map(|(name, value)| pair(name, value))
            .collect();
        for (name, value) in self.entries() {
            pairs.push(pair(name, &value));
        }
        let mut room =
            MOST_BESIDE_A_VIDEO.saturating_sub(pairs.iter().map(|pair| pair.len() + 1).sum());
        let mut left_out = Vec::new();
        for (name, value) in described(item) {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let pair = pair(name, &value);
            let taken = first
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name));
            if taken || is_of_streams_own(name) || !is_name(name) || pair.len() + 1 > room {
                left_out.push(name.clone());
            } else {
                room -= pair.len() + 1;
                pairs.push(pair);
            }
        }
        (pairs.join(","), left_out)
    }
}

/// What people said of a file, without what is nothing and without our own names.
fn described(item: &Item) -> impl Iterator<Item = (&String, &Value)> {
    let all = item.metadata.iter();
    all.filter(|(name, value)| !value.is_null() && !name.starts_with("longshore_"))
}

fn length(all: &Map<String, Value>) -> usize {
    // Without a copy of it all, this is what it will be.
    serde_json::to_string(all).map_or(usize::MAX, |text| text.len())
}

fn pair(name: &str, value: &str) -> String {
    format!("{name} {}", BASE64.encode(value.as_bytes()))
}

/// Whether a name may stand in `Upload-Metadata`.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// Names by which Stream is told what to do: a column of somebody's table must not.
fn is_of_streams_own(name: &str) -> bool {
    const OWN: [&str; 8] = [
        "name",
        "requiresignedurls",
        "allowedorigins",
        "thumbnailtimestamppct",
        "watermark",
        "scheduleddeletion",
        "maxdurationseconds",
        "expiry",
    ];
    OWN.contains(&name.to_ascii_lowercase().as_str())
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn item(content: Option<&str>, metadata: &[(&str, Value)]) -> Item {
        Item {
            key: "7".to_owned(),
            name: "a.png".to_owned(),
            media_type: "image/png".to_owned(),
            size: 12,
            content: content.map(str::to_owned),
            md5: None,
            metadata: metadata
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        }
    }

    #[test]
    fn our_own_is_told_from_what_is_not() {
        let file = item(Some("etag"), &[]);
        let mark = Mark::new("sync", &file);
        let (beside, _) = mark.beside_an_image(&file);
        let beside: Value = serde_json::from_str(&beside).unwrap();
        assert_eq!(mark.kinship(&beside), Kinship::Same);
        let changed = Mark::new("sync", &item(Some("other"), &[]));
        assert_eq!(changed.kinship(&beside), Kinship::Older);
        let elsewhere = Mark::new("another", &file);
        assert_eq!(elsewhere.kinship(&beside), Kinship::Alike);
        let neither = Mark::new("another", &item(Some("other"), &[]));
        assert_eq!(neither.kinship(&beside), Kinship::Other);
        assert_eq!(mark.kinship(&json!({"a": 1})), Kinship::Unknown);
        assert_eq!(mark.kinship(&Value::Null), Kinship::Unknown);
        assert_eq!(Mark::read(&mark.text()), Some(mark));
        // Of two syncs, a size alone says nothing.
        let sized = Mark::new("sync", &item(None, &[]));
        assert_eq!(Mark::read(&sized.text()), Some(sized.clone()));
        let (beside, _) = sized.beside_an_image(&item(None, &[]));
        let beside: Value = serde_json::from_str(&beside).unwrap();
        assert_eq!(sized.kinship(&beside), Kinship::Same);
        let other = Mark::new("another", &item(None, &[]));
        assert_eq!(other.kinship(&beside), Kinship::Other);
    }

    #[test]
    fn what_people_say_gives_way_where_there_is_no_room() {
        let long = json!("x".repeat(900));
        let file = item(
            None,
            &[
                ("a", long),
                ("b", json!("ß".repeat(40))),
                ("createdAt", json!("2024-05-01")),
                ("gone", Value::Null),
                ("longshore_of", json!("somebody")),
                ("z", json!("y".repeat(90))),
            ],
        );
        let mark = Mark::new("sync", &file);
        let (beside, left_out) = mark.beside_an_image(&file);
        assert!(beside.len() <= MOST_BESIDE_AN_IMAGE);
        assert_eq!(left_out, ["b", "z"]);
        let beside: Value = serde_json::from_str(&beside).unwrap();
        assert_eq!(beside["createdAt"], "2024-05-01");
        assert_eq!(mark.kinship(&beside), Kinship::Same);
    }

    #[test]
    fn a_column_cannot_tell_stream_what_to_do() {
        let file = item(
            Some("e"),
            &[
                ("createdAt", json!("2024")),
                ("expiry", json!("2020")),
                ("gpsLatitude", json!(47.5)),
                ("two words", json!(1)),
                ("requireSignedURLs", json!(false)),
            ],
        );
        let mark = Mark::new("sync", &file);
        let first = [("name", "7".to_owned())];
        let (header, left_out) = mark.beside_a_video(&file, &first);
        assert!(header.starts_with("name Nw==,longshore_of "), "{header}");
        assert!(
            header.contains(",createdAt MjAyNA==,gpsLatitude NDcuNQ=="),
            "{header}"
        );
        assert_eq!(left_out, ["expiry", "requireSignedURLs", "two words"]);
    }
}
