//! What one attempt must not show: every secret that Longshore knows, as it stands
//! now, and what the attempt adds of its own.
//!
//! Secrets are stored and changed while operations run, so nobody keeps a copy of a
//! redactor for longer than a line.

use base::redact::Redactor;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// See the module.
pub(crate) struct Secrets(Mutex<Known>);

struct Known {
    shared: watch::Receiver<Redactor>,
    /// Whether nobody changes `shared` any more.
    closed: bool,
    own: Vec<Vec<u8>>,
    redactor: Redactor,
    version: u64,
}

impl Secrets {
    /// The secrets of Longshore; none of its own yet.
    pub(crate) fn new(mut shared: watch::Receiver<Redactor>) -> Self {
        let redactor = shared.borrow_and_update().clone();
        Self(Mutex::new(Known {
            shared,
            closed: false,
            own: Vec::new(),
            redactor,
            version: 0,
        }))
    }

    /// Adds some of the attempt's own.
    pub(crate) fn add<'a>(&self, secrets: impl IntoIterator<Item = &'a str>) {
        let mut known = self.known();
        let from = known.own.len();
        known
            .own
            .extend(secrets.into_iter().map(|secret| secret.as_bytes().to_vec()));
        known.redactor = known.redactor.with(&known.own[from..]);
        known.version += 1;
    }

    /// What takes them out now.
    pub(crate) fn redactor(&self) -> Redactor {
        self.current().1
    }

    /// The same, and a number that is another when it is another.
    pub(crate) fn current(&self) -> (u64, Redactor) {
        let mut known = self.known();
        known.refresh();
        (known.version, known.redactor.clone())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn refresh(&mut self) {
        if self.closed {
            return;
        }
        match self.shared.has_changed() {
            Ok(false) => return,
            Ok(true) => {}
            // What was sent last counts.
            Err(_) => self.closed = true,
        }
        self.redactor = self.shared.borrow_and_update().with(&self.own);
        self.version += 1;
    }
}

/// Takes secrets out of every text in `value`. Numbers stay, of which a secret might be
/// a part, and so do the names of fields, which are the kind's own words.
pub(crate) fn redact_texts(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(redacted) = redactor.redact(text) {
                *text = redacted;
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| redact_texts(value, redactor)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| redact_texts(value, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_secret_is_taken_out_from_then_on_beside_its_own() {
        let (shared, receiver) = watch::channel(Redactor::new(["first-secret"]));
        let secrets = Secrets::new(receiver);
        let show = || {
            secrets
                .redactor()
                .redact("first-secret second-secret own-secret")
                .into_owned()
        };
        assert_eq!(show(), "[redacted] second-secret own-secret");
        secrets.add(["own-secret"]);
        assert_eq!(show(), "[redacted] second-secret [redacted]");
        let (before, _) = secrets.current();
        assert_eq!(secrets.current().0, before, "nothing changed");
        shared.send_replace(Redactor::new(["first-secret", "second-secret"]));
        assert_ne!(secrets.current().0, before);
        assert_eq!(show(), "[redacted] [redacted] [redacted]");
        shared.send_replace(Redactor::new(["second-secret"]));
        drop(shared);
        assert_eq!(show(), "first-secret [redacted] [redacted]");
    }

    #[test]
    fn secrets_are_taken_out_of_texts_and_numbers_stay() {
        let redactor = Redactor::new(["100000", "ge\"heim"]);
        let mut value = serde_json::json!({
            "bytes": 100_000,
            "url": "https://example.org/100000",
            "more": [{ "text": "ge\"heim" }, null, true],
        });
        redact_texts(&mut value, &redactor);
        let expected = serde_json::json!({
            "bytes": 100_000,
            "url": "https://example.org/[redacted]",
            "more": [{ "text": "[redacted]" }, null, true],
        });
        assert_eq!(value, expected);
    }
}
