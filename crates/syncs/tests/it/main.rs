//! Stories of syncs.
#![allow(clippy::unwrap_used, missing_docs)]

mod cloudflare;
mod shore;

use longshore_syncs as syncs;
