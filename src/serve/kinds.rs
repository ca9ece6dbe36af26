//! Every kind of operation of the program: the one list of them. What is here runs, and
//! is known to the settings by kind; what is not here is neither.

use bundles::{Bundles, ExpireBundles, MakeBundle};
use files::{Files, Reconcile, SweepFiles, TakeIn, TellWebhook};
use operations::{Kind, Kinds, Retention};
use syncs::{SyncPass, SyncVerify, Syncs};

/// The kinds.
const ALL: [Entry; 9] = [
    Entry::of::<Retention>(),
    Entry::of::<MakeBundle>(),
    Entry::of::<ExpireBundles>(),
    Entry::of::<SweepFiles>(),
    Entry::of::<TellWebhook>(),
    Entry::of::<TakeIn>(),
    Entry::of::<Reconcile>(),
    Entry::of::<SyncPass>(),
    Entry::of::<SyncVerify>(),
];

/// Their names, for the settings, which are read before anything is opened.
pub(crate) const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        names[at] = ALL[at].name;
        at += 1;
    }
    names
};

/// The parts that have kinds.
#[derive(Clone, Copy)]
pub(super) struct Features<'a> {
    pub(super) bundles: &'a Bundles,
    pub(super) files: &'a Files,
    pub(super) syncs: &'a Syncs,
}

/// A kind that the program runs, made from the part that it belongs to.
trait Registered: Kind {
    fn made(of: Features<'_>) -> Self;
}

impl Registered for Retention {
    fn made(_: Features<'_>) -> Self {
        Self
    }
}

impl Registered for MakeBundle {
    fn made(of: Features<'_>) -> Self {
        of.bundles.kinds().0
    }
}

impl Registered for ExpireBundles {
    fn made(of: Features<'_>) -> Self {
        of.bundles.kinds().1
    }
}

impl Registered for SweepFiles {
    fn made(of: Features<'_>) -> Self {
        of.files.kinds().0
    }
}

impl Registered for TellWebhook {
    fn made(of: Features<'_>) -> Self {
        of.files.kinds().1
    }
}

impl Registered for TakeIn {
    fn made(of: Features<'_>) -> Self {
        of.files.kinds().2
    }
}

impl Registered for Reconcile {
    fn made(of: Features<'_>) -> Self {
        of.files.kinds().3
    }
}

impl Registered for SyncPass {
    fn made(of: Features<'_>) -> Self {
        of.syncs.kinds().0
    }
}

impl Registered for SyncVerify {
    fn made(of: Features<'_>) -> Self {
        of.syncs.kinds().1
    }
}

struct Entry {
    name: &'static str,
    add: fn(Kinds, Features<'_>) -> Kinds,
}

impl Entry {
    const fn of<K: Registered>() -> Self {
        Self {
            name: K::NAME,
            add: |kinds, of| kinds.with(K::made(of)),
        }
    }
}

/// All of them, with the settings that they themselves say.
pub(super) fn all(of: Features<'_>) -> Kinds {
    ALL.iter()
        .fold(Kinds::new(), |kinds, entry| (entry.add)(kinds, of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_kinds_have_one_name() {
        assert_eq!(BTreeSet::from(NAMES).len(), NAMES.len());
    }
}
