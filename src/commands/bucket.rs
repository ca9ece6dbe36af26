//! `longshore bucket`: the named collections that files lie in, and their rules.

mod storage;
mod store;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::{confirm, converse};
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::{Size, Span};
use clap::{Args, Subcommand, ValueEnum};
use files::BucketName;
use reqwest::Method;
use serde_json::{Map, Value, json};
use storage::StorageArguments;

#[derive(Debug, Subcommand)]
pub(crate) enum BucketCommand {
    /// List buckets.
    Ls(ListArguments),
    /// Make a bucket.
    Add(AddArguments),
    /// Change a bucket's rules.
    Set(ChangeArguments),
    /// Remove an empty bucket.
    Rm(RemoveArguments),
    /// Give a bucket on S3 the hook at which its store tells of its objects, or that
    /// another secret.
    Hook(store::HookArguments),
    /// Compare a bucket on S3 with its store, and set right what others changed there.
    Reconcile(store::ReconcileArguments),
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Print one JSON object for each, a line each.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// Who decides about those whom Longshore does not know.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Authoriser {
    Builtin,
    Endpoint,
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    #[command(flatten)]
    change: ChangeArguments,
    #[command(flatten)]
    storage: StorageArguments,
}

#[derive(Args, Debug)]
pub(crate) struct ChangeArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Its name: 3 to 63 of a to z, 0 to 9, `-` and `.`.
    name: String,
    /// A host name on which it answers by itself, instead of those it has; may be repeated,
    /// and an empty one is none.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// Whether anybody may read it.
    #[arg(long, value_name = "SWITCH")]
    public: Option<Switch>,
    /// Whether what is replaced or deleted stays as a version.
    #[arg(long, value_name = "SWITCH")]
    versions: Option<Switch>,
    /// Whether roles open it, or grants alone.
    #[arg(long, value_name = "SWITCH")]
    by_role: Option<Switch>,
    /// Who decides about those whom Longshore does not know: nobody (builtin), or the
    /// endpoint of the server's configuration.
    #[arg(long, value_name = "WHO")]
    authoriser: Option<Authoriser>,
    /// How long what is deleted stays in the trash, such as 7d; 0s is not at all.
    #[arg(long, value_name = "TIME")]
    trash: Option<Span>,
    /// How much it may hold, such as 10GiB; 0 is without limit.
    #[arg(long, value_name = "SIZE")]
    quota: Option<Size>,
    /// How many files it may hold; 0 is without limit.
    #[arg(long, value_name = "COUNT")]
    quota_files: Option<u64>,
    /// How much one user may have in it; 0 is without limit.
    #[arg(long, value_name = "SIZE")]
    user_quota: Option<Size>,
    /// From this size on, a download is sent to a signed address; 0 is never.
    #[arg(long, value_name = "SIZE")]
    redirect_above: Option<Size>,
    /// Print what the API answers.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// The bucket.
    name: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl ChangeArguments {
    /// The rules that were given, as the API names them.
    fn settings(&self) -> Map<String, Value> {
        let switch = |value: Option<Switch>| value.map(|value| json!(matches!(value, Switch::On)));
        let size = |value: Option<Size>| value.map(|value| json!(value.bytes()));
        let hosts: Vec<&String> = self.hosts.iter().filter(|host| !host.is_empty()).collect();
        let given = [
            ("hosts", (!self.hosts.is_empty()).then(|| json!(hosts))),
            ("public_read", switch(self.public)),
            ("versions", switch(self.versions)),
            ("by_role", switch(self.by_role)),
            (
                "authoriser",
                self.authoriser.map(|authoriser| match authoriser {
                    Authoriser::Builtin => json!("builtin"),
                    Authoriser::Endpoint => json!("endpoint"),
                }),
            ),
            (
                "trash_seconds",
                self.trash.map(|trash| json!(trash.as_seconds())),
            ),
            ("quota_bytes", size(self.quota)),
            ("quota_files", self.quota_files.map(Value::from)),
            ("user_quota_bytes", size(self.user_quota)),
            ("redirect_above", size(self.redirect_above)),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

pub(crate) fn run(command: BucketCommand) -> Result {
    match command {
        BucketCommand::Ls(arguments) => {
            let client = Client::of(&arguments.server)?;
            converse(print_all(&client, arguments.json))
        }
        BucketCommand::Add(arguments) => add(&arguments),
        BucketCommand::Set(arguments) => set(&arguments),
        BucketCommand::Rm(arguments) => remove(&arguments),
        BucketCommand::Hook(arguments) => store::hook(&arguments),
        BucketCommand::Reconcile(arguments) => store::reconcile(&arguments),
    }
}

/// Prints all buckets that one may see.
pub(super) async fn print_all(client: &Client, json: bool) -> Result {
    let mut found = client.get("/api/v1/buckets").await?;
    let buckets = match found["items"].take() {
        Value::Array(buckets) => buckets,
        _ => Vec::new(),
    };
    if json {
        return buckets
            .iter()
            .try_for_each(|bucket| terminal::line(&bucket.to_string()));
    }
    terminal::table(
        &[
            "BUCKET", "FILES", "SIZE", "QUOTA", "TRASH", "RULES", "HOSTS",
        ],
        buckets.iter().map(row),
    )
}

fn row(bucket: &Value) -> Vec<String> {
    let bytes = |value: &Value| value.as_u64().map(terminal::bytes);
    let rules = [("public_read", "public"), ("versions", "versions")];
    let mut rules: Vec<&str> = rules
        .into_iter()
        .filter_map(|(field, word)| (bucket[field] == true).then_some(word))
        .collect();
    if bucket["by_role"] == false {
        rules.push("grants");
    }
    if bucket["authoriser"] == "endpoint" {
        rules.push("authoriser");
    }
    let hosts = bucket["hosts"].as_array().into_iter().flatten();
    let hosts: Vec<&str> = hosts.filter_map(Value::as_str).collect();
    let or_dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let trash = match bucket["trash_seconds"].as_u64() {
        Some(0) | None => "-".to_owned(),
        Some(seconds) => Span::seconds(seconds).to_string(),
    };
    vec![
        bucket["name"].as_str().unwrap_or_default().to_owned(),
        bucket["usage"]["files"].to_string(),
        bytes(&bucket["usage"]["bytes"]).unwrap_or_default(),
        bytes(&bucket["quota_bytes"]).unwrap_or_else(|| "-".to_owned()),
        trash,
        or_dash(rules.join(" ")),
        or_dash(hosts.join(" ")),
    ]
}

/// A bucket's name, with the colon that it has in places or without it.
fn named(text: &str) -> Result<BucketName> {
    let name = text.strip_suffix(':').unwrap_or(text);
    name.parse()
        .map_err(|error| Failure::new(Code::Usage, error))
}

fn add(arguments: &AddArguments) -> Result {
    let storage = arguments.storage.storage();
    let arguments = &arguments.change;
    let name = named(&arguments.name)?;
    let client = Client::of(&arguments.server)?;
    converse(async {
        let mut wanted = json!({ "name": name, "settings": arguments.settings() });
        if let Some(storage) = storage {
            wanted["storage"] = storage;
        }
        let made = client.post("/api/v1/buckets", &wanted).await?;
        tell(arguments, &made, &format!("{name} is there."))
    })
}

fn set(arguments: &ChangeArguments) -> Result {
    let name = named(&arguments.name)?;
    let settings = arguments.settings();
    if settings.is_empty() {
        let text = "nothing is to be changed; say what, such as --trash 30d";
        return Err(Failure::new(Code::Usage, text));
    }
    let client = Client::of(&arguments.server)?;
    converse(async {
        let path = format!("/api/v1/buckets/{name}");
        let change = Value::Object(settings);
        let changed = client.send(Method::PATCH, &path, Some(&change)).await?;
        tell(arguments, &changed, &format!("{name} is changed."))
    })
}

fn tell(arguments: &ChangeArguments, bucket: &Value, text: &str) -> Result {
    if arguments.json {
        return terminal::json(bucket);
    }
    terminal::say(text);
    Ok(())
}

fn remove(arguments: &RemoveArguments) -> Result {
    let name = named(&arguments.name)?;
    let client = Client::of(&arguments.server)?;
    if !arguments.yes {
        confirm::ask(&format!("Remove the bucket {name}?"))?;
    }
    converse(async {
        let path = format!("/api/v1/buckets/{name}");
        client.send(Method::DELETE, &path, None).await?;
        terminal::say(&format!("{name} is gone."));
        Ok(())
    })
}
