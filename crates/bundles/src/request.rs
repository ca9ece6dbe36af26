//! Requests, read within bounds: what is too much is counted and not kept, so that a
//! body of so many megabytes never becomes many times as much.

use crate::bundle::{NewBundle, Options};
use crate::source::{DetailedSource, GivenHeaders, HeaderText, SourceRequest};
use crate::stored::StoredRequest;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::collections::BTreeMap;
use std::fmt;

/// Headers of one source.
const MOST_HEADERS: usize = 100;

/// Reads sources: at most one more than `most`, which says that there are too many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourcesWithin {
    pub(crate) most: usize,
}

impl<'de> DeserializeSeed<'de> for SourcesWithin {
    type Value = Vec<SourceRequest>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for SourcesWithin {
    type Value = Vec<SourceRequest>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of addresses")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut sources = Vec::new();
        while sources.len() <= self.most {
            match items.next_element()? {
                Some(source) => sources.push(source),
                None => return Ok(sources),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(sources)
    }
}

impl<'de> Deserialize<'de> for SourceRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        impl<'de> Visitor<'de> for Source {
            type Value = SourceRequest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or an object with one")
            }

            fn visit_str<E: Error>(self, url: &str) -> Result<Self::Value, E> {
                Ok(SourceRequest::Url(url.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                GivenSource::deserialize(MapAccessDeserializer::new(fields))?.request()
            }
        }

        deserializer.deserialize_any(Source)
    }
}

/// The fields of a URL and those of stored files, of which one kind may be given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenSource {
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: GivenHeaders,
    bucket: Option<String>,
    prefix: Option<String>,
    #[serde(rename = "as")]
    name: Option<String>,
}

impl GivenSource {
    fn request<E: Error>(self) -> Result<SourceRequest, E> {
        let Some(bucket) = self.bucket else {
            if self.prefix.is_some() || self.name.is_some() {
                return Err(E::missing_field("bucket"));
            }
            return Ok(SourceRequest::Detailed(DetailedSource {
                url: self.url.ok_or_else(|| E::missing_field("url"))?,
                path: self.path,
                headers: self.headers,
            }));
        };
        if self.url.is_some() || !self.headers.are_none() {
            return Err(E::custom(
                "a source is a `url` or in a `bucket`, and not both",
            ));
        }
        if self.path.is_some() == self.prefix.is_some() {
            return Err(E::custom("a stored source has a `path` or a `prefix`"));
        }
        Ok(SourceRequest::Stored(StoredRequest {
            bucket,
            path: self.path,
            prefix: self.prefix,
            name: self.name,
        }))
    }
}

/// Reads the headers of one source.
pub(crate) fn bounded_headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, HeaderText>, D::Error> {
    struct Headers;

    impl<'de> Visitor<'de> for Headers {
        type Value = BTreeMap<String, HeaderText>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of headers")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
            let mut headers = BTreeMap::new();
            while let Some((name, value)) = fields.next_entry()? {
                if headers.len() == MOST_HEADERS {
                    return Err(A::Error::custom(format_args!(
                        "a source takes at most {MOST_HEADERS} headers"
                    )));
                }
                headers.insert(name, value);
            }
            Ok(headers)
        }
    }

    deserializer.deserialize_map(Headers)
}

/// Reads a request for a bundle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewBundleWithin(pub(crate) SourcesWithin);

impl<'de> DeserializeSeed<'de> for NewBundleWithin {
    type Value = NewBundle;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Name,
    Sources,
    Options,
}

impl<'de> Visitor<'de> for NewBundleWithin {
    type Value = NewBundle;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request for a bundle")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<NewBundle, A::Error> {
        let (mut name, mut sources, mut options) = (None, None, None);
        while let Some(field) = fields.next_key()? {
            match field {
                Field::Name => once(&mut name, "name", fields.next_value::<Option<String>>()?)?,
                Field::Sources => once(&mut sources, "sources", fields.next_value_seed(self.0)?)?,
                Field::Options => once(&mut options, "options", fields.next_value::<Options>()?)?,
            }
        }
        Ok(NewBundle {
            name: name.flatten(),
            sources: sources.ok_or_else(|| de::Error::missing_field("sources"))?,
            options: options.unwrap_or_default(),
        })
    }
}

fn once<T, E: Error>(place: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    match place.replace(value) {
        Some(_) => Err(E::duplicate_field(name)),
        None => Ok(()),
    }
}

/// What a message of the protocol of 2020 asks for.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) sources: Vec<SourceRequest>,
    /// Whether it is made also when the socket closes.
    pub(crate) keep: bool,
    /// How long its text was.
    pub(crate) bytes: usize,
}

impl Order {
    /// Nothing where the text is neither an array of addresses nor an object with one.
    pub(crate) fn of(text: &str, within: SourcesWithin) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let (sources, keep) = match text.trim_ascii_start().as_bytes().first()? {
            b'[' => (within.deserialize(&mut reader).ok()?, false),
            b'{' => reader.deserialize_map(OrderWithin(within)).ok()?,
            _ => return None,
        };
        reader.end().ok()?;
        Some(Self {
            sources,
            keep,
            bytes: text.len(),
        })
    }
}

struct OrderWithin(SourcesWithin);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum OrderField {
    Urls,
    Keep,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for OrderWithin {
    type Value = (Vec<SourceRequest>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with addresses")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut urls, mut keep) = (None, None);
        while let Some(field) = fields.next_key()? {
            match field {
                OrderField::Urls => once(&mut urls, "urls", fields.next_value_seed(self.0)?)?,
                OrderField::Keep => once(&mut keep, "keep", fields.next_value()?)?,
                OrderField::Other => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        let urls = urls.ok_or_else(|| de::Error::missing_field("urls"))?;
        Ok((urls, keep.unwrap_or(false)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: SourcesWithin = SourcesWithin { most: 3 };

    fn order(text: &str) -> Option<Order> {
        Order::of(text, WITHIN)
    }

    #[test]
    fn only_arrays_of_addresses_and_their_object_are_orders() {
        assert!(order(r#" ["http://a/x", {"url": "http://a/y", "path": "y"}]"#).is_some());
        assert!(order("[]").is_some());
        assert!(order(r#"{"urls": ["http://a/x"], "keep": true}"#).is_some_and(|it| it.keep));
        let unsure = r#"{"urls": ["http://a/x"], "colour": ["red"]}"#;
        assert!(order(unsure).is_some_and(|it| !it.keep));
        for echoed in ["hello", "", "{}", "[1]", "\"http://a/x\"", "[\"a\"", "[] x"] {
            assert!(order(echoed).is_none(), "{echoed}");
        }
    }

    #[test]
    fn of_too_many_sources_one_more_than_may_be_is_kept() {
        let text = serde_json::json!(vec![""; 1000]).to_string();
        assert_eq!(order(&text).map(|order| order.sources.len()), Some(4));
        let object = format!("{{\"sources\": {text}}}");
        let mut reader = serde_json::Deserializer::from_str(&object);
        let new = NewBundleWithin(WITHIN).deserialize(&mut reader);
        assert_eq!(new.expect("it is read").sources.len(), 4);
    }

    #[test]
    fn a_request_is_read_as_its_fields_say() {
        let read = |text: &str| {
            let mut reader = serde_json::Deserializer::from_str(text);
            NewBundleWithin(WITHIN)
                .deserialize(&mut reader)
                .map_err(|error| error.to_string())
        };
        let full = r#"{"name":"a","options":{"strict":true},"sources":["x"]}"#;
        let new = read(full).expect("read");
        assert!(new.options.strict && new.options.keep && new.name.as_deref() == Some("a"));
        for (text, why) in [
            ("{}", "missing field `sources`"),
            (r#"{"sources":[],"sources":[]}"#, "duplicate field"),
            (r#"{"sources":[],"colour":1}"#, "unknown field `colour`"),
            (r#"{"sources":[{"url":"x","b":1}]}"#, "unknown field `b`"),
            (r#"{"sources":[{"path":"x"}]}"#, "missing field `url`"),
            (r#"{"sources":[{"prefix":"x"}]}"#, "missing field `bucket`"),
            (
                r#"{"sources":[{"bucket":"files"}]}"#,
                "a `path` or a `prefix`",
            ),
            (
                r#"{"sources":[{"bucket":"files","path":"a","prefix":"a"}]}"#,
                "a `path` or a `prefix`",
            ),
            (
                r#"{"sources":[{"bucket":"files","path":"a","url":"x"}]}"#,
                "not both",
            ),
            (r#"{"sources":[7]}"#, "an address"),
            ("[]", "a request for a bundle"),
        ] {
            let error = read(text).map(drop).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_source_has_not_more_headers_than_may_be() {
        let with = |count: usize| {
            let headers: BTreeMap<String, &str> =
                (0..count).map(|number| (number.to_string(), "v")).collect();
            serde_json::from_value::<SourceRequest>(serde_json::json!({
                "url": "http://a/", "headers": headers
            }))
        };
        assert!(with(MOST_HEADERS).is_ok());
        assert!(with(MOST_HEADERS + 1).is_err());
    }
}
