//! What an error of Cloudflare's means: for the file, for the sync, or for now only.

use crate::target::Trouble;
use http::StatusCode;
use std::time::Duration;

/// The file itself is refused: too large, not a picture, a format that is not taken.
const OF_THE_FILE: [i64; 5] = [5400, 5413, 5415, 5443, 5455];
/// The token, its rights, the account or what it pays for. The last ones are of the API as
/// a whole: no such account, and the several words for a token that is none.
const OF_THE_ACCOUNT: [i64; 10] = [5403, 5453, 6003, 6111, 7003, 9106, 9107, 9109, 10000, 10001];
/// Cloudflare's own trouble.
const OF_NOW: [i64; 10] = [5408, 5450, 5500, 5503, 5540, 5541, 5542, 5543, 5544, 5550];
/// An image with this id exists already.
const EXISTS: i64 = 5409;
/// No such thing.
const NOT_FOUND: [i64; 2] = [5404, 10003];

/// What Cloudflare said instead of doing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    /// Its codes, the outermost first.
    pub(super) codes: Vec<i64>,
    /// Its words, short.
    pub(super) message: String,
    /// How long it asks to wait.
    pub(super) after: Option<Duration>,
}

impl Said {
    fn has(&self, code: i64) -> bool {
        self.codes.contains(&code)
    }

    fn has_any(&self, codes: &[i64]) -> bool {
        self.codes.iter().any(|code| codes.contains(code))
    }

    /// Whether what was to be made is there already.
    pub(super) fn is_there_already(&self) -> bool {
        self.has(EXISTS)
    }

    /// Whether what was asked for is not there. An account that is not there is not meant.
    pub(super) fn is_gone(&self) -> bool {
        let gone = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        !self.has_any(&OF_THE_ACCOUNT) && (gone || self.has_any(&NOT_FOUND))
    }

    /// Whether it takes no more requests for now.
    pub(super) fn is_too_many(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// What it means for the delivery, as a sentence about `doing`.
    pub(super) fn trouble(&self, doing: &str) -> Trouble {
        let text = self.text(doing);
        if self.is_too_many() || self.has_any(&OF_NOW) {
            return self.later(text);
        }
        if self.has_any(&OF_THE_FILE) {
            return Trouble::Refused { reason: text };
        }
        if self.has_any(&OF_THE_ACCOUNT) {
            return self.of_the_account(&text);
        }
        match self.status.as_u16() {
            401 | 403 => self.of_the_account(&text),
            // A success without what was asked for comes from something in between.
            200..=299 | 408 | 500.. => self.later(text),
            // It answers from another address than the one that was set.
            300..=399 => Trouble::Everything {
                reason: format!("{text}; correct the address of Cloudflare's API"),
            },
            _ => Trouble::Refused { reason: text },
        }
    }

    fn later(&self, reason: String) -> Trouble {
        Trouble::Later {
            reason,
            after: self.after,
        }
    }

    fn of_the_account(&self, text: &str) -> Trouble {
        let remedy = if self.has(5453) || self.has(5403) {
            "look at what the account pays for, and at the token's rights"
        } else if self.has(7003) {
            "correct the account's id"
        } else {
            "give a token that may edit Cloudflare Images and Stream of this account"
        };
        Trouble::Everything {
            reason: format!("{text}; {remedy}"),
        }
    }

    /// What happened, in a sentence.
    pub(super) fn text(&self, doing: &str) -> String {
        let status = self.status.as_u16();
        let code = match self.codes.first() {
            Some(code) => format!("{status}, code {code}"),
            None => status.to_string(),
        };
        format!("Cloudflare refused {doing} ({code}): {}", self.message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn meaning(status: u16, codes: &[i64]) -> &'static str {
        let said = Said {
            status: StatusCode::from_u16(status).unwrap(),
            codes: codes.to_vec(),
            message: "so".to_owned(),
            after: None,
        };
        match said.trouble("the picture") {
            Trouble::Later { .. } => "later",
            Trouble::Paused { .. } => "paused",
            Trouble::Refused { .. } => "refused",
            Trouble::Everything { .. } => "everything",
        }
    }

    #[test]
    fn every_error_that_is_known_has_its_meaning() {
        for code in OF_THE_FILE {
            assert_eq!(meaning(400, &[code]), "refused", "{code}");
            assert_eq!(meaning(415, &[code]), "refused", "{code}");
        }
        for code in OF_NOW {
            assert_eq!(meaning(400, &[code]), "later", "{code}");
            assert_eq!(meaning(500, &[code]), "later", "{code}");
        }
        for (status, code) in [
            (403, 5403),
            (403, 5453),
            (400, 6003),
            (404, 7003),
            (403, 9109),
        ] {
            assert_eq!(meaning(status, &[code]), "everything", "{code}");
        }
        for status in [
            408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530, 200,
        ] {
            assert_eq!(meaning(status, &[]), "later", "{status}");
        }
        for status in [400, 404, 405, 409, 411, 412, 415, 422] {
            assert_eq!(meaning(status, &[]), "refused", "{status}");
        }
        for status in [401, 403, 301, 308] {
            assert_eq!(meaning(status, &[]), "everything", "{status}");
        }
        // Too many requests are never the file's fault, whatever stands beside.
        assert_eq!(meaning(429, &[5400]), "later");
    }

    #[test]
    fn an_account_that_is_not_there_is_no_image_that_is_not_there() {
        let said = |codes: &[i64]| Said {
            status: StatusCode::NOT_FOUND,
            codes: codes.to_vec(),
            message: String::new(),
            after: None,
        };
        assert!(said(&[5404]).is_gone());
        assert!(said(&[]).is_gone());
        assert!(!said(&[7003]).is_gone());
    }

    #[test]
    fn the_words_are_cloudflares_and_say_what_to_do() {
        let said = Said {
            status: StatusCode::FORBIDDEN,
            codes: vec![10000],
            message: "Authentication error".to_owned(),
            after: None,
        };
        assert_eq!(
            said.trouble("the picture").to_string(),
            "Cloudflare refused the picture (403, code 10000): Authentication error; give a \
             token that may edit Cloudflare Images and Stream of this account"
        );
    }
}
