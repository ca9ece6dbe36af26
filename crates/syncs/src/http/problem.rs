//! What goes wrong with syncs, as HTTP says it.

use crate::Error;
use http::StatusCode;
use web::Problem;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NoSync(_) => Self::not_found("sync"),
            Error::NoDelivery => Self::not_found("delivery"),
            Error::SyncExists(_)
            | Error::TooMany(_)
            | Error::OfEnvironment(_)
            | Error::Paused(_)
            | Error::State { .. } => Self::conflict(sentence(&text)),
            Error::Rule { field, .. } => Self::invalid(field, "invalid", text),
            Error::NoSecret { field, .. } => Self::invalid(
                field.unwrap_or_else(|| "rule".to_owned()),
                "no-secret",
                text,
            ),
            Error::Environment(_) => Self::unprocessable("environment", sentence(&text)),
            Error::Trouble(_) => Self::new(StatusCode::BAD_GATEWAY, "outside", sentence(&text)),
            Error::Access(error) => error.into(),
            Error::Operations(error) => error.into(),
            Error::Storage(error) => error.into(),
        }
    }
}

/// An error's text as a sentence: with a capital letter at its beginning and a full stop at
/// its end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    let mut sentence: String = first.chain(characters).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}
