//! The sync of the environment: with the seven variables of the copier of Spaces to
//! Cloudflare, Longshore takes its place, and nothing else is to be said.
//!
//! Its rule is stored like every other, with the names of the variables in the place of
//! secrets; their values stay in this process.

use crate::rule::Rule;
use crate::{Error, Result};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use url::Url;

/// What the sync is called.
pub const NAME: &str = "spaces";
/// When it runs, unless `SYNC_SCHEDULE` says otherwise.
const EVERY_TEN_MINUTES: &str = "*/10 * * * *";

/// The seven. All of them are needed.
pub const VARIABLES: [&str; 7] = [
    "DATABASE_URL",
    "SPACES_ENDPOINT",
    "SPACES_KEY",
    "SPACES_SECRET",
    "SPACES_BUCKET",
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_API_TOKEN",
];
/// What says that the sync is wanted: other programs have a database, too.
const TELLING: [&str; 4] = [
    "SPACES_ENDPOINT",
    "SPACES_BUCKET",
    "SPACES_KEY",
    "SPACES_SECRET",
];
/// What may be said besides, each with where it goes in the rule.
const MORE: [(&str, &str); 8] = [
    ("SYNC_SCHEDULE", "/schedule"),
    ("SYNC_ZONE", "/zone"),
    ("SYNC_SCHEMA", "/source/table/schema"),
    ("SYNC_TABLE", "/source/table/table"),
    ("SYNC_KEY_PREFIX", "/source/key_prefix"),
    ("SPACES_REGION", "/source/store/region"),
    ("SYNC_IMAGE_ID", "/targets/0/to/id"),
    ("CLOUDFLARE_API_URL", "/targets/0/to/api"),
];
/// A whole or a part of a rule in JSON, which goes over everything else.
const RULE: &str = "SYNC_RULE";
/// The secrets among them.
const SECRET: [&str; 3] = ["DATABASE_URL", "SPACES_SECRET", "CLOUDFLARE_API_TOKEN"];

/// The variables of the environment that say what to sync.
#[derive(Clone)]
pub struct Variables(BTreeMap<String, String>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// What concerns syncs among the variables of this process. None where no sync is
    /// wanted.
    ///
    /// # Errors
    /// [`Error::Environment`] when some of the seven are there and others are not.
    pub fn read(all: impl IntoIterator<Item = (String, String)>) -> Result<Option<Self>> {
        let ours = |name: &str| {
            VARIABLES.contains(&name)
                || name == RULE
                || MORE.iter().any(|(known, _)| *known == name)
        };
        let found: BTreeMap<String, String> = all
            .into_iter()
            .map(|(name, value)| (name, value.trim().to_owned()))
            .filter(|(name, value)| ours(name) && !value.is_empty())
            .collect();
        if !TELLING.iter().any(|name| found.contains_key(*name)) {
            return Ok(None);
        }
        let missing: Vec<&str> = VARIABLES
            .into_iter()
            .filter(|name| !found.contains_key(*name))
            .collect();
        if !missing.is_empty() {
            return Err(Error::Environment(format!(
                "of the variables of the sync from Spaces to Cloudflare, {} {} missing; set {}, or none of the SPACES_* ones",
                missing.join(", "),
                if missing.len() == 1 { "is" } else { "are" },
                if missing.len() == 1 { "it" } else { "them" },
            )));
        }
        Ok(Some(Self(found)))
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The value of a variable that a rule names in the place of a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        let value = self.0.get(name).filter(|_| SECRET.contains(&name))?;
        Some(value.as_str().into())
    }

    /// All values that no log may show.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let mut secrets: Vec<SecretString> =
            SECRET.iter().filter_map(|name| self.secret(name)).collect();
        if let Ok(url) = Url::parse(self.get("DATABASE_URL"))
            && let Some(password) = url.password()
        {
            let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            secrets.push(decoded.into_owned().into());
            secrets.push(password.into());
        }
        secrets
    }

    /// The rule that they say.
    ///
    /// # Errors
    /// [`Error::Environment`] for what cannot be.
    pub fn rule(&self) -> Result<Rule> {
        let mut rule = self.usual();
        for (name, pointer) in MORE {
            let value = self.get(name);
            if !value.is_empty() {
                put(&mut rule, pointer, value);
            }
        }
        if let Some(api) = self.0.get("CLOUDFLARE_API_URL") {
            put(&mut rule, "/targets/1/to/api", api);
        }
        if let Some(text) = self.0.get(RULE) {
            let more: Value = serde_json::from_str(text)
                .map_err(|error| wrong(format!("{RULE} is no JSON: {error}")))?;
            merge(&mut rule, more);
        }
        let rule: Rule = serde_json::from_value(rule)
            .map_err(|error| wrong(format!("{RULE} does not make a rule of a sync: {error}")))?;
        rule.check().map_err(|error| match error {
            Error::Rule { field, reason } => wrong(format!("`{field}` of the sync: {reason}")),
            error => error,
        })?;
        Ok(rule)
    }

    fn usual(&self) -> Value {
        let (endpoint, region) = endpoint(self.get("SPACES_ENDPOINT"), self.get("SPACES_BUCKET"));
        let to = |kind: &str| {
            json!({
                "kind": kind,
                "account": self.get("CLOUDFLARE_ACCOUNT_ID"),
                "token": "CLOUDFLARE_API_TOKEN",
            })
        };
        json!({
            "source": {
                "kind": "rows",
                "database": "DATABASE_URL",
                "table": {},
                "store": {
                    "endpoint": endpoint,
                    "region": region,
                    "bucket": self.get("SPACES_BUCKET"),
                    "access_key": self.get("SPACES_KEY"),
                    "secret": "SPACES_SECRET",
                },
            },
            "targets": [
                {"name": "images", "when": {"types": ["image/*"]}, "to": to("cloudflare_images")},
                {"name": "videos", "when": {"types": ["video/*"]}, "to": to("cloudflare_stream")},
            ],
            "schedule": EVERY_TEN_MINUTES,
        })
    }
}

fn wrong(reason: String) -> Error {
    Error::Environment(reason)
}

/// Puts a text at a place in a rule; the places above it are there.
fn put(rule: &mut Value, pointer: &str, value: &str) {
    let Some((above, name)) = pointer.rsplit_once('/') else {
        return;
    };
    if let Some(Value::Object(above)) = rule.pointer_mut(above) {
        above.insert(name.to_owned(), value.into());
    }
}

/// Merges as RFC 7396 says: objects member by member, everything else as a whole.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                if value.is_null() {
                    into.remove(&name);
                } else {
                    merge(into.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (into, from) => *into = from,
    }
}

/// The address of the store and its region, of what people write: with or without a
/// scheme, with or without the bucket before it.
fn endpoint(text: &str, bucket: &str) -> (String, String) {
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let (scheme, host) = whole.split_once("://").unwrap_or(("https", &whole));
    let host = host.trim_end_matches('/');
    let host = host
        .strip_prefix(bucket)
        .and_then(|rest| rest.strip_prefix('.'))
        .filter(|rest| rest.contains('.'))
        .unwrap_or(host);
    let name = host.split(':').next().unwrap_or_default();
    let region = name
        .strip_prefix("s3.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"))
        .filter(|region| !region.is_empty() && !region.contains('.'));
    (
        format!("{scheme}://{host}"),
        region.unwrap_or("us-east-1").to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{SourceRule, TargetRule};
    use secrecy::ExposeSecret;

    fn seven() -> Vec<(String, String)> {
        [
            ("DATABASE_URL", "postgres://anna:hun%40ter2@h/db"),
            ("SPACES_ENDPOINT", "fra1.digitaloceanspaces.com"),
            ("SPACES_KEY", "DO00"),
            ("SPACES_SECRET", "the-secret"),
            ("SPACES_BUCKET", "media"),
            ("CLOUDFLARE_ACCOUNT_ID", "0123"),
            ("CLOUDFLARE_API_TOKEN", "the-token"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn with(more: &[(&str, &str)]) -> Rule {
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = Variables::read(seven().into_iter().chain(more));
        let variables = variables.expect("all are there").expect("wanted");
        variables.rule().expect("a rule")
    }

    #[test]
    fn seven_variables_are_a_whole_rule() {
        let rule = with(&[]);
        assert_eq!(rule.schedule.as_deref(), Some("*/10 * * * *"));
        let SourceRule::Rows {
            table,
            store,
            key_prefix,
            ..
        } = &rule.source
        else {
            panic!("{rule:?}");
        };
        assert_eq!(table.table, "File");
        assert_eq!(table.columns.copied, "copiedToCloudflare");
        assert_eq!(key_prefix, "files/");
        assert_eq!(store.endpoint, "https://fra1.digitaloceanspaces.com");
        let kinds: Vec<_> = rule.targets.iter().map(|route| route.to.kind()).collect();
        assert_eq!(kinds, ["cloudflare_images", "cloudflare_stream"]);
        let stored = serde_json::to_string(&rule).expect("JSON");
        for secret in ["hun%40ter2", "hun@ter2", "the-secret", "the-token"] {
            assert!(!stored.contains(secret), "{stored}");
        }
    }

    #[test]
    fn every_name_can_be_said() {
        let rule = with(&[
            ("SYNC_SCHEDULE", "0 * * * *"),
            ("SYNC_TABLE", "media"),
            ("SYNC_SCHEMA", "shop"),
            ("SYNC_KEY_PREFIX", "uploads/"),
            ("SYNC_IMAGE_ID", "file/{id}"),
            ("CLOUDFLARE_API_URL", "http://127.0.0.1:1/v4"),
            (
                "SYNC_RULE",
                r#"{"source": {"table": {"columns": {"id": "uid", "metadata": ["album"]}, "statuses": {"ready": "done"}}}, "at_once": 3}"#,
            ),
        ]);
        assert_eq!(rule.schedule.as_deref(), Some("0 * * * *"));
        assert_eq!(rule.at_once, Some(3));
        let SourceRule::Rows {
            table, key_prefix, ..
        } = &rule.source
        else {
            panic!("{rule:?}");
        };
        assert_eq!(key_prefix, "uploads/");
        assert_eq!(
            (table.table.as_str(), table.schema.as_deref()),
            ("media", Some("shop"))
        );
        assert_eq!(
            (table.columns.id.as_str(), table.columns.name.as_str()),
            ("uid", "fileName")
        );
        assert_eq!(table.columns.metadata, ["album"]);
        assert_eq!(table.statuses.ready, "done");
        for route in &rule.targets {
            let (TargetRule::CloudflareImages { api, .. }
            | TargetRule::CloudflareStream { api, .. }) = &route.to
            else {
                panic!("{route:?}");
            };
            assert_eq!(api.as_deref(), Some("http://127.0.0.1:1/v4"));
        }
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_no_mistake() {
        assert!(Variables::read([]).expect("nothing").is_none());
        let database = seven().into_iter().take(1);
        let alone = Variables::read(database).expect("another program's");
        assert!(alone.is_none());
        let mut six = seven();
        six.remove(6);
        let refused = Variables::read(six)
            .expect_err("one is missing")
            .to_string();
        assert!(
            refused.contains("CLOUDFLARE_API_TOKEN is missing"),
            "{refused}"
        );
    }

    #[test]
    fn the_passwords_of_the_environment_are_known_as_secrets() {
        let variables = Variables::read(seven()).expect("read").expect("wanted");
        let secrets = variables.secrets();
        let known = |text: &str| secrets.iter().any(|secret| secret.expose_secret() == text);
        for secret in ["hun@ter2", "hun%40ter2", "the-secret", "the-token"] {
            assert!(known(secret), "{secret}");
        }
        assert!(variables.secret("SPACES_KEY").is_none());
        assert!(!format!("{variables:?}").contains("the-"));
    }

    #[test]
    fn an_endpoint_is_understood_as_people_write_it() {
        for (text, expected, region) in [
            (
                "fra1.digitaloceanspaces.com",
                "https://fra1.digitaloceanspaces.com",
                "us-east-1",
            ),
            (
                "https://media.fra1.digitaloceanspaces.com/",
                "https://fra1.digitaloceanspaces.com",
                "us-east-1",
            ),
            (
                "http://127.0.0.1:9000",
                "http://127.0.0.1:9000",
                "us-east-1",
            ),
            (
                "https://s3.eu-central-1.amazonaws.com",
                "https://s3.eu-central-1.amazonaws.com",
                "eu-central-1",
            ),
        ] {
            let (found, at) = endpoint(text, "media");
            assert_eq!((found.as_str(), at.as_str()), (expected, region), "{text}");
        }
    }
}
