//! Who does something, and what set it off.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Who acts, as it is recorded: `user:anna`, `token:ci`, `schedule:nightly`, `system`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

impl Actor {
    /// A person, by name.
    #[must_use]
    pub fn user(name: &str) -> Self {
        Self(format!("user:{name}"))
    }

    /// An API token of a person.
    #[must_use]
    pub fn token(user: &str, token: &str) -> Self {
        Self(format!("token:{user}/{token}"))
    }

    /// An access key of a person, for S3 clients.
    #[must_use]
    pub fn access_key(user: &str, key: &str) -> Self {
        Self(format!("key:{user}/{key}"))
    }

    /// Somebody of whom an authoriser outside of Longshore says who it is, if it does.
    #[must_use]
    pub fn authoriser(name: Option<&str>) -> Self {
        match name {
            Some(name) => Self(format!("authoriser:{name}")),
            None => Self("authoriser".to_owned()),
        }
    }

    /// A schedule, by name.
    #[must_use]
    pub fn schedule(name: &str) -> Self {
        Self(format!("schedule:{name}"))
    }

    /// Somebody who could not be identified, or who need not be.
    #[must_use]
    pub fn anonymous() -> Self {
        Self("anonymous".to_owned())
    }

    /// Longshore itself.
    #[must_use]
    pub fn system() -> Self {
        Self("system".to_owned())
    }

    /// As it was recorded.
    #[must_use]
    pub fn recorded(text: String) -> Self {
        Self(text)
    }

    /// The text that is recorded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What set an operation off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// A person, in the console.
    Person,
    /// A program or the command line, over the API.
    Api,
    /// A schedule.
    Schedule,
    /// A git push or another event from outside.
    Push,
    /// Another operation.
    Operation,
    /// Longshore itself.
    System,
}

impl Trigger {
    /// Every trigger, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Person,
        Self::Api,
        Self::Schedule,
        Self::Push,
        Self::Operation,
        Self::System,
    ];

    /// The word that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Api => "api",
            Self::Schedule => "schedule",
            Self::Push => "push",
            Self::Operation => "operation",
            Self::System => "system",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no trigger.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a trigger; use person, api, schedule, push, operation or system")]
pub struct UnknownTrigger(String);

impl FromStr for Trigger {
    type Err = UnknownTrigger;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|trigger| trigger.as_str() == text)
            .ok_or_else(|| UnknownTrigger(text.to_owned()))
    }
}
