//! Copies within a store: at once, or in parts what is larger than a store copies at once.

use super::answer::unquoted;
use super::multipart::{MOST_PARTS, of_part};
use super::{Ask, ObjectError, ObjectHead, ObjectStore, Result, xml};
use http::Method;
use std::ops::Range;
use std::time::Duration;

/// How many bytes a second a store copies at least.
const SLOWEST: u64 = 16 << 20;

/// How much longer than usual the answer to a copy of so many bytes may take.
const fn patience(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOWEST)
}

/// How much is copied at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portions {
    /// What is larger is copied in parts.
    pub(super) most: u64,
    /// The length of a part, but for the last one.
    pub(super) part: u64,
}

/// As S3 has it: at most 5 GiB, and 10,000 parts of 1 GiB are more than the largest object.
pub(super) const USUAL: Portions = Portions {
    most: 5 << 30,
    part: 1 << 30,
};

impl Portions {
    /// The parts of an object of this length, in their order.
    fn of(self, size: u64) -> impl Iterator<Item = Range<u64>> {
        let step = usize::try_from(self.part.max(1)).unwrap_or(usize::MAX);
        (0..size)
            .step_by(step)
            .map(move |at| at..size.min(at.saturating_add(self.part)))
    }
}

impl ObjectStore {
    /// Copies an object within the store without its bytes coming here; the ETag of the
    /// copy. With `if_match`, only if it is the one with this ETag, as far as the store
    /// looks at that.
    ///
    /// # Errors
    /// [`ObjectError::NoObject`], [`ObjectError::Changed`], or what the store says.
    pub async fn copy(&self, from: &str, to: &str, if_match: Option<&str>) -> Result<String> {
        let head = self.head(from).await?.ok_or(ObjectError::NoObject)?;
        if if_match.is_some_and(|etag| etag != head.etag) {
            return Err(ObjectError::Changed);
        }
        if head.size > self.0.portions.most {
            return self.copy_in_parts(from, to, &head).await;
        }
        let to = self.full_key(to);
        let ask = Ask {
            method: Method::PUT,
            key: &to,
            headers: self.copy_source(from, &head.etag),
            patience: patience(head.size),
            ..Ask::default()
        };
        let answer = self.answer(ask).await?;
        xml::text_of(&answer, "ETag")
            .map(|etag| unquoted(&etag))
            .ok_or(ObjectError::Answer("it names no ETag of the copy"))
    }

    async fn copy_in_parts(&self, from: &str, to: &str, head: &ObjectHead) -> Result<String> {
        let id = self.create_multipart(to, &head.headers).await?;
        match self.copy_parts(from, to, &id, head).await {
            Ok(etag) => Ok(etag),
            Err(error) => {
                if let Err(error) = self.abort_multipart(to, &id).await {
                    tracing::warn!(%error, "a copy in parts could not be given up");
                }
                Err(error)
            }
        }
    }

    async fn copy_parts(
        &self,
        from: &str,
        to: &str,
        id: &str,
        head: &ObjectHead,
    ) -> Result<String> {
        let key = self.full_key(to);
        let mut parts = Vec::new();
        for range in self.0.portions.of(head.size) {
            let number = u16::try_from(parts.len() + 1)
                .ok()
                .filter(|number| *number <= MOST_PARTS)
                .ok_or(ObjectError::Answer("it has an object larger than any"))?;
            let mut headers = self.copy_source(from, &head.etag);
            let text = format!("bytes={}-{}", range.start, range.end - 1);
            headers.push(("x-amz-copy-source-range".to_owned(), text));
            let ask = Ask {
                method: Method::PUT,
                key: &key,
                query: of_part(id, number),
                headers,
                patience: patience(range.end - range.start),
                ..Ask::default()
            };
            let answer = self.answer(ask).await?;
            let etag = xml::text_of(&answer, "ETag")
                .ok_or(ObjectError::Answer("it names no ETag of a part"))?;
            parts.push((number, unquoted(&etag)));
        }
        self.complete_multipart(to, id, &parts).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(portions: Portions, size: u64) -> Vec<Range<u64>> {
        portions.of(size).collect()
    }

    #[test]
    fn parts_of_a_copy_follow_each_other_and_are_all_of_it() {
        let small = Portions { most: 0, part: 5 };
        assert_eq!(plan(small, 12), [0..5, 5..10, 10..12]);
        assert_eq!(plan(small, 10), [0..5, 5..10]);
        assert_eq!(plan(small, 1).len(), 1);
        for size in [USUAL.most + 1, 5 << 40] {
            let parts = plan(USUAL, size);
            assert!(parts.len() <= usize::from(MOST_PARTS), "{size}");
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, size));
            for pair in parts.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                // Every part but the last has at least 5 MiB, and none more than 5 GiB.
                assert!((5 << 20..=5 << 30).contains(&(pair[0].end - pair[0].start)));
            }
        }
    }
}
