//! The limits of files.

use std::time::Duration;

/// What files are held to. It can change while the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// The largest file, in bytes.
    pub max_file_bytes: u64,
    /// Memory for small files that are asked for often, in bytes. It keeps its size until
    /// a restart.
    pub cache: u64,
    /// How long a client that uploads may send nothing.
    pub silence: Duration,
    /// How long an upload is kept with which nobody goes on.
    pub upload_expires_in: Duration,
    /// How long a file may stay in parts before they are removed.
    pub parts_expire_in: Duration,
}

impl Default for FileSettings {
    /// What the configuration says where nobody changes it.
    fn default() -> Self {
        let usual = base::config::Config::default().files;
        Self {
            max_file_bytes: usual.max_file_bytes.bytes(),
            cache: usual.cache.bytes(),
            silence: usual.silence_timeout.duration(),
            upload_expires_in: usual.upload_expires_in.duration(),
            parts_expire_in: usual.parts_expire_in.duration(),
        }
    }
}
