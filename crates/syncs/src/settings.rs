//! The limits of syncs.

use crate::MailSettings;
use std::time::Duration;
use storage::MOST_AT_ONCE;

/// How syncs are run, where their rules say nothing else.
#[derive(Clone, Debug)]
pub struct SyncSettings {
    /// Files that one pass delivers at once.
    pub at_once: u32,
    /// Attempts of one file, before it rests among the failed ones.
    pub attempts: u32,
    /// How long a delivery stays with a process that has fallen silent.
    pub lease: Duration,
    /// From how many bytes on a file goes to a store in parts.
    pub in_parts_from: u64,
    /// The longest wait between two attempts, unless the target asks for more.
    pub longest_wait: Duration,
    /// How long what is known of passes is kept.
    pub passes_kept: Duration,
    /// Who takes mail, if anybody does.
    pub mail: Option<MailSettings>,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            at_once: 8,
            attempts: 6,
            lease: Duration::from_secs(20),
            in_parts_from: MOST_AT_ONCE,
            longest_wait: Duration::from_secs(600),
            passes_kept: Duration::from_secs(90 * 24 * 3600),
            mail: None,
        }
    }
}
