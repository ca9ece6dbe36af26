//! How the server of a test is to be started.

use super::TestServer;
use crate::TestDatabase;
use crate::databases::{admin, file};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A server about to be started.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    pub(super) binary: PathBuf,
    pub(super) environment: Vec<(String, String)>,
    pub(super) arguments: Vec<String>,
    pub(super) launcher: Vec<String>,
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) s3: bool,
    pub(super) from_nothing: bool,
}

impl ServerOptions {
    /// This binary, or the one that `LONGSHORE_BIN` names. Sources on the loopback
    /// addresses may be fetched, and may be as slow as a loaded machine makes them.
    #[must_use]
    pub fn new(binary: &str) -> Self {
        let chosen = std::env::var_os("LONGSHORE_BIN");
        Self {
            binary: chosen.map_or_else(|| PathBuf::from(binary), PathBuf::from),
            environment: [
                ("LONGSHORE_FETCH_ALLOW", "127.0.0.0/8,::1/128"),
                ("LONGSHORE_FETCH_FIRST_BYTE_TIMEOUT", "5m"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            arguments: Vec::new(),
            launcher: Vec::new(),
            files: Vec::new(),
            s3: false,
            from_nothing: false,
        }
    }

    /// The binary for tests of other crates than the program's own: `LONGSHORE_BIN`,
    /// or `longshore` beside the folder of the running test.
    ///
    /// # Panics
    /// When there is none, saying how it is built.
    #[must_use]
    pub fn built() -> Self {
        let test = std::env::current_exe().expect("a test knows its own file");
        let folder = test.ancestors().nth(2).unwrap_or(Path::new("."));
        let options = Self::new(&folder.join("longshore").to_string_lossy());
        assert!(
            options.binary.is_file(),
            "there is no {}: `cargo build --bin longshore` makes it",
            options.binary.display()
        );
        options
    }

    /// With this database instead of SQLite in the data directory. For SQLite nothing
    /// changes, so a test of both databases says this and no more.
    #[must_use]
    pub fn on(self, database: &TestDatabase) -> Self {
        match database.postgres_url() {
            Some(url) => self.env("LONGSHORE_DATABASE", url),
            None => self,
        }
    }

    /// With an environment variable, instead of an earlier one of that name.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an argument more after `serve`.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Started by a command that is given the binary and its arguments, and ends as it: the
    /// machine may look otherwise to it then.
    #[must_use]
    pub fn launched_by(mut self, command: &[&str]) -> Self {
        self.launcher = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// With a port for S3 clients, which others have not: they would take it from each
    /// other.
    #[must_use]
    pub const fn with_s3(mut self) -> Self {
        self.s3 = true;
        self
    }

    /// On a data directory that is not there, for who wants to see everything made, also the
    /// user `admin`. Others begin with a copy of a database that was migrated once, in
    /// which it is.
    #[must_use]
    pub const fn from_nothing(mut self) -> Self {
        self.from_nothing = true;
        self
    }

    /// With a file (0600) in its data directory before its first start, such as the
    /// `master.key` that replicas on one database share.
    #[must_use]
    pub fn data_file(mut self, name: &str, content: &[u8]) -> Self {
        self.files.push((name.to_owned(), content.to_vec()));
        self
    }

    /// Makes the data directory, where something is to be put into it.
    pub(super) async fn fill(&self, data: &Path) {
        self.write_files(data);
        if self.from_nothing {
            return;
        }
        let mut elsewhere = self.environment.iter();
        match elsewhere.find(|(name, _)| name == "LONGSHORE_DATABASE") {
            Some((_, url)) => admin::into_postgres(url).await,
            None => file::place_with_admin(data).await,
        }
    }

    fn write_files(&self, data: &Path) {
        for (name, content) in &self.files {
            let written = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(data)
                .and_then(|()| {
                    let mut file = fs::OpenOptions::new()
                        .write(true)
                        .create_new(true)
                        .mode(0o600)
                        .open(data.join(name))?;
                    file.write_all(content)
                });
            written.unwrap_or_else(|error| panic!("{name} in the data directory: {error}"));
        }
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start, with everything it said.
    pub async fn start(self) -> TestServer {
        TestServer::start_with(self).await
    }
}
