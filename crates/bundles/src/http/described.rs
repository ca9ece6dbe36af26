//! What the API's description says of requests that are read by hand, within bounds.

use crate::bundle::Options;
use crate::source::DetailedSource;
use crate::stored::StoredRequest;
use serde::Deserialize;

/// A request for a bundle.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBundle)]
#[allow(dead_code, reason = "it describes crate::NewBundle")]
pub(super) struct DescribedBundle {
    /// The archive's name, with or without `.zip`.
    name: Option<String>,
    /// What it shall hold: 1 to 100,000 addresses.
    sources: Vec<DescribedSource>,
    /// How it is made.
    #[serde(default)]
    options: Options,
}

/// One URL asked for, as a request gives it: the address alone, or with more.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = SourceRequest)]
#[allow(dead_code, reason = "it describes crate::SourceRequest")]
pub(super) enum DescribedSource {
    /// The address alone.
    Url(String),
    /// The address, and what is particular about it.
    Detailed(DetailedSource),
    /// Files that are stored here.
    Stored(StoredRequest),
}
