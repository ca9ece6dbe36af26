//! How syncs are shown.

use crate::exit::{Code, Failure, Result};
use crate::terminal;
use serde_json::Value;

/// Failed files that are shown.
pub(super) const MOST_FAILED: usize = 50;

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .filter(|text| !text.is_empty())
        .unwrap_or("-")
}

/// A time for people: without what is finer than a second.
fn time(value: &Value) -> String {
    let at = value.as_str().unwrap_or("-");
    at.split('.').next().unwrap_or(at).replace('T', " ")
}

fn counts(sync: &Value) -> String {
    let counts = sync["counts"].as_object();
    let counts: Vec<String> = counts
        .into_iter()
        .flatten()
        .map(|(state, files)| format!("{files} {state}"))
        .collect();
    if counts.is_empty() {
        return "-".to_owned();
    }
    counts.join(", ")
}

/// All syncs, a row each.
pub(super) fn all(syncs: &[Value], json: bool) -> Result {
    if json {
        return syncs
            .iter()
            .try_for_each(|sync| terminal::line(&sync.to_string()));
    }
    terminal::table(
        &["SYNC", "SOURCE", "TARGETS", "FILES", "NEXT RUN"],
        syncs.iter().map(row),
    )
}

fn row(sync: &Value) -> Vec<String> {
    let targets = sync["rule"]["targets"].as_array().into_iter().flatten();
    let targets: Vec<&str> = targets.map(|target| text(target, "name")).collect();
    let next = match (&sync["paused"], &sync["next_run"]) {
        (Value::Bool(true), _) => "paused".to_owned(),
        (_, Value::String(_)) => time(&sync["next_run"]),
        _ => "-".to_owned(),
    };
    vec![
        text(sync, "name").to_owned(),
        text(&sync["rule"]["source"], "kind").to_owned(),
        targets.join(" "),
        counts(sync),
        next,
    ]
}

/// One sync, with the files that have failed.
pub(super) fn one(sync: &Value, failed: &[Value], json: bool) -> Result {
    if json {
        let mut shown = sync.clone();
        shown["failed"] = failed.into();
        return terminal::json(&shown);
    }
    let last = &sync["last_pass"];
    let mut lines = vec![
        ("Sync", text(sync, "name").to_owned()),
        ("Files", counts(sync)),
    ];
    if last.is_object() {
        let how = match last["state"].as_str() {
            Some("running") => ", still runs".to_owned(),
            Some("cut") => ", was cut off".to_owned(),
            Some("failed") => format!(", failed as a whole: {}", text(last, "failure")),
            _ => String::new(),
        };
        let words = format!(
            "{}, {} delivered, {} failed, {}{how}",
            time(&last["started_at"]),
            last["delivered"],
            last["failed"],
            terminal::bytes(last["bytes"].as_u64().unwrap_or_default()),
        );
        lines.push(("Last pass", words));
    }
    if sync["paused"] == true {
        lines.push(("Next run", "paused".to_owned()));
    } else if sync["next_run"].is_string() {
        lines.push(("Next run", time(&sync["next_run"])));
    }
    for (name, value) in lines {
        terminal::line(&format!("{name:<10} {}", terminal::plain(&value)))?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    terminal::line("")?;
    terminal::table(
        &["FAILED", "KEY", "ATTEMPTS", "WHY", "ID"],
        failed.iter().map(|one| {
            vec![
                text(one, "name").to_owned(),
                text(one, "item").to_owned(),
                one["failures"].to_string(),
                text(one, "reason").to_owned(),
                text(one, "id").to_owned(),
            ]
        }),
    )
}

/// What was looked at. It is no success when something is missing.
pub(super) fn checked(checked: &[Value], json: bool) -> Result {
    let mut missing = 0;
    for one in checked {
        let ok = one["ok"] == true;
        missing += usize::from(!ok);
        if json {
            terminal::line(&one.to_string())?;
        } else if ok {
            terminal::line(&format!("ok       {}", terminal::plain(text(one, "what"))))?;
        } else {
            let words = format!("missing  {}: {}", text(one, "what"), text(one, "missing"));
            terminal::line(&terminal::plain(&words))?;
        }
    }
    if missing == 0 {
        return Ok(());
    }
    let text = match missing {
        1 => "one thing is missing".to_owned(),
        missing => format!("{missing} things are missing"),
    };
    Err(Failure::new(Code::Failed, text))
}

/// What a pass would do.
pub(super) fn planned(plan: &Value, json: bool) -> Result {
    if json {
        return terminal::json(plan);
    }
    let files = plan["files"].as_array().into_iter().flatten();
    for file in files {
        let name = text(file, "name");
        let line = match (file["target"].as_str(), file["skipped"].as_str()) {
            (_, Some(reason)) => format!("skip     {name}: {reason}"),
            (Some(target), None) => format!("deliver  {name} to {target}"),
            (None, None) if file["type"] == "" => {
                format!("look at  {name}, whose name does not tell its type")
            }
            (None, None) => format!("deliver  {name} where its size belongs"),
        };
        terminal::line(&terminal::plain(&line))?;
    }
    let more = if plan["more"] == true {
        ", and there are more than were looked at"
    } else {
        ""
    };
    terminal::say(&format!(
        "{} would be delivered, {} skipped, {} are known already{more}.",
        plan["deliver"], plan["skip"], plan["known"]
    ));
    Ok(())
}
