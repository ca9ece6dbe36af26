//! What goes wrong with files, as HTTP says it.

use crate::Error;
use http::StatusCode;
use web::Problem;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NoBucket(_) => Self::not_found("bucket"),
            Error::NoFile(_) => Self::not_found("file"),
            Error::NothingToRestore => Self::not_found("deleted file or version"),
            Error::BucketExists(_) | Error::HostTaken(_) | Error::BucketNotEmpty => {
                Self::conflict(sentence(&text))
            }
            Error::BucketName => Self::invalid("name", "invalid", text),
            Error::Host(_) => Self::invalid("hosts", "invalid", text),
            Error::Setting(_) => Self::invalid("settings", "invalid", text),
            Error::Path(_) => Self::invalid("path", "invalid", text),
            Error::Metadata => Self::invalid("metadata", "invalid", text),
            Error::Tags => Self::invalid("tags", "invalid", text),
            Error::NoParted => Self::not_found("upload"),
            Error::WrongPart(_) => Self::invalid("parts", "invalid", text),
            Error::Header(name) => Self::invalid(name, "invalid", text),
            Error::Precondition => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                sentence(&text),
            ),
            Error::Forbidden { .. } => Self::forbidden(sentence(&text)),
            Error::Anonymous => Self::unauthenticated(),
            Error::Quota { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "quota-exceeded",
                sentence(&text),
            ),
            Error::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload-too-large",
                sentence(&text),
            ),
            Error::Content(_) => {
                Self::new(StatusCode::BAD_REQUEST, "content-mismatch", sentence(&text))
            }
            Error::Access(error) => error.into(),
            Error::Operations(error) => error.into(),
            Error::Storage(error) => error.into(),
        }
    }
}

/// With a capital letter at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(characters).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}
