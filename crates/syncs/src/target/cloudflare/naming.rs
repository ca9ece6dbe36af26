//! What things are called at Cloudflare.

use crate::target::Item;
use uuid::Uuid;

/// The longest id that Images takes, in characters, and the longest name that we give.
const MOST: usize = 1024;

/// What stands for the key of the file under its sync: the row's id, as a rule.
const KEYS: [&str; 2] = ["{id}", "{key}"];
/// What stands for the file's name.
const NAME: &str = "{name}";

/// How an id or a name is made of a file: a text with `{id}` or `{key}` in it, the key of
/// the file under its sync, and perhaps `{name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming(String);

impl Naming {
    /// Reads a template such as `file/{id}`.
    ///
    /// # Errors
    /// Why it is none, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let naming = Self(text.trim().to_owned());
        if !KEYS.iter().any(|key| naming.0.contains(key)) {
            return Err(format!(
                "the template `{text}` would name all files alike: put {{id}} into it, as in \
                 `file/{{id}}`"
            ));
        }
        let rest = naming.0.replace(KEYS[0], "").replace(KEYS[1], "");
        let rest = rest.replace(NAME, "");
        if rest.contains(['{', '}']) {
            return Err(format!(
                "the template `{text}` holds something else than {{id}}, {{key}} and {{name}} in \
                 braces"
            ));
        }
        if naming.0.chars().any(char::is_control) {
            return Err("a template holds no control characters".to_owned());
        }
        Ok(naming)
    }

    /// The key alone, unless Images takes no such id: then `file/{id}`.
    pub(super) fn suited(item: &Item) -> Self {
        if Uuid::try_parse(&item.key).is_ok() {
            Self("file/{id}".to_owned())
        } else {
            Self::plain()
        }
    }

    /// `{id}` alone.
    pub(super) fn plain() -> Self {
        Self("{id}".to_owned())
    }

    /// What a file is called.
    #[must_use]
    pub fn of(&self, item: &Item) -> String {
        // In one go, so that a key with braces in it is left alone.
        let mut called = String::new();
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find('{') {
            called.push_str(&rest[..at]);
            rest = &rest[at..];
            let key = KEYS.iter().find_map(|key| rest.strip_prefix(key));
            let value = if key.is_some() { &item.key } else { &item.name };
            called.push_str(value);
            rest = key.or_else(|| rest.strip_prefix(NAME)).unwrap_or_default();
        }
        called.push_str(rest);
        called
    }

    /// The id of a file in Images.
    ///
    /// # Errors
    /// Why Images takes no such id, and what to do.
    pub(super) fn image_id(&self, item: &Item) -> Result<String, String> {
        let id = self.of(item);
        let wrong = if id.is_empty() || id.chars().count() > MOST {
            "ids have 1 to 1,024 characters"
        } else if id.starts_with('/') || id.ends_with('/') {
            "ids neither begin nor end with a slash"
        } else if Uuid::try_parse(&id).is_ok() {
            "ids are no UUIDs"
        } else if id.chars().any(char::is_control) {
            "ids hold no control characters"
        } else if id == "." || id == ".." {
            "ids are no dots alone"
        } else {
            return Ok(id);
        };
        let shown: String = id.chars().take(80).collect();
        Err(format!(
            "Cloudflare Images takes no id such as `{shown}`: {wrong}; set a template such as \
             `file/{{id}}`"
        ))
    }

    /// The name of a file in Stream, which a search must find exactly.
    pub(super) fn video_name(&self, item: &Item) -> String {
        self.of(item).trim().chars().take(MOST).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeMap;

    fn item(key: &str) -> Item {
        Item {
            key: key.to_owned(),
            name: "a {id} picture.png".to_owned(),
            media_type: "image/png".to_owned(),
            size: 1,
            content: None,
            md5: None,
            metadata: BTreeMap::new(),
        }
    }

    #[test]
    fn a_template_is_filled_in_once() {
        for (template, expected) in [
            ("{id}", "{name}7"),
            ("file/{id}", "file/{name}7"),
            ("{id}-{name}", "{name}7-a {id} picture.png"),
            ("{id}{key}", "{name}7{name}7"),
        ] {
            let naming = Naming::parse(template).unwrap();
            assert_eq!(naming.of(&item("{name}7")), expected, "{template}");
        }
    }

    #[test]
    fn a_template_that_cannot_tell_files_apart_is_refused() {
        for text in ["", "file", "{name}", "{id}/{year}", "{id}}", "{id}\n.png"] {
            assert!(Naming::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_that_images_does_not_take_are_refused_with_a_remedy() {
        let uuid = "0192f0c1-2b3c-7def-8123-456789abcdef";
        let plain = Naming::parse("{id}").unwrap();
        let long = "a".repeat(1025);
        for key in ["", "/a", "a/", uuid, long.as_str(), "..", "a\tb"] {
            let why = plain.image_id(&item(key)).unwrap_err();
            assert!(why.contains("file/{id}"), "{why}");
        }
        let prefixed = Naming::parse("file/{id}").unwrap();
        let id = prefixed.image_id(&item(uuid)).unwrap();
        assert_eq!(id, format!("file/{uuid}"));
    }
}
