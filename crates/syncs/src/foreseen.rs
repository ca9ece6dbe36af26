//! What would come of files, tried before any of them is sent: a target that takes none of
//! their ids, and a table that cannot hold what it would be told.

use crate::open::Opened;
use crate::pass::{Chosen, choose};
use crate::source::Found;
use crate::target::{Checked, Item, Receipt};

/// Files of the source that it is tried with: the first, and where they are refused the first
/// that are to be delivered, too. One of them may be odd; that all are, says something of the
/// rule.
const SAMPLES: usize = 20;

/// What a target would say of some files that go there.
struct Foreseen<'a> {
    /// The target's name in the sync.
    target: &'a str,
    receipts: Vec<Receipt>,
    /// Why it takes none of them, where it does not.
    refused: Option<String>,
}

impl Opened {
    /// The targets that take none of the files that go there, whatever is in them, by their
    /// names, each with the reason.
    pub(crate) async fn unsuited(&self) -> Vec<(String, String)> {
        let foreseen = self.foresee().await.into_iter();
        foreseen
            .filter_map(|foreseen| Some((foreseen.target.to_owned(), foreseen.refused?)))
            .collect()
    }

    /// The same of all targets, and whether the source can hold what it would be told.
    pub(crate) async fn check_foreseen(&self) -> Vec<Checked> {
        let mut checked = Vec::new();
        let mut receipts = Vec::new();
        for foreseen in self.foresee().await {
            receipts.extend(foreseen.receipts);
            checked.extend(foreseen.refused.map(|refused| Checked {
                what: format!("Ids of the files ({})", foreseen.target),
                missing: Some(refused),
            }));
        }
        checked.extend(self.source.check_told(&receipts).await);
        checked
    }

    async fn foresee(&self) -> Vec<Foreseen<'_>> {
        // A source that cannot be asked says so elsewhere.
        let mut samples = self.source.samples(SAMPLES).await.unwrap_or_default();
        let foreseen = self.foreseen_of(&samples);
        if foreseen.iter().all(|foreseen| foreseen.refused.is_none()) {
            return foreseen;
        }
        // It may be that few of them go there, and that those are odd.
        let page = self.source.page(None, SAMPLES).await.unwrap_or_default();
        samples.extend(page.files);
        self.foreseen_of(&samples)
    }

    fn foreseen_of(&self, samples: &[Found]) -> Vec<Foreseen<'_>> {
        let routes = &self.sync.rule.targets;
        let all = routes.iter().zip(&self.targets).enumerate();
        let foreseen = all.map(|(index, (route, target))| {
            let here = samples
                .iter()
                .filter(|found| choose(routes, &(*found).into()) == Chosen::Target(index));
            let (mut receipts, mut refused, mut are_taken) = (Vec::new(), None, false);
            for found in here {
                match target.foresee(&Item::from(found)) {
                    Ok(receipt) => {
                        are_taken = true;
                        receipts.extend(receipt);
                    }
                    Err(reason) => refused = refused.or(Some(reason)),
                }
            }
            Foreseen {
                target: &route.name,
                receipts,
                refused: refused.filter(|_| !are_taken),
            }
        });
        foreseen.collect()
    }
}
