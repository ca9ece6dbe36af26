//! Puts a configuration together: defaults, then the file, then the environment,
//! then flags, each over the one before.

use super::declare::{KIND, Setting};
use super::nearest::nearest;
use super::settings::Config;
use super::value::{Given, Unfit};
use super::{ConfigError, UnknownVariable};
use crate::Name;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) const PREFIX: &str = "LONGSHORE_";
/// Variables that are no settings, yet belong to Longshore.
const OTHER_VARIABLES: [&str; 6] = [
    "LONGSHORE_CONFIG",
    "LONGSHORE_ADMIN_PASSWORD",
    "LONGSHORE_URL",
    "LONGSHORE_TOKEN",
    "LONGSHORE_BIN",
    "LONGSHORE_CHROMIUM",
];
/// How variables for the tests of Longshore begin.
const TEST_VARIABLES: [&str; 2] = ["LONGSHORE_TEST_", "LONGSHORE_REQUIRE_"];

/// A configuration, and what is to be said about where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Variables that look like settings and are none.
    pub unknown_variables: Vec<UnknownVariable>,
}

/// What the command line sets.
#[derive(Debug, Clone, Default)]
pub struct Overrides(Vec<Override>);

#[derive(Debug, Clone)]
struct Override {
    flag: String,
    key: String,
    value: String,
}

impl Overrides {
    /// The value of a flag, if it was given: `flag("--listen", "listen", …)`.
    #[must_use]
    pub fn flag(mut self, flag: &str, key: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.0.push(Override {
                flag: flag.to_owned(),
                key: key.to_owned(),
                value: value.into(),
            });
        }
        self
    }

    /// Any setting by name: the `fetch.concurrent=8` of `--set fetch.concurrent=8`.
    #[must_use]
    pub fn assignment(self, flag: &str, text: &str) -> Self {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        self.flag(&format!("{flag} {}", key.trim()), key.trim(), Some(value))
    }
}

impl Config {
    /// Puts a configuration together. Later ones go before earlier ones: defaults,
    /// `file` (its name for messages, and its text), `environment` (all variables;
    /// those that do not begin with `LONGSHORE_`, and empty ones, are passed over), `flags`.
    ///
    /// # Errors
    /// Everything that is wrong, a line each, with file, line and column (or variable,
    /// or flag), the setting, and what it must be.
    pub fn load(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &Overrides,
    ) -> Result<Loaded, ConfigError> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        if let Some((name, text)) = file {
            let mut file = File {
                name,
                text,
                problems: Vec::new(),
            };
            file.read_into(&mut config);
            file.problems.sort();
            problems.extend(file.problems.into_iter().map(|(_, line)| line));
        }
        let unknown_variables = read_environment(environment, &mut config, &mut problems);
        for Override { flag, key, value } in &flags.0 {
            if let Some(problem) = told_to_everybody(flag, key) {
                problems.push(problem);
                continue;
            }
            read_text(flag, key, value, &mut config, &mut problems);
        }
        if problems.is_empty() {
            problems = config.contradictions();
        }
        if problems.is_empty() {
            Ok(Loaded {
                config,
                unknown_variables,
            })
        } else {
            Err(ConfigError::new(problems))
        }
    }

    /// Settings that are right by themselves and wrong together.
    fn contradictions(&self) -> Vec<String> {
        let operations = &self.operations;
        let mut found = Vec::new();
        if operations.heartbeat.as_millis() * 2 > operations.lease.as_millis() {
            found.push(format!(
                "`operations.heartbeat` ({}) must be at most half of `operations.lease` ({}), \
                 or work would be taken from workers that are well",
                operations.heartbeat, operations.lease
            ));
        }
        let mail = &self.mail;
        if mail.smtp.is_some() && mail.from.is_none() {
            found.push("`mail.smtp` needs `mail.from`: in whose name mail is sent".to_owned());
        }
        if mail.user.is_some() != mail.password.is_some() {
            found.push(
                "`mail.user` and `mail.password` need each other; set both or none".to_owned(),
            );
        }
        if mail.password.is_some() && mail.smtp.as_ref().is_some_and(|smtp| smtp.is_overheard()) {
            found.push(
                "`mail.smtp` may not say `tls=none` where `mail.password` is set: everybody on the \
                 way could read it"
                    .to_owned(),
            );
        }
        found
    }
}

/// Why a secret is not taken from a flag: everybody on the machine sees the arguments
/// of its processes.
fn told_to_everybody(flag: &str, key: &str) -> Option<String> {
    let path: Vec<_> = key.split('.').collect();
    let (setting, _) = find(&path).filter(|(setting, _)| setting.is_secret())?;
    let variable = setting.variable().unwrap_or_default();
    Some(format!(
        "{flag}: it may hold a password, and everybody on this machine can read arguments; \
         set {variable} instead, or `{key}` in the file"
    ))
}

fn read_environment(
    environment: impl IntoIterator<Item = (String, String)>,
    config: &mut Config,
    problems: &mut Vec<String>,
) -> Vec<UnknownVariable> {
    let mut ours: Vec<_> = environment
        .into_iter()
        .filter(|(variable, value)| {
            variable.to_ascii_uppercase().starts_with(PREFIX)
                && !TEST_VARIABLES.iter().any(|test| variable.starts_with(test))
                && !OTHER_VARIABLES.contains(&variable.as_str())
                && !value.is_empty()
        })
        .collect();
    ours.sort();
    let known: Vec<_> = Setting::all()
        .filter_map(|setting| Some((setting.variable()?, setting)))
        .collect();
    let mut unknown = Vec::new();
    for (variable, value) in ours {
        match known.iter().find(|(name, _)| *name == variable) {
            Some((_, setting)) => read_text(&variable, setting.key, &value, config, problems),
            None => {
                // Without what all have in common, or any two would look alike.
                let names = known.iter().map(|(name, _)| name.as_str());
                let tails = names
                    .chain(OTHER_VARIABLES)
                    .filter_map(|name| name.get(PREFIX.len()..));
                let nearest = nearest(variable.get(PREFIX.len()..).unwrap_or_default(), tails)
                    .map(|tail| format!("{PREFIX}{tail}"));
                unknown.push(UnknownVariable { variable, nearest });
            }
        }
    }
    unknown
}

/// Reads a value from a variable or a flag, called `origin` in messages.
fn read_text(
    origin: &str,
    key: &str,
    value: &str,
    config: &mut Config,
    problems: &mut Vec<String>,
) {
    let path: Vec<_> = key.split('.').collect();
    let Some((setting, kind)) = find(&path) else {
        problems.push(format!(
            "{origin}: unknown key `{}`{}",
            crate::shorten(key),
            meant(&path)
        ));
        return;
    };
    let outcome = match name_of_kind(kind) {
        Ok(kind) => (setting.put)(config, kind, &Given::Text(value)),
        Err(reason) => return problems.push(format!("{origin}: {reason}")),
    };
    if let Err(unfit) = outcome {
        let shown = format!("`{}`", crate::shorten(value));
        problems.push(format!("{origin} {}", complaint(setting, &unfit, &shown)));
    }
}

/// The setting of this path, and the kind in it.
fn find<'a>(path: &[&'a str]) -> Option<(&'static Setting, Option<&'a str>)> {
    Setting::all().find_map(|setting| {
        let mut kind = None;
        let mut pattern = setting.key.split('.');
        for part in path {
            match pattern.next()? {
                KIND => kind = Some(*part),
                expected if expected == *part => {}
                _ => return None,
            }
        }
        pattern.next().is_none().then_some((setting, kind))
    })
}

/// Whether settings lie below this path.
fn is_section(path: &[&str]) -> bool {
    Setting::all().any(|setting| {
        let pattern: Vec<_> = setting.key.split('.').collect();
        pattern.len() > path.len() && fits(&pattern, path)
    })
}

/// Whether the last part of this path is a word of ours and not that of a kind.
fn is_named(path: &[&str]) -> bool {
    Setting::all().any(|setting| {
        let pattern: Vec<_> = setting.key.split('.').collect();
        fits(&pattern, path) && pattern.get(path.len() - 1) == path.last()
    })
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    pattern
        .iter()
        .zip(path)
        .all(|(expected, part)| *expected == KIND || expected == part)
}

fn name_of_kind(kind: Option<&str>) -> Result<Option<Name>, String> {
    kind.map(str::parse::<Name>).transpose().map_err(|error| {
        format!(
            "`{}` is no kind. {error}",
            crate::shorten(kind.unwrap_or_default())
        )
    })
}

/// "; did you mean `fetch.concurrent`?" for a path that nothing knows.
fn meant(path: &[&str]) -> String {
    let Some((last, above)) = path.split_last() else {
        return String::new();
    };
    let mut here: Vec<&'static str> = Setting::all()
        .map(|setting| setting.key.split('.').collect::<Vec<_>>())
        .filter(|pattern| pattern.len() > above.len() && fits(pattern, above))
        .filter_map(|pattern| pattern.get(above.len()).copied())
        .filter(|part| *part != KIND)
        .collect();
    here.dedup();
    if let Some(near) = nearest(last, here) {
        return format!("; did you mean `{near}`?");
    }
    // Right word, wrong table; or a dotted name misspelt in front of its last dot.
    let elsewhere = Setting::all().find(|setting| setting.key.rsplit('.').next() == Some(last));
    let misspelt_above = !above.is_empty() && !is_section(above);
    let near = elsewhere.map(|setting| setting.key).or_else(|| {
        let keys = misspelt_above.then(|| Setting::all().map(|setting| setting.key));
        nearest(&path.join("."), keys.into_iter().flatten())
    });
    near.map_or_else(String::new, |key| format!("; did you mean `{key}`?"))
}

fn complaint(setting: &Setting, unfit: &Unfit, shown: &str) -> String {
    let is = match &unfit.element {
        _ if setting.secret => String::new(),
        Some(element) => format!("contains {element}; it "),
        None => format!("is {shown}; it "),
    };
    format!(
        "{is}must be {}, for example {}",
        (setting.expected)(),
        setting.example()
    )
}

struct File<'a> {
    name: &'a str,
    text: &'a str,
    /// With where each is, so that they are told in the order of the file.
    problems: Vec<(usize, String)>,
}

impl File<'_> {
    fn read_into(&mut self, config: &mut Config) {
        match DeTable::parse(self.text) {
            Ok(table) => self.read_table(&mut Vec::new(), table.get_ref(), config),
            Err(error) => {
                // Not the whole error: it shows the line, which may hold a secret.
                let message = error.message().lines().collect::<Vec<_>>().join(", ");
                self.problem(
                    error.span().unwrap_or_default(),
                    &format!("not TOML: {message}"),
                );
            }
        }
    }

    fn read_table<'t>(
        &mut self,
        path: &mut Vec<&'t str>,
        table: &'t DeTable<'t>,
        config: &mut Config,
    ) {
        for (key, value) in table {
            path.push(key.get_ref());
            self.read_entry(path, key.span(), value, config);
            path.pop();
        }
    }

    fn read_entry<'t>(
        &mut self,
        path: &mut Vec<&'t str>,
        place: Range<usize>,
        value: &'t Spanned<DeValue<'t>>,
        config: &mut Config,
    ) {
        if let Some((setting, kind)) = find(path) {
            return match name_of_kind(kind) {
                Ok(kind) => {
                    if let Err(unfit) = (setting.put)(config, kind, &Given::Toml(value)) {
                        self.unfit(path, setting, unfit, value.span());
                    }
                }
                Err(reason) => self.problem(place, &reason),
            };
        }
        match value.get_ref().as_table() {
            Some(table) if is_section(path) => self.read_table(path, table, config),
            // Where a kind may stand, a misspelt setting would look like one.
            None if is_section(path) && (is_named(path) || meant(path).is_empty()) => {
                let key = crate::shorten(&path.join("."));
                self.problem(
                    place,
                    &format!(
                        "`{key}` is a table of settings; write `[{key}]` and its settings below it"
                    ),
                );
            }
            _ => {
                let key = path.last().copied().unwrap_or_default();
                let text = format!("unknown key `{}`{}", crate::shorten(key), meant(path));
                self.problem(place, &text);
            }
        }
    }

    fn unfit(&mut self, path: &[&str], setting: &Setting, mut unfit: Unfit, span: Range<usize>) {
        let shown = self.slice(&span);
        let place = unfit.place.clone().unwrap_or(span);
        if let Some(element) = &mut unfit.element {
            *element = self.slice(&place);
        }
        let text = format!(
            "`{}` {}",
            path.join("."),
            complaint(setting, &unfit, &shown)
        );
        self.problem(place, &text);
    }

    fn slice(&self, span: &Range<usize>) -> String {
        crate::shorten(self.text.get(span.clone()).unwrap_or_default())
    }

    fn problem(&mut self, place: Range<usize>, text: &str) {
        let before = self.text.get(..place.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let line = format!("{}:{line}:{column}: {text}", self.name);
        self.problems.push((place.start, line));
    }
}
