//! What is wrong with a configuration, in lines that each name the place, the
//! setting and the remedy. A secret's value is never among them.

use std::fmt;

/// A configuration that cannot be used: everything that is wrong with it, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    pub(super) const fn new(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// The problems, each a line.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// A variable that begins with `LONGSHORE_` and means nothing. It does not stop
/// the program: another version, or another program, may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub variable: String,
    /// The nearest known one.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the environment variable `{}` is unknown and ignored",
            self.variable
        )?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
