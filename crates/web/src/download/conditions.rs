//! Whether a conditional request goes ahead (RFC 9110 §13).

use base::Timestamp;
use http::HeaderMap;
use http::header::{
    HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
};
use std::time::UNIX_EPOCH;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

pub(super) struct Conditions<'a> {
    pub(super) headers: &'a HeaderMap,
    /// With its quotes. Always strong.
    pub(super) etag: Option<&'a str>,
    pub(super) modified: Option<Timestamp>,
}

impl Conditions<'_> {
    /// In the order of RFC 9110 §13.2.2, for GET and HEAD.
    pub(super) fn verdict(&self) -> Verdict {
        if let Some(tags) = self.text(IF_MATCH) {
            let strong = |tag: &str| !tag.starts_with("W/");
            if !self.matches(&tags, strong) {
                return Verdict::Failed;
            }
        } else if let Some(date) = self.date(IF_UNMODIFIED_SINCE)
            && self.seconds().is_some_and(|modified| modified > date)
        {
            return Verdict::Failed;
        }
        if let Some(tags) = self.text(IF_NONE_MATCH) {
            if self.matches(&tags, |_| true) {
                return Verdict::NotModified;
            }
        } else if let Some(date) = self.date(IF_MODIFIED_SINCE)
            && self.seconds().is_some_and(|modified| modified <= date)
        {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// Whether a `Range` counts: always without `If-Range`, and with it only when
    /// the client's part is certainly of the same bytes (§13.1.5).
    pub(super) fn range_applies(&self) -> bool {
        let Some(validator) = self.text(IF_RANGE) else {
            return !self.headers.contains_key(IF_RANGE);
        };
        let validator = validator.trim();
        if validator.starts_with('"') {
            return self.etag == Some(validator);
        }
        // A date must be the very one (§13.1.5): a later one proves nothing about a part.
        self.date(IF_RANGE).is_some() && self.date(IF_RANGE) == self.seconds()
    }

    fn matches(&self, tags: &str, counts: impl Fn(&str) -> bool) -> bool {
        if tags.trim() == "*" {
            return true;
        }
        let Some(own) = self.etag else {
            return false;
        };
        tags.split(',')
            .map(str::trim)
            .any(|tag| counts(tag) && tag.strip_prefix("W/").unwrap_or(tag) == own)
    }

    /// All values of a header as one list.
    fn text(&self, name: HeaderName) -> Option<String> {
        let values: Option<Vec<&str>> = self
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().ok())
            .collect();
        values
            .filter(|values| !values.is_empty())
            .map(|values| values.join(","))
    }

    fn date(&self, name: HeaderName) -> Option<i64> {
        let time = httpdate::parse_http_date(self.headers.get(name)?.to_str().ok()?).ok()?;
        i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
    }

    fn seconds(&self) -> Option<i64> {
        self.modified.map(Timestamp::seconds)
    }
}
