//! How the program ends when something went wrong: one line, and a code that
//! scripts can tell apart. docs/command-line.md lists the codes.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

/// Exit codes. They never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// What was asked for could not be done.
    Failed = 1,
    /// The arguments or the configuration cannot be understood.
    Usage = 2,
    /// The port is taken, or the address is not of this machine.
    Port = 3,
    /// The data directory cannot be used.
    Directory = 4,
    /// Another process uses the data directory.
    InUse = 5,
    /// The database cannot be reached, or refuses.
    Database = 6,
    /// The database was written by a newer Longshore.
    NewerSchema = 7,
    /// The master key is not that of the database.
    MasterKey = 8,
    /// The server cannot be reached, or refuses who asks.
    Server = 9,
    /// Done in part: something that was asked for is missing, or some files failed.
    Incomplete = 10,
    /// The operation ended as failed.
    OperationFailed = 11,
    /// The operation ended as interrupted: its server went away.
    OperationInterrupted = 12,
    /// Cancelled: the operation, or by Ctrl-C.
    Cancelled = 130,
    /// Nobody reads the output any more.
    Unread = 141,
}

/// Why the program ends.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    message: String,
}

/// What a command gives.
pub(crate) type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }

    /// What was asked for could not be done.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Code::Failed, message)
    }

    /// Ends with a code about which everything was said already.
    pub(crate) fn said(code: Code) -> Self {
        Self::new(code, "")
    }

    /// The code.
    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// Says why, in one line (several, where several settings are wrong).
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            // Standard error may be closed; the code still tells.
            let _ = writeln!(std::io::stderr(), "longshore: {}", self.message);
        }
        ExitCode::from(self.code as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Self {
        let code = match &error {
            storage::Error::DirectoryInUse { .. } => Code::InUse,
            storage::Error::Directory { .. } | storage::Error::DirectoryOfAnother { .. } => {
                Code::Directory
            }
            storage::Error::NewerSchema { .. } => Code::NewerSchema,
            _ => Code::Database,
        };
        Self::new(code, error)
    }
}

impl From<access::AccessError> for Failure {
    fn from(error: access::AccessError) -> Self {
        let code = match &error {
            access::AccessError::MasterKeyMismatch
            | access::AccessError::MasterKeyFile { .. }
            | access::AccessError::Unsealable => Code::MasterKey,
            _ => Code::Failed,
        };
        Self::new(code, error)
    }
}

impl From<operations::Error> for Failure {
    fn from(error: operations::Error) -> Self {
        match error {
            operations::Error::Storage(error) => error.into(),
            error => Self::failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const DOCUMENT: &str = include_str!("../docs/command-line.md");

    /// Every code, and a word of what the document says of it.
    const CODES: [(Code, &str); 14] = [
        (Code::Failed, "could not be done"),
        (Code::Usage, "cannot be understood"),
        (Code::Port, "port is taken"),
        (Code::Directory, "data directory cannot be used"),
        (Code::InUse, "another process"),
        (Code::Database, "database cannot be reached"),
        (Code::NewerSchema, "newer Longshore"),
        (Code::MasterKey, "master key"),
        (Code::Server, "server cannot be reached"),
        (Code::Incomplete, "done in part"),
        (Code::OperationFailed, "operation failed"),
        (Code::OperationInterrupted, "interrupted"),
        (Code::Cancelled, "cancelled"),
        (Code::Unread, "nobody reads"),
    ];

    /// One that is added and not listed above does not compile here.
    const fn is_listed(code: Code) {
        match code {
            Code::Failed
            | Code::Usage
            | Code::Port
            | Code::Directory
            | Code::InUse
            | Code::Database
            | Code::NewerSchema
            | Code::MasterKey
            | Code::Server
            | Code::Incomplete
            | Code::OperationFailed
            | Code::OperationInterrupted
            | Code::Cancelled
            | Code::Unread => {}
        }
    }

    /// The table of the document, by code.
    fn documented() -> BTreeMap<u8, &'static str> {
        let (_, section) = DOCUMENT
            .split_once("## Exit codes")
            .expect("the document has that section");
        let section = section
            .split_once("\n## ")
            .map_or(section, |(section, _)| section);
        section
            .lines()
            .filter_map(|line| {
                let (code, meaning) = line.strip_prefix("| ")?.split_once(" | ")?;
                Some((code.parse().ok()?, meaning))
            })
            .collect()
    }

    #[test]
    fn the_document_lists_every_code_with_its_meaning_and_no_other() {
        let documented = documented();
        assert!(documented[&0].contains("done"));
        for (code, word) in CODES {
            is_listed(code);
            let meaning = documented.get(&(code as u8));
            assert!(
                meaning.is_some_and(|meaning| meaning.contains(word)),
                "{code:?} is {} and {meaning:?} in docs/command-line.md",
                code as u8
            );
        }
        let known = CODES.map(|(code, _)| code as u8);
        let unknown: Vec<_> = documented
            .keys()
            .filter(|code| **code != 0 && !known.contains(code))
            .collect();
        assert!(unknown.is_empty(), "no such codes: {unknown:?}");
    }
}
