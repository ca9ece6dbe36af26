//! What a sync says: from where, to where, when, and which file to which target.
//!
//! A rule holds the names of secrets and never a value of one. It is checked once, when it
//! comes in; whoever has a stored one need not check it again.

mod place;
mod table;
mod when;

pub use place::{KeyTemplate, StoreRule};
pub use table::{Columns, Statuses, TableRule};
pub use when::{Candidate, Meant, When};

use crate::target::cloudflare::Naming;
use crate::{Error, Result, mail};
use operations::Timing;
use serde::{Deserialize, Serialize};

/// The most targets of a sync.
const MOST_TARGETS: usize = 32;
/// The most files that are delivered at once.
pub(crate) const MOST_AT_ONCE: u32 = 64;
/// The most attempts of one file.
const MOST_ATTEMPTS: u32 = 100;
/// The most people who are written to.
const MOST_READERS: usize = 20;

/// What a sync says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where the files are.
    pub source: SourceRule,
    /// Where they go: each file to the first of these that takes it.
    pub targets: Vec<Route>,
    /// When: a cron expression of five fields. Without one it runs when it is asked to, and
    /// from a bucket also when a file comes.
    #[serde(default)]
    pub schedule: Option<String>,
    /// In this time zone; UTC, when absent.
    #[serde(default)]
    pub zone: String,
    /// How many files are delivered at once; the server's setting, when absent.
    #[serde(default)]
    pub at_once: Option<u32>,
    /// How often a file is tried before it rests among the failed ones; the server's
    /// setting, when absent.
    #[serde(default)]
    pub attempts: Option<u32>,
    /// Whether what was deleted at the source is removed at the target, too.
    #[serde(default)]
    pub remove: bool,
    /// Who is told how a pass went.
    #[serde(default)]
    pub report: Option<Report>,
}

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    clippy::large_enum_variant,
    reason = "a sync has one, and there are few syncs"
)]
pub enum SourceRule {
    /// Rows of a table in somebody's Postgres; their content in an S3-compatible store.
    Rows {
        /// The name of the secret that holds the address of the database.
        database: String,
        /// The table, and what its columns are called.
        #[serde(default)]
        table: TableRule,
        /// Where the content is.
        store: StoreRule,
        /// What stands before a row's path in the store.
        #[serde(default = "files_folder")]
        key_prefix: String,
    },
    /// Everything in an S3-compatible store.
    Store {
        /// Which.
        store: StoreRule,
    },
    /// The files of a bucket of this server.
    Bucket {
        /// Its name.
        bucket: String,
        /// What their paths begin with.
        #[serde(default)]
        prefix: String,
    },
}

fn files_folder() -> String {
    "files/".to_owned()
}

/// One target, and what goes there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name within the sync.
    pub name: String,
    /// Which files; all, when absent.
    #[serde(default)]
    pub when: When,
    /// What it is.
    pub to: TargetRule,
}

/// Where files go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    clippy::large_enum_variant,
    reason = "a sync has few of them, and there are few syncs"
)]
pub enum TargetRule {
    /// Cloudflare Images.
    CloudflareImages {
        /// The id of the account.
        account: String,
        /// The name of the secret that holds its token.
        token: String,
        /// How the image's id is made of the file's key, such as `file/{id}`. Without one it
        /// is the key, or `file/{id}` where keys are UUIDs, which Cloudflare takes for none.
        #[serde(default)]
        id: Option<String>,
        /// Whether it is shown by signed addresses alone.
        #[serde(default)]
        signed: bool,
        /// Who made it, for Cloudflare's own lists.
        #[serde(default)]
        creator: Option<String>,
        /// Whether the account takes AVIF.
        #[serde(default)]
        avif: bool,
        /// The address of the API, where it is not Cloudflare's own.
        #[serde(default)]
        api: Option<String>,
        /// The address of the API for many images. Without one, Cloudflare's own beside its
        /// own API, and none beside another.
        #[serde(default)]
        batch: Option<String>,
    },
    /// Cloudflare Stream.
    CloudflareStream {
        /// The id of the account.
        account: String,
        /// The name of the secret that holds its token.
        token: String,
        /// How the video's name is made; `{id}`, when absent.
        #[serde(default)]
        id: Option<String>,
        /// Whether it is shown by signed addresses alone.
        #[serde(default)]
        signed: bool,
        /// Who made it, for Cloudflare's own lists.
        #[serde(default)]
        creator: Option<String>,
        /// The address of the API, where it is not Cloudflare's own.
        #[serde(default)]
        api: Option<String>,
    },
    /// An S3-compatible store.
    Store {
        /// Which.
        store: StoreRule,
        /// The key there. It holds `{key}`, which stands for the file's, and perhaps `{name}`.
        #[serde(default)]
        key: KeyTemplate,
    },
    /// A bucket of this server.
    Bucket {
        /// Its name.
        bucket: String,
        /// The path there. It holds `{key}`, which stands for the file's, and perhaps `{name}`.
        #[serde(default)]
        key: KeyTemplate,
    },
    /// An address that is told of every file, once or more often under the same
    /// `Idempotency-Key`.
    Webhook {
        /// Where, by POST.
        url: String,
        /// The name of the secret that signs what is sent; unsigned, when absent.
        #[serde(default)]
        secret: Option<String>,
    },
}

/// What all targets at Cloudflare say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountRule<'a> {
    /// The id of the account.
    pub(crate) account: &'a str,
    /// The name of the secret that holds its token.
    pub(crate) token: &'a str,
    /// The address of the API, where it is not Cloudflare's own.
    pub(crate) api: Option<&'a str>,
    /// How names there are made.
    pub(crate) id: Option<&'a str>,
    /// Whether it is shown by signed addresses alone.
    pub(crate) signed: bool,
    /// Who made it.
    pub(crate) creator: Option<&'a str>,
}

impl AccountRule<'_> {
    fn check(&self, field: &str) -> Result<()> {
        named(&format!("{field}.account"), self.account)?;
        let naming = self.id.map(Naming::parse).transpose();
        naming.map_err(|reason| Error::rule(format!("{field}.id"), reason))?;
        Ok(())
    }
}

impl TargetRule {
    /// What it says of an account at Cloudflare, if it is there.
    pub(crate) fn account(&self) -> Option<AccountRule<'_>> {
        match self {
            Self::CloudflareImages {
                account,
                token,
                id,
                signed,
                creator,
                api,
                ..
            }
            | Self::CloudflareStream {
                account,
                token,
                id,
                signed,
                creator,
                api,
            } => Some(AccountRule {
                account,
                token,
                api: api.as_deref(),
                id: id.as_deref(),
                signed: *signed,
                creator: creator.as_deref(),
            }),
            Self::Store { .. } | Self::Bucket { .. } | Self::Webhook { .. } => None,
        }
    }

    /// The name of the secret that it refers to, and the part that does.
    fn secret(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Store { store, .. } => Some(("store.secret", &store.secret)),
            Self::Webhook { secret, .. } => Some(("secret", secret.as_deref()?)),
            _ => self.account().map(|account| ("token", account.token)),
        }
    }

    fn check(&self, field: &str) -> Result<()> {
        if let Some(said) = self.account() {
            return said.check(field);
        }
        match self {
            Self::Store { store, key } => {
                store.check(&format!("{field}.store"))?;
                key.check(&format!("{field}.key"))
            }
            Self::Bucket { bucket, key } => {
                named(&format!("{field}.bucket"), bucket)?;
                key.check(&format!("{field}.key"))
            }
            Self::Webhook { url, .. } => named(&format!("{field}.url"), url),
            Self::CloudflareImages { .. } | Self::CloudflareStream { .. } => Ok(()),
        }
    }

    /// The word for its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CloudflareImages { .. } => "cloudflare_images",
            Self::CloudflareStream { .. } => "cloudflare_stream",
            Self::Store { .. } => "store",
            Self::Bucket { .. } => "bucket",
            Self::Webhook { .. } => "webhook",
        }
    }
}

/// Who is told how a pass went: an address, people, or both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Where, by POST.
    #[serde(default)]
    pub url: Option<String>,
    /// To which addresses of e-mail; the server's settings say by which mail server.
    #[serde(default)]
    pub email: Vec<String>,
    /// The name of the secret that signs what is sent; unsigned, when absent.
    #[serde(default)]
    pub secret: Option<String>,
    /// Whether it is told of passes with failures alone. Of passes in which nothing
    /// happened nobody is told.
    #[serde(default)]
    pub failures_only: bool,
}

impl Rule {
    /// # Errors
    /// [`Error::Rule`] for the first part that cannot be.
    pub fn check(&self) -> Result<()> {
        self.source.check()?;
        if self.targets.is_empty() {
            return Err(Error::rule("targets", "a sync needs at least one target"));
        }
        if self.targets.len() > MOST_TARGETS {
            let reason = format!("a sync has at most {MOST_TARGETS} targets");
            return Err(Error::rule("targets", reason));
        }
        for (index, route) in self.targets.iter().enumerate() {
            route.check(&format!("targets[{index}]"))?;
            let twice = self.targets[..index]
                .iter()
                .any(|other| other.name == route.name);
            if twice {
                let field = format!("targets[{index}].name");
                return Err(Error::rule(field, "two targets have this name"));
            }
        }
        if let Some(report) = &self.report {
            report.check()?;
        }
        self.timing()?;
        within("at_once", self.at_once, MOST_AT_ONCE)?;
        within("attempts", self.attempts, MOST_ATTEMPTS)
    }

    /// When it runs by the clock.
    ///
    /// # Errors
    /// [`Error::Rule`].
    pub fn timing(&self) -> Result<Option<Timing>> {
        let Some(cron) = &self.schedule else {
            return Ok(None);
        };
        match Timing::parse(cron, &self.zone) {
            Ok(timing) => Ok(Some(timing)),
            Err(error @ operations::Error::Zone(_)) => Err(Error::rule("zone", error.to_string())),
            Err(error) => Err(Error::rule("schedule", error.to_string())),
        }
    }

    /// The names of the secrets that it refers to, each with the part that does.
    #[must_use]
    pub fn secrets(&self) -> Vec<(String, &str)> {
        let mut names = Vec::new();
        match &self.source {
            SourceRule::Rows {
                database, store, ..
            } => {
                names.push(("source.database".to_owned(), database.as_str()));
                names.push(("source.store.secret".to_owned(), &store.secret));
            }
            SourceRule::Store { store } => {
                names.push(("source.store.secret".to_owned(), &store.secret));
            }
            SourceRule::Bucket { .. } => {}
        }
        for (index, route) in self.targets.iter().enumerate() {
            if let Some((field, name)) = route.to.secret() {
                names.push((format!("targets[{index}].to.{field}"), name));
            }
        }
        let of_report = self
            .report
            .as_ref()
            .and_then(|report| report.secret.as_deref());
        names.extend(of_report.map(|name| ("report.secret".to_owned(), name)));
        names
    }
}

impl Report {
    fn check(&self) -> Result<()> {
        if let Some(url) = &self.url {
            named("report.url", url)?;
        } else if self.email.is_empty() {
            return Err(Error::rule(
                "report",
                "it names a `url`, `email` addresses, or both",
            ));
        }
        if self.email.len() > MOST_READERS {
            let reason = format!("at most {MOST_READERS} people are written to");
            return Err(Error::rule("report.email", reason));
        }
        for (index, reader) in self.email.iter().enumerate() {
            if !mail::is_address(reader) {
                let field = format!("report.email[{index}]");
                return Err(Error::rule(field, "it is no address of mail"));
            }
        }
        Ok(())
    }
}

fn within(field: &str, given: Option<u32>, most: u32) -> Result<()> {
    match given {
        Some(number) if !(1..=most).contains(&number) => {
            Err(Error::rule(field, format!("from 1 to {most}")))
        }
        _ => Ok(()),
    }
}

impl SourceRule {
    fn check(&self) -> Result<()> {
        match self {
            Self::Rows { table, store, .. } => {
                table.check("source.table")?;
                store.check("source.store")
            }
            Self::Store { store } => store.check("source.store"),
            Self::Bucket { bucket, .. } => named("source.bucket", bucket),
        }
    }
}

impl Route {
    fn check(&self, field: &str) -> Result<()> {
        if self.name.parse::<base::Name>().is_err() {
            let reason = "a name has 1 to 64 letters, digits, dots and dashes";
            return Err(Error::rule(format!("{field}.name"), reason));
        }
        self.when.check(&format!("{field}.when"))?;
        self.to.check(&format!("{field}.to"))
    }
}

fn named(field: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::rule(field, "it may not be empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule() -> serde_json::Value {
        json!({
            "source": {"kind": "bucket", "bucket": "files"},
            "targets": [{"name": "all", "to": {"kind": "bucket", "bucket": "other"}}],
        })
    }

    fn refused(rule: serde_json::Value) -> String {
        let rule: Rule = serde_json::from_value(rule).expect("a rule");
        match rule.check() {
            Err(Error::Rule { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_short_rule_is_enough() {
        let rule: Rule = serde_json::from_value(rule()).expect("a rule");
        rule.check().expect("fine");
        assert!(rule.secrets().is_empty());
    }

    #[test]
    fn every_secret_is_known_by_the_part_that_names_it() {
        let store = |secret: &str| json!({"endpoint": "https://a.example", "bucket": "b", "access_key": "k", "secret": secret});
        let rule = json!({
            "source": {"kind": "rows", "database": "db", "store": store("from")},
            "targets": [
                {"name": "a", "to": {"kind": "bucket", "bucket": "other"}},
                {"name": "b", "to": {"kind": "store", "store": store("into")}},
                {"name": "c", "to": {"kind": "webhook", "url": "https://a.example/", "secret": "hook"}},
                {"name": "d", "to": {"kind": "cloudflare_images", "account": "0", "token": "cf"}},
            ],
            "report": {"url": "https://a.example/", "secret": "told"},
        });
        let rule: Rule = serde_json::from_value(rule).expect("a rule");
        let secrets: Vec<_> = rule.secrets();
        let secrets: Vec<(&str, &str)> = secrets.iter().map(|(at, name)| (&**at, *name)).collect();
        let expected = [
            ("source.database", "db"),
            ("source.store.secret", "from"),
            ("targets[1].to.store.secret", "into"),
            ("targets[2].to.secret", "hook"),
            ("targets[3].to.token", "cf"),
            ("report.secret", "told"),
        ];
        assert_eq!(secrets, expected);
    }

    #[test]
    fn a_template_that_names_all_files_alike_is_refused_at_its_place() {
        for kind in ["cloudflare_images", "cloudflare_stream"] {
            let mut rule = rule();
            let to = |id: &str| json!({"kind": kind, "account": "0", "token": "cf", "id": id});
            rule["targets"][0]["to"] = to("file/{id}");
            let right: Rule = serde_json::from_value(rule.clone()).expect("a rule");
            right.check().expect("fine");
            rule["targets"][0]["to"] = to("file");
            assert_eq!(refused(rule), "targets[0].to.id");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        for (pointer, value, field) in [
            ("/targets", json!([]), "targets"),
            ("/schedule", json!("every day"), "schedule"),
            ("/at_once", json!(0), "at_once"),
            ("/attempts", json!(1000), "attempts"),
            ("/targets/0/name", json!("a b"), "targets[0].name"),
            ("/targets/0/to/key", json!("{what}"), "targets[0].to.key"),
            ("/source/bucket", json!(" "), "source.bucket"),
            ("/report", json!({}), "report"),
            ("/report", json!({"url": " "}), "report.url"),
            (
                "/report",
                json!({"email": ["anna@a.example", "ben"]}),
                "report.email[1]",
            ),
        ] {
            let mut wrong = rule();
            for missing in ["schedule", "at_once", "attempts", "report"] {
                wrong[missing] = json!(null);
            }
            wrong["targets"][0]["to"]["key"] = json!("{key}");
            *wrong.pointer_mut(pointer).expect(pointer) = value;
            assert_eq!(refused(wrong), field);
        }
    }
}
