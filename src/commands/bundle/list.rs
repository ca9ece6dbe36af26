//! The list of what is wanted, and the request that is made of it.

use super::{BundleArguments, OrderWord};
use crate::exit::{Code, Failure, Result};
use crate::terminal;
use base::Config;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

/// The longest list that is read, in bytes. Servers take less, unless they are told to take
/// more: see [`warning`].
const LONGEST: u64 = 64 << 20;

/// Reads the list and puts what the arguments say over it.
pub(super) fn read(arguments: &BundleArguments) -> Result<Value> {
    let path = arguments
        .list
        .as_deref()
        .filter(|path| path.as_os_str() != "-");
    let mut request = parse(&text(path)?)?;
    if request["sources"].as_array().is_none_or(Vec::is_empty) {
        return Err(Failure::new(
            Code::Usage,
            "the list is empty; give one address a line",
        ));
    }
    let from_file = arguments
        .output
        .as_deref()
        .filter(|path| path.as_os_str() != "-")
        .and_then(|path| path.file_name()?.to_str());
    if let Some(name) = arguments.name.as_deref() {
        request["name"] = name.into();
    } else if let Some(name) = from_file
        && request.get("name").is_none_or(Value::is_null)
    {
        request["name"] = name.into();
    }
    if request.get("options").is_none_or(Value::is_null) {
        request["options"] = json!({});
    }
    let options = &mut request["options"];
    // Who only wants the file wants nothing left on the server.
    options["keep"] = arguments.keep.into();
    match arguments.order {
        Some(OrderWord::Arrival) => options["order"] = "arrival".into(),
        Some(OrderWord::Source) => options["order"] = "source".into(),
        None => {}
    }
    if arguments.strict {
        options["strict"] = true.into();
    }
    if arguments.no_compress {
        options["compress"] = "never".into();
    }
    Ok(request)
}

/// What is to be said of a request, before it is sent, that a server refuses unless it is
/// told to take more than it is told by itself.
pub(super) fn warning(request: &Value) -> Option<String> {
    beyond(request, Config::default().http.body_limit.bytes())
}

fn beyond(request: &Value, taken: u64) -> Option<String> {
    let length = length(request);
    (length > taken).then(|| {
        format!(
            "the list makes a request of {}, and a server takes {} unless its `http.body_limit` says more; if it is refused, make several bundles of it",
            terminal::bytes(length),
            terminal::bytes(taken)
        )
    })
}

/// How many bytes it is as JSON.
fn length(request: &Value) -> u64 {
    struct Count(u64);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // To count does not fail.
    let _ = serde_json::to_writer(&mut count, request);
    count.0
}

fn text(path: Option<&Path>) -> Result<String> {
    let mut text = String::new();
    let (name, read) = match path {
        Some(path) => {
            let name = path.display().to_string();
            let read =
                File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
            (name, read)
        }
        None => {
            let input = io::stdin();
            if input.is_terminal() {
                crate::terminal::say("Reading the list from the terminal; end it with Ctrl-D.");
            }
            let read = input.lock().take(LONGEST + 1).read_to_string(&mut text);
            ("standard input".to_owned(), read)
        }
    };
    read.map_err(|error| {
        Failure::new(
            Code::Usage,
            format!("the list cannot be read from {name}: {error}"),
        )
    })?;
    if text.len() as u64 > LONGEST {
        return Err(Failure::new(
            Code::Usage,
            format!("the list in {name} is longer than 64 MiB; make several bundles of it"),
        ));
    }
    Ok(text)
}

/// An object as the API takes it, from lines, an array or an object.
fn parse(text: &str) -> Result<Value> {
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with(['[', '{']) {
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        return Ok(json!({ "sources": lines.collect::<Vec<_>>() }));
    }
    // Not the parser's words alone: it counts lines, which helps.
    let value: Value = serde_json::from_str(text).map_err(|error| {
        Failure::new(
            Code::Usage,
            format!("the list begins like JSON and is none: {error}"),
        )
    })?;
    match value {
        Value::Array(sources) => Ok(json!({ "sources": sources })),
        object => Ok(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Value {
        parse(text).map_or(Value::Null, |mut request| request["sources"].take())
    }

    #[test]
    fn lines_are_addresses_but_for_blank_ones_and_comments() {
        let text = "\u{feff}# covers\r\nhttp://a/1 \r\n\r\n  http://a/2#fragment\n#http://a/3";
        assert_eq!(sources(text), json!(["http://a/1", "http://a/2#fragment"]));
    }

    #[test]
    fn what_is_longer_than_servers_take_is_said_beforehand() {
        let request = parse("http://a/\u{e4}\nhttp://a/2").expect("a list");
        let sent = request.to_string().len() as u64;
        assert_eq!(length(&request), sent);
        assert_eq!(beyond(&request, sent), None);
        let said = beyond(&request, sent - 1).expect("it is too long");
        assert!(said.contains("http.body_limit"), "{said}");
        assert_eq!(warning(&request), None);
    }

    #[test]
    fn json_is_taken_as_the_api_takes_it() {
        assert_eq!(sources(" [\"http://a\"]"), json!(["http://a"]));
        let whole = parse("{\"name\": \"x\", \"sources\": [{\"url\": \"http://a\"}]}");
        assert_eq!(whole.expect("JSON")["name"], "x");
        assert!(parse("[\"http://a\"").is_err());
    }
}
