//! Delivers files to where they are served, exactly once.
//!
//! A sync is a rule: from which source, to which target, when. Each file under it is a
//! delivery, recorded before anything is sent.

pub mod target;
