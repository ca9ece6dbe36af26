//! One operation, for people.

use super::text;
use crate::exit::Result;
use crate::terminal;
use base::Timestamp;
use serde_json::Value;

/// A time for people, in UTC to the second, or a dash.
pub(in crate::commands) fn when(value: &Value) -> String {
    let time = value
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    time.map_or_else(|| "-".to_owned(), |time| stamp(time, 19))
}

/// A time in UTC, as far as `length` bytes of its RFC 3339 form.
pub(super) fn stamp(time: Timestamp, length: usize) -> String {
    let full = time.to_string().replace('T', " ");
    full.get(..length).unwrap_or(&full).to_owned()
}

/// How long from one time to another, or to now.
pub(super) fn took(operation: &Value) -> String {
    let at = |field: &str| -> Option<Timestamp> { operation[field].as_str()?.parse().ok() };
    let Some(from) = at("started_at") else {
        return "-".to_owned();
    };
    let to = at("ended_at").unwrap_or_else(|| base::Clock::now(&base::SystemClock));
    let span = to.since(from);
    if span.as_secs() < 60 {
        return format!("{:.1}s", span.as_secs_f64());
    }
    indicatif::FormattedDuration(span).to_string()
}

/// How far it is, in a few words.
pub(super) fn progress(operation: &Value) -> String {
    let progress = &operation["progress"];
    let Some(done) = progress["done"].as_u64() else {
        return "-".to_owned();
    };
    let of = progress["total"]
        .as_u64()
        .map_or_else(String::new, |total| format!("/{total}"));
    let unit = progress["unit"].as_str().unwrap_or_default();
    format!("{done}{of} {unit}").trim_end().to_owned()
}

/// Prints all of it.
pub(super) fn print(operation: &Value) -> Result {
    let line = |label: &str, value: &str| -> Result {
        if value == "-" {
            return Ok(());
        }
        terminal::line(&format!("{label:<10} {}", terminal::plain(value)))
    };
    line("Id", text(operation, "id"))?;
    line("Title", text(operation, "title"))?;
    line("Kind", text(operation, "kind"))?;
    line("State", text(operation, "state"))?;
    line("Subject", text(operation, "subject"))?;
    line("Server", text(operation, "server"))?;
    line("Actor", text(operation, "actor"))?;
    line("Trigger", text(operation, "trigger"))?;
    line("Parent", text(operation, "parent"))?;
    line("Repeats", text(operation, "retry_of"))?;
    line("Created", &when(&operation["created_at"]))?;
    line("Started", &when(&operation["started_at"]))?;
    line("Ended", &when(&operation["ended_at"]))?;
    line("Took", &took(operation))?;
    line("Progress", &progress(operation))?;
    if let Some(bytes) = operation["progress"]["bytes"].as_u64() {
        line("Bytes", &terminal::bytes(bytes))?;
    }
    if let Some(rate) = operation["progress"]["bytes_per_second"].as_u64() {
        line("Rate", &format!("{}/s", terminal::bytes(rate)))?;
    }
    if let Some(left) = operation["progress"]["seconds_left"].as_u64() {
        let left = std::time::Duration::from_secs(left);
        line("Time left", &indicatif::FormattedDuration(left).to_string())?;
    }
    if let Some(lines) = operation["last_seq"].as_u64() {
        line("Log lines", &lines.to_string())?;
    }
    line("Error", text(&operation["error"], "message"))?;
    if !operation["outcome"].is_null() {
        line("Outcome", &operation["outcome"].to_string())?;
    }
    terminal::line("Life")?;
    let steps = operation["transitions"].as_array().into_iter().flatten();
    for step in steps {
        terminal::line(&format!(
            "  {}  {:<11} {}",
            when(&step["at"]),
            text(step, "state"),
            terminal::plain(text(step, "reason"))
        ))?;
    }
    Ok(())
}
