//! Every kind of operation of the program: the one list of them. What is here runs, and
//! is known to the settings by kind; what is not here is neither.

use bundles::{Bundles, ExpireBundles, MakeBundle};
use operations::{Kind, Kinds, Retention};

/// The kinds.
const ALL: [Entry; 3] = [
    Entry::of::<Retention>(),
    Entry::of::<MakeBundle>(),
    Entry::of::<ExpireBundles>(),
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

/// A kind that the program runs, made from the part that it belongs to.
trait Registered: Kind {
    fn made(bundles: &Bundles) -> Self;
}

impl Registered for Retention {
    fn made(_: &Bundles) -> Self {
        Self
    }
}

impl Registered for MakeBundle {
    fn made(bundles: &Bundles) -> Self {
        bundles.kinds().0
    }
}

impl Registered for ExpireBundles {
    fn made(bundles: &Bundles) -> Self {
        bundles.kinds().1
    }
}

struct Entry {
    name: &'static str,
    add: fn(Kinds, &Bundles) -> Kinds,
}

impl Entry {
    const fn of<K: Registered>() -> Self {
        Self {
            name: K::NAME,
            add: |kinds, bundles| kinds.with(K::made(bundles)),
        }
    }
}

/// All of them, with the settings that they themselves say.
pub(super) fn all(bundles: &Bundles) -> Kinds {
    ALL.iter()
        .fold(Kinds::new(), |kinds, entry| (entry.add)(kinds, bundles))
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
