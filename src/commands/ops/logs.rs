//! `longshore ops logs`: an operation's log, as far as it is, or followed to its end.

use super::show::stamp;
use super::{begun, verdict, which};
use crate::arguments::ServerArguments;
use crate::client::follow::{Event, Follower, Line, log_page};
use crate::client::{Client, Interrupt, read};
use crate::commands::converse;
use crate::exit::Result;
use crate::terminal;
use base::OperationId;
use clap::Args;
use operations::Operation;
use serde_json::json;

#[derive(Args, Debug)]
pub(crate) struct LogsArguments {
    #[command(flatten)]
    server: ServerArguments,
    /// Its id, or a beginning or an end of it that no other recent one has.
    id: String,
    /// Go on until the operation ends; the exit code tells how it did.
    #[arg(short, long)]
    follow: bool,
    /// The number of the first line wanted.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// Print number, time and stream before each line.
    #[arg(short, long)]
    long: bool,
    /// Print one JSON object for each line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &LogsArguments) -> Result {
    let client = Client::of(&arguments.server)?;
    converse(async {
        let id = which::resolve(&client, &arguments.id).await?;
        if arguments.follow {
            follow(client, id, arguments).await
        } else {
            print_all(&client, id, arguments).await
        }
    })
}

/// Prints the log of an operation that this command has begun, to its end. An interruption
/// cancels it.
pub(in crate::commands) async fn watch(
    client: Client,
    id: OperationId,
    server: &ServerArguments,
    interrupt: &Interrupt,
) -> Result {
    let arguments = LogsArguments {
        server: server.clone(),
        id: id.to_string(),
        follow: true,
        from: 1,
        long: false,
        json: false,
    };
    tokio::select! {
        () = interrupt.come() => {}
        followed = follow(client.clone(), id, &arguments) => return followed,
    }
    Err(begun::cancel(&client, id).await.failure(id))
}

async fn print_all(client: &Client, id: OperationId, arguments: &LogsArguments) -> Result {
    let mut from = arguments.from;
    loop {
        let page = log_page(client, id, from).await?;
        if page.first_seq > from && !page.lines.is_empty() {
            gap(from, page.first_seq - 1);
        }
        print(&page.lines, arguments)?;
        match page.next {
            Some(next) => from = next,
            None => return Ok(()),
        }
    }
}

async fn follow(client: Client, id: OperationId, arguments: &LogsArguments) -> Result {
    let mut follower = Follower::start(client.clone(), id, Some(arguments.from));
    let mut last = None;
    while let Some(event) = follower.next().await {
        match event? {
            Event::Lines(lines) => print(&lines, arguments)?,
            Event::Gap { from, to } => gap(from, to),
            Event::Operation(operation) => last = Some(operation),
            Event::End => break,
        }
    }
    match last {
        Some(operation) if operation.state.is_ended() => verdict(&operation),
        _ => {
            let operation = client.get(&format!("/api/v1/operations/{id}")).await?;
            verdict(&read::<Operation>(operation)?)
        }
    }
}

fn gap(from: u64, to: u64) {
    terminal::say(&format!("lines {from} to {to} are not kept any more"));
}

fn print(lines: &[Line], arguments: &LogsArguments) -> Result {
    // A pipe gets the text as it is, a terminal without what would steer it.
    let for_terminal = terminal::is_terminal();
    let colour = terminal::wants_colour();
    let mut out = String::new();
    for line in lines {
        if arguments.json {
            let line = json!({
                "seq": line.seq, "time": line.time, "stream": line.stream,
                "text": line.text, "data": line.data,
            });
            out.push_str(&line.to_string());
        } else {
            if arguments.long {
                out.push_str(&before(line));
            }
            if for_terminal {
                out.push_str(&terminal::log_text(&line.text, colour));
            } else {
                out.push_str(&line.text);
            }
        }
        out.push('\n');
    }
    terminal::write(out.as_bytes())
}

/// Number, time and stream of a line.
fn before(line: &Line) -> String {
    let stream = match line.stream {
        operations::Stream::Stdout => "out",
        operations::Stream::Stderr => "err",
        operations::Stream::System => "sys",
    };
    let time = stamp(line.time, 23);
    format!("{:>6}  {time}  {stream}  ", line.seq)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn standard_error_is_told_apart_by_a_word() {
        for (stream, word) in [("stdout", "out"), ("stderr", "err"), ("system", "sys")] {
            let line = json!({
                "seq": 7, "time": "2026-11-27T09:30:00.123456Z", "stream": stream, "text": "x",
            });
            let line = serde_json::from_value(line).unwrap();
            let expected = format!("     7  2026-11-27 09:30:00.123  {word}  ");
            assert_eq!(before(&line), expected);
        }
    }
}
