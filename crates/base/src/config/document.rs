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
            None if self.key.contains(KIND) => "not set".to_owned(),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Overrides;

    fn file(text: &str) -> Config {
        let loaded = Config::load(Some(("longshore.toml", text)), [], &Overrides::default());
        loaded.unwrap().config
    }

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/longshore.toml");

    /// With `LONGSHORE_TEST_UPDATE=1` it writes the reference anew instead.
    #[test]
    fn the_page_names_every_setting_with_its_default() {
        let page = std::fs::read_to_string(PAGE).unwrap();
        let (before, rest) = page.split_once("<!-- reference -->\n").unwrap();
        let (written, after) = rest.split_once("<!-- end of reference -->").unwrap();
        let wanted = format!("\n{}\n", reference());
        if std::env::var_os("LONGSHORE_TEST_UPDATE").is_some() {
            let whole =
                format!("{before}<!-- reference -->\n{wanted}<!-- end of reference -->{after}");
            std::fs::write(PAGE, whole).unwrap();
            return;
        }
        assert!(
            written == wanted,
            "docs/configuration.md is not what the settings say; \
             run LONGSHORE_TEST_UPDATE=1 cargo test -p longshore-base"
        );
    }

    /// The sample's settings with nothing in comments: `#key = …` counts, `# Prose` does not.
    fn sample_in_full() -> String {
        let sample = std::fs::read_to_string(SAMPLE).unwrap();
        let lines = sample.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) => {
                setting
            }
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_sample_file_changes_nothing_until_somebody_edits_it() {
        let sample = std::fs::read_to_string(SAMPLE).unwrap();
        assert_eq!(file(&sample), Config::default());
    }

    #[test]
    fn the_sample_file_has_every_setting_with_its_default_or_an_example() {
        let whole = sample_in_full();
        let config = file(&whole);
        let table: toml::Table = toml::from_str(&whole).unwrap();
        for (setting, value) in config.shown() {
            let path = setting.key.replace("<kind>", "bundle");
            let mut steps = path.split('.');
            let top = table.get(steps.next().unwrap());
            let found = steps.try_fold(top.unwrap(), |value, step| value.get(step));
            assert!(found.is_some(), "docs/longshore.toml lacks {path}");
            let default = (setting.show)(&Config::default()).filter(|default| default != "[]");
            if default.is_some() {
                assert_eq!(value, default, "docs/longshore.toml: {path}");
            }
        }
    }
}
