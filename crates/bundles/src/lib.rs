//! URLs in, one streaming ZIP out.

pub mod name;
pub mod report;
pub mod zip;
