//! Every kind of operation of the program: the one list of them. What is here runs, and
//! is known to the settings by kind; what is not here is neither. Of each it says who may
//! have one started again, or by the clock.

use access::Caller;
use async_trait::async_trait;
use bundles::{Bundles, ExpireBundles, MakeBundle};
use files::{ClearStore, Files, Reconcile, SweepFiles, TakeIn, TellWebhook};
use futures::future::BoxFuture;
use operations::{Kind, Kinds, Retention};
use syncs::{SyncPass, SyncVerify, Syncs};
use web::{Answer, Problem, Starting};

/// The kinds.
const ALL: [Entry; 10] = [
    Entry::of::<Retention>(),
    Entry::of::<MakeBundle>(),
    Entry::of::<ExpireBundles>(),
    Entry::of::<SweepFiles>(),
    Entry::of::<TellWebhook>(),
    Entry::of::<TakeIn>(),
    Entry::of::<Reconcile>(),
    Entry::of::<ClearStore>(),
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
#[derive(Clone, Debug)]
pub(super) struct Features {
    pub(super) bundles: Bundles,
    pub(super) files: Files,
    pub(super) syncs: Syncs,
}

/// A kind that the program runs, made from the part that it belongs to.
trait Registered: Kind {
    fn made(of: &Features) -> Self;

    /// Refuses a caller who may not have one started with this input: by repeating one, or
    /// by the clock. What the input is instead, where it says for whom it is. Who has the
    /// role and the scope has been asked already.
    fn admit(
        of: &Features,
        caller: &Caller,
        input: Self::Input,
    ) -> impl Future<Output = Answer<Option<Self::Input>>> + Send;
}

impl Registered for Retention {
    fn made(_: &Features) -> Self {
        Self
    }

    /// It does what the settings say, whoever starts it.
    async fn admit(_: &Features, _: &Caller, _: Self::Input) -> Answer<Option<Self::Input>> {
        Ok(None)
    }
}

impl Registered for MakeBundle {
    fn made(of: &Features) -> Self {
        of.bundles.kinds().0
    }

    async fn admit(
        of: &Features,
        caller: &Caller,
        input: Self::Input,
    ) -> Answer<Option<Self::Input>> {
        Ok(Some(of.bundles.asked_by(caller, input).await?))
    }
}

impl Registered for ExpireBundles {
    fn made(of: &Features) -> Self {
        of.bundles.kinds().1
    }

    /// It removes what is over, whoever starts it.
    async fn admit(_: &Features, _: &Caller, _: Self::Input) -> Answer<Option<Self::Input>> {
        Ok(None)
    }
}

impl Registered for SweepFiles {
    fn made(of: &Features) -> Self {
        of.files.kinds().0
    }

    /// It removes what is over, whoever starts it.
    async fn admit(_: &Features, _: &Caller, _: Self::Input) -> Answer<Option<Self::Input>> {
        Ok(None)
    }
}

impl Registered for TellWebhook {
    fn made(of: &Features) -> Self {
        of.files.kinds().1
    }

    async fn admit(
        of: &Features,
        caller: &Caller,
        input: Self::Input,
    ) -> Answer<Option<Self::Input>> {
        of.files.permit_telling(caller, &input).await?;
        Ok(None)
    }
}

impl Registered for TakeIn {
    fn made(of: &Features) -> Self {
        of.files.kinds().2
    }

    async fn admit(
        of: &Features,
        caller: &Caller,
        input: Self::Input,
    ) -> Answer<Option<Self::Input>> {
        of.files.permit_taking_in(caller, &input).await?;
        Ok(None)
    }
}

impl Registered for Reconcile {
    fn made(of: &Features) -> Self {
        of.files.kinds().3
    }

    async fn admit(
        of: &Features,
        caller: &Caller,
        input: Self::Input,
    ) -> Answer<Option<Self::Input>> {
        of.files.permit_comparing(caller, &input).await?;
        Ok(None)
    }
}

impl Registered for ClearStore {
    fn made(of: &Features) -> Self {
        of.files.kinds().4
    }

    /// What it removes was a bucket's that somebody who might has removed.
    async fn admit(_: &Features, _: &Caller, _: Self::Input) -> Answer<Option<Self::Input>> {
        Ok(None)
    }
}

impl Registered for SyncPass {
    fn made(of: &Features) -> Self {
        of.syncs.kinds().0
    }

    /// What a sync may do, an admin has said who made it; to run one takes no more.
    async fn admit(_: &Features, _: &Caller, _: Self::Input) -> Answer<Option<Self::Input>> {
        Ok(None)
    }
}

impl Registered for SyncVerify {
    fn made(of: &Features) -> Self {
        of.syncs.kinds().1
    }

    /// As of a pass.
    async fn admit(_: &Features, _: &Caller, _: Self::Input) -> Answer<Option<Self::Input>> {
        Ok(None)
    }
}

type Admit = for<'a> fn(&'a Features, &'a Caller, &'a str) -> Admitted<'a>;
type Admitted<'a> = BoxFuture<'a, Answer<Option<String>>>;

struct Entry {
    name: &'static str,
    add: fn(Kinds, &Features) -> Kinds,
    admit: Admit,
}

impl Entry {
    const fn of<K: Registered>() -> Self {
        Self {
            name: K::NAME,
            add: |kinds, of| kinds.with(K::made(of)),
            admit: admit::<K>,
        }
    }
}

/// [`Registered::admit`] of an input as it is stored.
fn admit<'a, K: Registered>(of: &'a Features, caller: &'a Caller, input: &'a str) -> Admitted<'a> {
    Box::pin(async move {
        // What is no input of this kind, the engine refuses.
        let Ok(input) = serde_json::from_str::<K::Input>(input) else {
            return Ok(None);
        };
        let theirs = K::admit(of, caller, input).await?;
        let text = theirs.map(|input| serde_json::to_string(&input));
        text.transpose().map_err(|error| Problem::internal(&error))
    })
}

/// All of them, with the settings that they themselves say.
pub(super) fn all(of: &Features) -> Kinds {
    ALL.iter()
        .fold(Kinds::new(), |kinds, entry| (entry.add)(kinds, of))
}

#[async_trait]
impl Starting for Features {
    async fn admit(&self, caller: &Caller, kind: &str, input: &str) -> Answer<Option<String>> {
        match ALL.iter().find(|entry| entry.name == kind) {
            Some(entry) => (entry.admit)(self, caller, input).await,
            // Of another version: the engine does not know it either.
            None => Ok(None),
        }
    }
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
