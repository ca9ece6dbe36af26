//! The reference of all settings, as Markdown, made from the table that reads them.

use super::declare::{Group, KIND, Setting, sentences};
use super::settings::{ALL, Config};
use std::fmt::Write;

/// Every setting with its default, what it accepts and what it is for: the body of
/// `docs/configuration.md`.
#[must_use]
pub fn reference() -> String {
    let defaults = Config::default();
    let mut text = String::new();
    for group in ALL {
        let title = group.title();
        // Writing to a string cannot fail.
        let _ = write!(text, "### {title}\n\n{}\n\n", sentences(group.doc));
        text.push_str("| Key | Default | Must be | SIGHUP | Meaning |\n|---|---|---|---|---|\n");
        for setting in group.settings {
            text.push_str(&setting.row(group.prefix, &defaults));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

impl Group {
    fn title(&self) -> String {
        match self.prefix.trim_end_matches('.') {
            "" => "At the top of the file".to_owned(),
            table => format!("`[{table}]`"),
        }
    }
}

impl Setting {
    fn row(&self, prefix: &str, defaults: &Config) -> String {
        let key = self.key.strip_prefix(prefix).unwrap_or(self.key);
        let default = match (self.show)(defaults) {
            Some(value) => format!("`{value}`"),
            None if self.key.contains(KIND) => "the general one".to_owned(),
            None => "none".to_owned(),
        };
        format!(
            "| `{key}` | {default} | {} | {} | {} |\n",
            (self.expected)(),
            if self.reloadable() {
                "applies"
            } else {
                "needs a restart"
            },
            self.meaning(),
        )
    }
}
