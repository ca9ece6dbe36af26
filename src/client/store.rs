//! The servers that one is logged in to: `servers.toml` in the user's own
//! configuration folder, readable by nobody else (0600).
//!
//! It is replaced whole, so that a crash leaves the old one or the new one.

use super::place::ServerUrl;
use crate::exit::{Code, Failure, Result};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// All of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Servers {
    /// The one logged in to last.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default)]
    servers: BTreeMap<String, StoredServer>,
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredServer {
    /// As whom.
    pub(crate) user: String,
    /// The token's id, by which it is deleted; absent when it came from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
    #[serde(serialize_with = "exposed")]
    pub(crate) token: SecretString,
}

fn exposed<S: Serializer>(
    token: &SecretString,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}

impl Servers {
    /// Reads the file; none is as good as an empty one.
    pub(crate) fn load() -> Result<Self> {
        let Some(path) = path() else {
            return Ok(Self::default());
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unusable(&path, &error)),
        };
        // Not the parser's words: they show the line, which may hold the token.
        toml::from_str(&text).map_err(|_| {
            Failure::new(
                Code::Usage,
                format!(
                    "{} is not as `longshore login` writes it; remove it and log in again",
                    path.display()
                ),
            )
        })
    }

    /// The one logged in to last.
    pub(crate) fn last(&self) -> Option<Result<ServerUrl>> {
        self.default.as_deref().map(str::parse)
    }

    /// The token for a server.
    pub(crate) fn token(&self, url: &ServerUrl) -> Option<SecretString> {
        self.get(url).map(|server| server.token.clone())
    }

    /// What is known of a server.
    pub(crate) fn get(&self, url: &ServerUrl) -> Option<&StoredServer> {
        self.servers.get(&url.to_string())
    }

    /// Remembers a server, as the one logged in to last. What was known of it before.
    pub(crate) fn put(&mut self, url: &ServerUrl, server: StoredServer) -> Option<StoredServer> {
        self.default = Some(url.to_string());
        self.servers.insert(url.to_string(), server)
    }

    /// Forgets a server. What was known of it.
    pub(crate) fn remove(&mut self, url: &ServerUrl) -> Option<StoredServer> {
        let removed = self.servers.remove(&url.to_string());
        if self.default.as_deref() == Some(&url.to_string()) {
            self.default = None;
        }
        removed
    }

    /// Writes the file; where it is.
    pub(crate) fn save(&self) -> Result<PathBuf> {
        let path = path().ok_or_else(|| {
            Failure::failed("there is no place to keep the token: set HOME or XDG_CONFIG_HOME, or give it as LONGSHORE_TOKEN")
        })?;
        let text = toml::to_string(self).map_err(Failure::failed)?;
        write_private(&path, &text).map_err(|error| unusable(&path, &error))?;
        Ok(path)
    }
}

/// Replaces a file by one that its owner alone may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    // Made with 0600 from the beginning, which a narrower umask may only narrow.
    let mut file = tempfile::Builder::new()
        .prefix(".servers-")
        .permissions(PermissionsExt::from_mode(0o600))
        .tempfile_in(folder)?;
    file.write_all(b"# Written by `longshore login`. It holds tokens: keep it to yourself.\n")?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!(
        "{}, where log-ins are kept, cannot be used: {error}",
        path.display()
    ))
}

/// `$XDG_CONFIG_HOME/longshore/servers.toml`, by the XDG Base Directory
/// Specification: a relative value counts as none.
fn path() -> Option<PathBuf> {
    let folder = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(base.join("longshore").join("servers.toml"))
}
