//! What would come of files, tried before any of them is sent: a target that takes none of
//! their ids, and a table that cannot hold what it would be told.

use crate::open::Opened;
use crate::pass::{Chosen, choose};
use crate::source::Found;
use crate::target::{Checked, Item, Receipt};

/// Files of the source that it is tried with. One of them may be odd; that all are, says
/// something of the rule.
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
    /// Why one of the targets takes none of the files that go there, whatever is in them.
    pub(crate) async fn unsuited(&self) -> Option<String> {
        let foreseen = self.foresee().await;
        foreseen.into_iter().find_map(|foreseen| {
            let refused = foreseen.refused?;
            Some(format!("{}: {refused}", foreseen.target))
        })
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
        let samples = self.source.samples(SAMPLES).await.unwrap_or_default();
        let routes = &self.sync.rule.targets;
        let all = routes.iter().zip(&self.targets).enumerate();
        let foreseen = all.map(|(index, (route, target))| {
            let here = samples
                .iter()
                .filter(|found| choose(routes, &(*found).into()) == Chosen::Target(index));
            let (mut receipts, mut refused, mut are_taken) = (Vec::new(), None, false);
            for found in here {
                match target.foresee(&item(found)) {
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

/// A file as a target sees it, as far as it is known before it is looked at.
fn item(found: &Found) -> Item {
    Item {
        key: found.key.clone(),
        name: found.name.clone(),
        media_type: found.media_type.clone(),
        size: found.size.unwrap_or_default(),
        content: found.content.clone(),
        md5: None,
        metadata: found.metadata.clone(),
    }
}
