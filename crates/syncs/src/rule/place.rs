//! Stores, and the keys that files get there.

use crate::target::Item;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The longest key of a store, in bytes.
const MOST_KEY: usize = 1024;

/// A bucket of an S3-compatible store, or what lies below a prefix in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreRule {
    /// Its address, such as `https://fra1.digitaloceanspaces.com`.
    pub endpoint: String,
    /// Its region; many take any.
    #[serde(default = "usual_region")]
    pub region: String,
    /// The bucket's name there.
    pub bucket: String,
    /// What the keys begin with.
    #[serde(default)]
    pub prefix: String,
    /// Whether the bucket stands in the path, and not in the host's name.
    #[serde(default = "yes")]
    pub path_style: bool,
    /// The id of the access key.
    pub access_key: String,
    /// The name of the secret that holds the access key's secret.
    pub secret: String,
}

fn usual_region() -> String {
    "us-east-1".to_owned()
}

const fn yes() -> bool {
    true
}

impl StoreRule {
    pub(super) fn check(&self, field: &str) -> Result<()> {
        for (name, text) in [
            ("endpoint", &self.endpoint),
            ("region", &self.region),
            ("bucket", &self.bucket),
            ("access_key", &self.access_key),
            ("secret", &self.secret),
        ] {
            if text.trim().is_empty() {
                return Err(Error::rule(
                    format!("{field}.{name}"),
                    "it may not be empty",
                ));
            }
        }
        Ok(())
    }
}

/// How the key of a file is made. `{key}` is what names it in its source, and stands in every
/// template: two files may have one name, and one of them would take the other's place.
/// `{name}` is what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct KeyTemplate(String);

impl Default for KeyTemplate {
    fn default() -> Self {
        Self("{key}".to_owned())
    }
}

impl KeyTemplate {
    pub(super) fn check(&self, field: &str) -> Result<()> {
        let rest = self.0.replace("{key}", "").replace("{name}", "");
        if !self.0.contains("{key}") {
            let reason = "it holds `{key}`, since two files of one name would take each other's place; `{name}` may stand beside it";
            return Err(Error::rule(field, reason));
        }
        if rest.contains(['{', '}']) || self.0.len() > MOST_KEY {
            let reason = "it holds no braces but `{key}` and `{name}`, and has at most 1024 bytes";
            return Err(Error::rule(field, reason));
        }
        Ok(())
    }

    /// The key of a file; nothing where it would be longer than any may be.
    #[must_use]
    pub fn key(&self, item: &Item) -> Option<String> {
        // In one go: a name may hold `{key}` itself.
        let mut key = String::new();
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find('{') {
            key.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{key}") {
                key.push_str(&item.key);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("{name}") {
                key.push_str(&item.name);
                rest = after;
            } else {
                break;
            }
        }
        key.push_str(rest);
        (!key.is_empty() && key.len() <= MOST_KEY).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn no_two_files_of_one_name_may_get_one_key() {
        let checked = |template: &str| KeyTemplate(template.to_owned()).check("key");
        for template in ["{key}", "copies/{key}", "{key}/{name}", "a/{name}-{key}"] {
            assert!(checked(template).is_ok(), "{template}");
        }
        for template in [
            "",
            "copies/",
            "{name}",
            "copies/{name}",
            "{key}{id}",
            "{key",
        ] {
            assert!(checked(template).is_err(), "{template}");
        }
        assert!(checked(&format!("{{key}}{}", "x".repeat(MOST_KEY))).is_err());
    }

    #[test]
    fn a_name_with_braces_is_no_template() {
        let item = Item {
            key: "7".to_owned(),
            name: "{key}.png".to_owned(),
            media_type: "image/png".to_owned(),
            size: 1,
            content: None,
            md5: None,
            metadata: BTreeMap::new(),
        };
        let key = |template: &str| KeyTemplate(template.to_owned()).key(&item);
        assert_eq!(key("a/{key}/{name}").as_deref(), Some("a/7/{key}.png"));
        assert_eq!(key("{key}").as_deref(), Some("7"));
        assert_eq!(key(&format!("{{key}}{}", "x".repeat(1024))), None);
    }
}
