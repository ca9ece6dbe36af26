//! Where a setting comes from: the last of file, environment and flags that names it.

use super::read_file;
use crate::arguments::ServeArguments;
use crate::exit::Result;
use base::config::Setting;
use toml::{Table, Value};

/// What was said by whom.
pub(crate) struct Origins {
    file: Option<(String, Table)>,
    flags: Vec<(String, String)>,
}

impl Origins {
    /// Looks at the same sources as [`super::load`], which has understood them.
    pub(crate) fn read(arguments: &ServeArguments) -> Result<Self> {
        let file = read_file(arguments.host.config.as_deref())?
            .map(|(name, text)| (name, toml::from_str(&text).unwrap_or_default()));
        let mut flags = Vec::new();
        if arguments.listen.is_some() {
            flags.push(("listen".to_owned(), "--listen".to_owned()));
        }
        if arguments.s3_listen.is_some() {
            flags.push(("s3_listen".to_owned(), "--s3-listen".to_owned()));
        }
        if arguments.host.data.is_some() {
            flags.push(("data".to_owned(), "--data".to_owned()));
        }
        for assignment in &arguments.host.set {
            let key = assignment.split('=').next().unwrap_or_default().trim();
            flags.push((key.to_owned(), "--set".to_owned()));
        }
        Ok(Self { file, flags })
    }

    /// The flag, the variable or the file that sets it; none for a default.
    pub(crate) fn of(&self, setting: &Setting) -> Option<String> {
        let pattern: Vec<&str> = setting.key.split('.').collect();
        let flag = self.flags.iter().rev().find(|(key, _)| {
            let parts: Vec<&str> = key.split('.').collect();
            let fits = |(part, wanted): (&&str, &&str)| part == wanted || is_kind(wanted);
            parts.len() == pattern.len() && parts.iter().zip(&pattern).all(fits)
        });
        if let Some((_, flag)) = flag {
            return Some(flag.clone());
        }
        let variable = setting
            .variable()
            .filter(|name| std::env::var(name).is_ok_and(|value| !value.is_empty()));
        variable.or_else(|| {
            let (name, table) = self.file.as_ref()?;
            names(table, &pattern).then(|| name.clone())
        })
    }
}

fn is_kind(part: &str) -> bool {
    part.starts_with('<')
}

fn names(table: &Table, pattern: &[&str]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return false;
    };
    let below = |value: &Value| match value {
        _ if rest.is_empty() => true,
        Value::Table(table) => names(table, rest),
        _ => false,
    };
    if is_kind(first) {
        return table.values().any(below);
    }
    table.get(*first).is_some_and(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_what_stands_in_it() {
        let text = "listen = \"[::1]:1\"\n[fetch]\nper_host = 3\n[operations.retention.bundle]\nage = \"1d\"";
        let table: Table = toml::from_str(text).expect("TOML");
        let named = |key: &str| names(&table, &key.split('.').collect::<Vec<_>>());
        assert!(named("listen") && named("fetch.per_host"));
        assert!(named("operations.retention.<kind>.age"));
        assert!(!named("operations.retention.<kind>.count"));
        assert!(!named("fetch.concurrent") && !named("data"));
    }
}
