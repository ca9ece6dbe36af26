//! A stand-in until buckets lie in stores.

use crate::bucket::Bucket;
use crate::file::File;
use crate::path::FilePath;
use crate::{Files, Result};

pub(crate) const HIDDEN: &str = ".longshore/";

/// What looking at a key of a store came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    /// The catalogue knew it as it is.
    Same(File),
    /// It is in the catalogue from now on.
    Came(File),
    /// The catalogue knew another content at this path.
    Changed(File),
    /// It was in the catalogue, and the store has it no more: what it was.
    Gone(File),
    /// There is nothing, here nor there.
    Nothing,
    /// It is no path of this bucket, or its bytes do not lie in a store.
    Ignored,
}

impl Files {
    /// Looks.
    #[allow(clippy::unused_async)]
    pub async fn observe(&self, _: &Bucket, _: &FilePath) -> Result<Observed> {
        Ok(Observed::Ignored)
    }
}
