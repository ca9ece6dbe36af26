//! The words by which a file is found: those of its path, and of the texts that its
//! uploader says of it.

use crate::file::Metadata;
use crate::path::FilePath;
use serde_json::Value;
use std::collections::BTreeSet;

/// The most words of a file.
const MOST: usize = 128;
/// The most words of a question.
const MOST_ASKED: usize = 8;
/// The longest word, in characters: what follows is as good as not there.
const LONGEST: usize = 48;

/// The words of a file, each once.
pub(crate) fn of_file(path: &FilePath, metadata: &Metadata) -> Vec<String> {
    let mut words = BTreeSet::new();
    add(&mut words, path.as_str());
    for value in metadata.values() {
        add_value(&mut words, value);
    }
    words.into_iter().collect()
}

/// The words of a question.
pub(crate) fn asked(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in split(text) {
        if words.len() < MOST_ASKED && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn add_value(words: &mut BTreeSet<String>, value: &Value) {
    match value {
        Value::String(text) => add(words, text),
        Value::Number(number) => add(words, &number.to_string()),
        Value::Array(values) => values.iter().for_each(|value| add_value(words, value)),
        Value::Object(values) => values.values().for_each(|value| add_value(words, value)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn add(words: &mut BTreeSet<String>, text: &str) {
    for word in split(text) {
        if words.len() >= MOST {
            return;
        }
        words.insert(word);
    }
}

/// Runs of letters and digits, in lower case.
fn split(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.chars()
                .flat_map(char::to_lowercase)
                .take(LONGEST)
                .collect()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_path_and_by_what_is_said_of_it() {
        let path: FilePath = "Covers/2024-05 Blau_grün.JPG".parse().expect("a path");
        let metadata = serde_json::json!({
            "title": "Ein Lied", "tags": ["live", {"more": "x1"}], "year": 1999, "on": true,
        });
        let metadata = metadata.as_object().expect("an object");
        let words = of_file(&path, metadata);
        assert_eq!(
            words,
            [
                "05", "1999", "2024", "blau", "covers", "ein", "grün", "jpg", "lied", "live", "x1"
            ]
        );
    }

    #[test]
    fn what_is_asked_is_split_alike_and_bounded() {
        assert_eq!(asked(" BLAU, grün blau "), ["blau", "grün"]);
        assert!(asked("/ - .").is_empty());
        assert_eq!(asked("a b c d e f g h i j").len(), MOST_ASKED);
        assert_eq!(asked(&"x".repeat(500))[0].len(), LONGEST);
        let long = "a ".repeat(5) + &(0..500).map(|n| format!("{n} ")).collect::<String>();
        let path: FilePath = long[..1000].parse().expect("a path");
        assert_eq!(of_file(&path, &Metadata::new()).len(), MOST);
    }
}
