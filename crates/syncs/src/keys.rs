//! The values of secrets that rules name: kept here, or, for the sync of the environment
//! alone, in its variables.

use crate::drop_in::Variables;
use crate::sync::{Origin, Sync};
use crate::{Error, Result};
use access::{Access, AccessError};
use base::Name;
use secrecy::SecretString;
use std::sync::Arc;

/// Opens the secrets of one sync.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    access: Access,
    variables: Option<Arc<Variables>>,
}

impl Keys {
    pub(crate) fn of(access: Access, sync: &Sync, variables: Option<Arc<Variables>>) -> Self {
        Self {
            access,
            // Nobody who writes a rule may name what stands in the environment.
            variables: variables.filter(|_| sync.origin == Origin::Environment),
        }
    }

    /// The value of a secret.
    pub(crate) async fn value(&self, name: &str) -> Result<SecretString> {
        let variables = self.variables.as_ref();
        if let Some(value) = variables.and_then(|variables| variables.secret(name)) {
            return Ok(value);
        }
        let missing = || Error::NoSecret {
            name: name.chars().take(100).collect(),
            field: None,
        };
        let parsed: Name = name.parse().map_err(|_| missing())?;
        match self.access.reveal(&parsed).await {
            Ok(value) => Ok(value),
            Err(AccessError::NotFound { .. }) => Err(missing()),
            Err(error) => Err(error.into()),
        }
    }

    /// The values of the environment, which no log may show.
    pub(crate) fn of_environment(&self) -> Vec<SecretString> {
        let variables = self.variables.as_ref();
        variables.map_or_else(Vec::new, |variables| variables.secrets())
    }
}
