//! What the endpoint answers: in our own form, or in one of the two that API Gateway
//! takes from a Lambda function.
//!
//! Whatever is not exactly one of these is no answer, and lets nobody in. What a form
//! leaves out allows nothing, and where two things are said, the narrower one holds.

use crate::permit::Permission;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::time::Duration;

/// The longest identity, in bytes.
const LONGEST_IDENTITY: usize = 128;
/// What a policy must name for a request to be let through.
const ACTION: &str = "execute-api:Invoke";
/// Where in the context of a Lambda function's answer the identity may stand.
const IDENTITIES: [&str; 4] = ["identity", "principalId", "sub", "user"];

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is no JSON object of a form that is known")]
    Form,
    #[error("it says neither or more than one of allow, isAuthorized and policyDocument")]
    Decision,
    #[error("the identity is empty, longer than 128 bytes, or holds control characters")]
    Identity,
    #[error("remember_seconds is no whole number of seconds")]
    Remember,
    #[error("a policy needs a principalId")]
    Principal,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It may: this alone, where something is named.
    Allow(Option<Vec<Permission>>),
    /// It may not.
    Deny,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    verdict: Verdict,
    /// Who it is.
    pub(crate) identity: Option<String>,
    /// How long that may be remembered.
    pub(crate) remember: Duration,
}

#[derive(Deserialize)]
struct Said {
    allow: Option<bool>,
    identity: Option<String>,
    remember_seconds: Option<u64>,
    permissions: Option<Vec<Permission>>,
    #[serde(rename = "isAuthorized")]
    is_authorized: Option<bool>,
    #[serde(rename = "principalId")]
    principal: Option<String>,
    #[serde(rename = "policyDocument")]
    policy: Option<Policy>,
    context: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(all) => all,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "Effect")]
    effect: Effect,
    #[serde(rename = "Action")]
    action: Option<OneOrMany<String>>,
    #[serde(rename = "Resource")]
    resource: Option<OneOrMany<String>>,
    #[serde(rename = "Sid")]
    _id: Option<IgnoredAny>,
    /// Conditions and exceptions, which are not looked at here.
    #[serde(flatten)]
    beyond: HashMap<String, IgnoredAny>,
}

impl Statement {
    /// Whether it is about this. Of one that says more than is understood here, an Allow
    /// never is and a Deny always.
    fn concerns(&self, arn: &str) -> bool {
        let (Some(action), Some(resource)) = (&self.action, &self.resource) else {
            return self.effect == Effect::Deny;
        };
        if !self.beyond.is_empty() {
            return self.effect == Effect::Deny;
        }
        let of_action = |pattern: &String| {
            let pattern = pattern.to_ascii_lowercase();
            matches(&pattern, &ACTION.to_ascii_lowercase())
        };
        action.as_slice().iter().any(of_action)
            && resource
                .as_slice()
                .iter()
                .any(|pattern| matches(pattern, arn))
    }
}

impl Policy {
    /// Deny wins; what nothing allows is denied.
    fn allows(&self, arn: &str) -> bool {
        let about = self.statements.as_slice().iter();
        let about: Vec<Effect> = about
            .filter(|statement| statement.concerns(arn))
            .map(|statement| statement.effect)
            .collect();
        about.contains(&Effect::Allow) && !about.contains(&Effect::Deny)
    }
}

/// Whether a text is of a pattern in which `*` stands for any characters and `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stands, and up to where it has taken the text.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some('?') => {
                at += 1;
                seen += 1;
            }
            Some(letter) if *letter == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    seen = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

impl Answer {
    /// Reads an answer to a question about `arn`.
    pub(crate) fn parse(bytes: &[u8], arn: &str) -> Result<Self, Unreadable> {
        let said: Said = serde_json::from_slice(bytes).map_err(|_| Unreadable::Form)?;
        let context = said.context.unwrap_or_default();
        let in_context = IDENTITIES
            .iter()
            .find_map(|name| context.get(*name)?.as_str().map(str::to_owned));
        let (allowed, permissions, identity, remember) =
            match (said.allow, said.is_authorized, said.policy) {
                (Some(allow), None, None) => (
                    allow,
                    said.permissions,
                    said.identity,
                    said.remember_seconds,
                ),
                (None, Some(allow), None) => (allow, None, in_context, remembered(&context)?),
                (None, None, Some(policy)) => {
                    let principal = said.principal.ok_or(Unreadable::Principal)?;
                    let allowed = policy.allows(arn);
                    (allowed, None, Some(principal), remembered(&context)?)
                }
                _ => return Err(Unreadable::Decision),
            };
        Ok(Self {
            verdict: if allowed {
                Verdict::Allow(permissions)
            } else {
                Verdict::Deny
            },
            identity: identity.map(checked).transpose()?,
            remember: Duration::from_secs(remember.unwrap_or(0)),
        })
    }

    /// Whether this may be done.
    pub(crate) fn allows(&self, permission: Permission) -> bool {
        match &self.verdict {
            Verdict::Allow(None) => true,
            Verdict::Allow(Some(permissions)) => permissions.contains(&permission),
            Verdict::Deny => false,
        }
    }
}

/// A Lambda function says it in its context, where a number may be a text.
fn remembered(context: &Map<String, Value>) -> Result<Option<u64>, Unreadable> {
    let seconds = match context.get("remember_seconds") {
        None => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    seconds.map(Some).ok_or(Unreadable::Remember)
}

/// An identity that can be recorded.
fn checked(identity: String) -> Result<String, Unreadable> {
    let usable = (1..=LONGEST_IDENTITY).contains(&identity.len())
        && !identity.chars().any(char::is_control)
        && identity.trim() == identity;
    usable.then_some(identity).ok_or(Unreadable::Identity)
}

#[cfg(test)]
mod tests;
