//! URLs in, one streaming ZIP out.
