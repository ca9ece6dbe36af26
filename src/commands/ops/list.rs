//! `longshore ops ls`.

use super::{show, text};
use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::commands::converse;
use crate::exit::Result;
use crate::terminal;
use base::{Clock, Span, SystemClock, Timestamp};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::str::FromStr;

/// The most that one page of the API holds.
const PAGE: usize = 200;

/// A moment: a time, or how long ago.
#[derive(Clone, Copy, Debug)]
struct Moment(Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Ok(time) = text.parse() {
            return Ok(Self(time));
        }
        let ago: Span = text.parse().map_err(|_| {
            "give a time such as 2026-11-21T08:00:00Z, or how long ago, such as 30m or 7d"
                .to_owned()
        })?;
        Ok(Self(SystemClock.now().minus(ago.duration())))
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateWord {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Interrupted,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SortWord {
    Created,
    Kind,
    State,
    Subject,
    Server,
    Actor,
    Trigger,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderWord {
    Asc,
    Desc,
}

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server_arguments: ServerArguments,
    /// Only of this kind, such as bundle.
    #[arg(long)]
    kind: Option<String>,
    /// Only in this state.
    #[arg(long)]
    state: Option<StateWord>,
    /// Only about this, such as stack:web.
    #[arg(long)]
    subject: Option<String>,
    /// Only on this server.
    #[arg(long)]
    server: Option<String>,
    /// Only of this actor, such as user:anna.
    #[arg(long)]
    actor: Option<String>,
    /// Only what this set off: person, api, schedule, push, operation or system.
    #[arg(long)]
    trigger: Option<String>,
    /// Only what this operation started (its whole id).
    #[arg(long, value_name = "ID")]
    parent: Option<base::OperationId>,
    /// Only what was asked for since: a time, or how long ago, such as 7d.
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,
    /// Only what was asked for before.
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// Only with this in its title, subject or error.
    #[arg(long)]
    text: Option<String>,
    /// Sorted by this.
    #[arg(long, default_value = "created")]
    sort: SortWord,
    /// In this direction.
    #[arg(long, default_value = "desc")]
    order: OrderWord,
    /// At most so many.
    #[arg(
        long,
        default_value_t = 50,
        value_name = "COUNT",
        conflicts_with = "all"
    )]
    limit: usize,
    /// All there are.
    #[arg(long)]
    all: bool,
    /// Print one JSON object for each, a line each.
    #[arg(long)]
    json: bool,
}

impl ListArguments {
    fn query(&self) -> Vec<(&'static str, String)> {
        let word = |value: Option<clap::builder::PossibleValue>| {
            value.map(|value| value.get_name().to_owned())
        };
        let sort = match self.sort {
            SortWord::Created => Some("created_at".to_owned()),
            other => word(other.to_possible_value()),
        };
        let given = [
            ("kind", self.kind.clone()),
            (
                "state",
                self.state.and_then(|state| word(state.to_possible_value())),
            ),
            ("subject", self.subject.clone()),
            ("server", self.server.clone()),
            ("actor", self.actor.clone()),
            ("trigger", self.trigger.clone()),
            ("parent", self.parent.map(|id| id.to_string())),
            ("from", self.from.map(|moment| moment.0.to_string())),
            ("to", self.to.map(|moment| moment.0.to_string())),
            ("text", self.text.clone()),
            ("sort", sort),
            ("order", word(self.order.to_possible_value())),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

pub(super) fn run(arguments: &ListArguments) -> Result {
    let client = Client::of(&arguments.server_arguments)?;
    converse(async {
        let mut left = if arguments.all {
            usize::MAX
        } else {
            arguments.limit
        };
        let base = arguments.query();
        let mut cursor = None;
        let mut rows = Vec::new();
        // A page may be short, or empty, and still say where to go on.
        while left > 0 {
            let mut query = base.clone();
            query.push(("limit", left.min(PAGE).to_string()));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let mut page = client.get_with("/api/v1/operations", &query).await?;
            let items = match page["items"].take() {
                Value::Array(items) => items,
                _ => Vec::new(),
            };
            left = left.saturating_sub(items.len());
            for operation in items {
                if arguments.json {
                    terminal::line(&json!(operation).to_string())?;
                } else {
                    rows.push(row(&operation));
                }
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        if arguments.json {
            return Ok(());
        }
        if rows.is_empty() {
            terminal::say("There are none.");
            return Ok(());
        }
        let headings = [
            "ID", "STATE", "KIND", "TITLE", "ACTOR", "CREATED", "TOOK", "PROGRESS",
        ];
        terminal::table(&headings, rows)?;
        if cursor.is_some() {
            terminal::say("There are more: --limit or --all shows them.");
        }
        Ok(())
    })
}

fn row(operation: &Value) -> Vec<String> {
    let id = text(operation, "id");
    // Its end tells it from others made at the same time; programs get all of it.
    let id = if terminal::is_terminal() {
        id.rsplit('-').next().unwrap_or(id)
    } else {
        id
    };
    vec![
        id.to_owned(),
        text(operation, "state").to_owned(),
        text(operation, "kind").to_owned(),
        text(operation, "title").to_owned(),
        text(operation, "actor").to_owned(),
        show::when(&operation["created_at"]),
        show::took(operation),
        show::progress(operation),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago() {
        let time: Moment = "2026-11-21T08:00:00Z".parse().expect("a time");
        assert_eq!(time.0.to_string(), "2026-11-21T08:00:00.000000Z");
        let ago: Moment = "1h".parse().expect("how long ago");
        let age = SystemClock.now().since(ago.0).as_secs();
        assert!((3600..3660).contains(&age), "{age}");
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
