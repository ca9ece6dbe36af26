//! The checksums that clients send with a content (boto3 and the AWS command line do by
//! default): computed while it passes, compared at its end.

use super::error::Fault;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use s3s::dto::Checksum;
use s3s::{TrailingHeaders, s3_error};

/// The checksums of one content.
pub(super) struct Sums {
    hasher: ChecksumHasher,
    said: Checksum,
    /// What the client announced to send behind the content.
    behind: Vec<String>,
}

/// One of the kinds of checksum that there are.
struct Kind {
    header: &'static str,
    begin: fn(&mut ChecksumHasher),
    slot: fn(&mut Checksum) -> &mut Option<String>,
}

const KINDS: [Kind; 5] = [
    Kind {
        header: "x-amz-checksum-crc32",
        begin: |hasher| hasher.crc32 = Some(s3s::crypto::Crc32::new()),
        slot: |sums| &mut sums.checksum_crc32,
    },
    Kind {
        header: "x-amz-checksum-crc32c",
        begin: |hasher| hasher.crc32c = Some(s3s::crypto::Crc32c::new()),
        slot: |sums| &mut sums.checksum_crc32c,
    },
    Kind {
        header: "x-amz-checksum-crc64nvme",
        begin: |hasher| hasher.crc64nvme = Some(s3s::crypto::Crc64Nvme::new()),
        slot: |sums| &mut sums.checksum_crc64nvme,
    },
    Kind {
        header: "x-amz-checksum-sha1",
        begin: |hasher| hasher.sha1 = Some(s3s::crypto::Sha1::new()),
        slot: |sums| &mut sums.checksum_sha1,
    },
    Kind {
        header: "x-amz-checksum-sha256",
        begin: |hasher| hasher.sha256 = Some(s3s::crypto::Sha256::new()),
        slot: |sums| &mut sums.checksum_sha256,
    },
];

impl Sums {
    /// What the headers of a request say.
    pub(super) fn said_in(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            let value = headers.get(name)?;
            Some(value.to_str().ok()?.trim().to_owned())
        };
        let behind = text("x-amz-trailer").unwrap_or_default();
        let behind: Vec<String> = behind
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| KINDS.iter().any(|kind| kind.header == name))
            .collect();
        let mut hasher = ChecksumHasher::default();
        let mut said = Checksum::default();
        for kind in &KINDS {
            let value = text(kind.header);
            if value.is_some() || behind.iter().any(|name| name == kind.header) {
                (kind.begin)(&mut hasher);
            }
            *(kind.slot)(&mut said) = value;
        }
        Self {
            hasher,
            said,
            behind,
        }
    }

    /// Those of a whole that was sent in parts: a checksum of checksums says nothing
    /// about it that the parts have not proved.
    pub(super) fn of_whole(headers: &HeaderMap) -> Self {
        let mut sums = Self::said_in(headers);
        for kind in &KINDS {
            let slot = (kind.slot)(&mut sums.said);
            if slot.as_deref().is_some_and(|value| value.contains('-')) {
                *slot = None;
            }
        }
        sums.behind.clear();
        sums
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The checksums that were asked for, if the content has those that were said.
    pub(super) fn compare(mut self, trailers: Option<&TrailingHeaders>) -> Fault<Checksum> {
        let trailers = trailers.and_then(TrailingHeaders::take).unwrap_or_default();
        let mut found = self.hasher.finalize();
        for kind in &KINDS {
            let said = (kind.slot)(&mut self.said);
            if self.behind.iter().any(|name| name == kind.header) {
                let value = trailers
                    .get(kind.header)
                    .and_then(|value| value.to_str().ok());
                let value = value.ok_or_else(|| {
                    s3_error!(
                        InvalidRequest,
                        "The trailer {} was announced and did not come.",
                        kind.header
                    )
                })?;
                *said = Some(value.trim().to_owned());
            }
            let found = (kind.slot)(&mut found);
            if said.is_some() && said != found {
                return Err(s3_error!(
                    BadDigest,
                    "The content has another {} than announced; send it again.",
                    kind.header
                ));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            http::HeaderName::from_static(name),
            http::HeaderValue::from_static(value),
        )])
    }

    #[test]
    fn a_checksum_is_compared_with_the_content() {
        // CRC-32 of "123456789" is cbf43926.
        for (value, right) in [("y/Q5Jg==", true), ("AAAAAA==", false)] {
            let mut sums = Sums::said_in(&headers("x-amz-checksum-crc32", value));
            sums.update(b"12345");
            sums.update(b"6789");
            let compared = sums.compare(None);
            assert_eq!(compared.is_ok(), right, "{value}");
        }
    }

    #[test]
    fn an_announced_trailer_must_come() {
        let sums = Sums::said_in(&headers("x-amz-trailer", "x-amz-checksum-crc32"));
        let refused = sums.compare(None).map(drop).expect_err("refused");
        assert_eq!(refused.code().as_str(), "InvalidRequest");
    }

    #[test]
    fn a_checksum_of_checksums_is_left_alone() {
        let sums = Sums::of_whole(&headers("x-amz-checksum-crc32", "AAAAAA==-2"));
        assert!(sums.compare(None).is_ok());
    }
}
