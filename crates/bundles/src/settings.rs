//! The limits of bundles, and what of them may change while Longshore runs.

use fetch::Client;
use std::time::Duration;

/// How bundles are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleSettings {
    /// Sources of one bundle.
    pub max_sources: usize,
    /// Bytes of all files of one bundle.
    pub max_bytes: Option<u64>,
    /// Bytes of one source.
    pub max_source_bytes: Option<u64>,
    /// Memory for what was fetched and is not written yet, in bytes, over all bundles.
    pub buffer: usize,
    /// Sources of one bundle that are fetched at once.
    pub concurrent: usize,
    /// How long an archive is kept.
    pub expires_in: Duration,
    /// How long a signed link is good, unless its maker says otherwise.
    pub link_expires_in: Duration,
    /// Archives kept at one time.
    pub max_kept: u64,
    /// Bytes of all kept archives together.
    pub max_kept_bytes: u64,
}

/// What may change while Longshore runs.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) client: Client,
    pub(crate) settings: BundleSettings,
}
