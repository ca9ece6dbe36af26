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
