//! Comparing what a store lists with what the catalogue knows, and asking for it.

use crate::bucket::Bucket;
use crate::hook::{HookError, place};
use crate::list::Start;
use crate::operations::{Reconcile, ReconcileInput};
use crate::path::{FilePath, after_prefix};
use crate::store::HIDDEN;
use crate::tally::Change;
use crate::{Files, Result, sql};
use access::{Caller, Proof};
use base::{OperationId, Trigger};
use operations::{NewOperation, Place};
use std::cmp::Ordering;

/// What one side knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// A page of one side, in the order of its keys.
#[derive(Debug)]
pub(crate) struct Side {
    known: Vec<Known>,
    /// Whether nothing follows it.
    is_last: bool,
}

impl Side {
    pub(crate) const fn of(known: Vec<Known>, is_last: bool) -> Self {
        Self { known, is_last }
    }

    /// Up to which key it says everything; nothing where that is all.
    fn bound(&self) -> Option<&str> {
        if self.is_last {
            return None;
        }
        self.known.last().map(|last| last.key.as_str())
    }
}

/// A key at which the sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) key: FilePath,
    /// What the catalogue lacks, or has in vain.
    pub(crate) would_be: Change,
}

/// What two pages came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) differences: Vec<Difference>,
    /// Keys at which the sides agree.
    pub(crate) same: u64,
    /// Keys of the store that no file can have.
    pub(crate) skipped: u64,
    /// After which key to go on; nothing at the end.
    pub(crate) next: Option<String>,
}

/// A store whose list cannot be walked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the store does not list its objects in the order of their keys, so nothing can be said of what is missing; use its events instead"
)]
pub(crate) struct OutOfOrder;

/// Compares what both sides know of the keys that follow `after`, as far as both say
/// everything.
///
/// # Errors
/// [`OutOfOrder`].
pub(crate) fn compare(after: &str, theirs: Side, ours: Side) -> Result<Step, OutOfOrder> {
    in_order(after, &theirs.known)?;
    let next = match (theirs.bound(), ours.bound()) {
        (Some(theirs), Some(ours)) => Some(theirs.min(ours)),
        (Some(bound), None) | (None, Some(bound)) => Some(bound),
        (None, None) => None,
    };
    let next = next.map(str::to_owned);
    let within = |known: &Known| next.as_ref().is_none_or(|next| known.key <= *next);
    let mut theirs = theirs.known.into_iter().filter(within).peekable();
    let mut ours = ours.known.into_iter().filter(within).peekable();
    let mut step = Step::default();
    loop {
        let order = match (theirs.peek(), ours.peek()) {
            (Some(theirs), Some(ours)) => theirs.key.cmp(&ours.key),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let their = order.is_le().then(|| theirs.next()).flatten();
        let our = order.is_ge().then(|| ours.next()).flatten();
        step.take(their, our);
    }
    step.next = next;
    Ok(step)
}

/// Whether these keys follow `after` and each other.
fn in_order(after: &str, known: &[Known]) -> Result<(), OutOfOrder> {
    let keys = known.iter().map(|known| known.key.as_str());
    let mut before = after;
    for key in keys {
        if key <= before {
            return Err(OutOfOrder);
        }
        before = key;
    }
    Ok(())
}

impl Step {
    fn take(&mut self, their: Option<Known>, our: Option<Known>) {
        let (key, would_be) = match (their, our) {
            (Some(their), Some(our)) if (their.size, &their.etag) == (our.size, &our.etag) => {
                self.same += 1;
                return;
            }
            (Some(their), Some(_)) => (their.key, Change::Updated),
            (Some(their), None) if their.key.starts_with(HIDDEN) => return,
            (Some(their), None) => (their.key, Change::Added),
            (None, Some(our)) => (our.key, Change::Removed),
            (None, None) => return,
        };
        match key.parse() {
            Ok(key) => self.differences.push(Difference { key, would_be }),
            Err(_) => self.skipped += 1,
        }
    }
}

/// Where comparisons of a bucket stand, whoever sets them off: one after the other.
pub(crate) fn place_of(bucket: &Bucket) -> Place {
    Place {
        key: format!("reconcile:{}", bucket.id),
        subject: format!("bucket:{}", bucket.name),
    }
}

impl Files {
    /// Has a bucket compared with its store.
    ///
    /// # Errors
    /// [`HookError::OnDisk`].
    pub async fn reconcile(
        &self,
        caller: &Caller,
        bucket: &Bucket,
        prefix: String,
        dry_run: bool,
    ) -> Result<OperationId> {
        if place(bucket).is_none() {
            return Err(HookError::OnDisk("cannot differ").into());
        }
        let trigger = match caller.proof() {
            Proof::Session(_) => Trigger::Person,
            _ => Trigger::Api,
        };
        let input = ReconcileInput {
            bucket: bucket.name.to_string(),
            prefix,
            dry_run,
        };
        let Place { key, subject } = place_of(bucket);
        let new = NewOperation::of::<Reconcile>(&input, caller.actor(), trigger)?
            .title(format!("Compare {} with its store", bucket.name))
            .key(key)
            .subject(subject);
        Ok(self.operations().submit(new).await?)
    }

    /// A page of what the store lists below `prefix`.
    pub(crate) async fn of_store(
        &self,
        bucket: &Bucket,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Side> {
        let Some(store) = self.store(bucket).await? else {
            return Err(HookError::OnDisk("cannot differ").into());
        };
        let after = (!after.is_empty()).then_some(after);
        let page = store.list(prefix, after, limit).await?;
        let known = page.objects.into_iter().map(|object| Known {
            key: object.key,
            size: object.size,
            etag: object.etag,
        });
        Ok(Side::of(known.collect(), page.next.is_none()))
    }

    /// A page of what the catalogue knows below `prefix`.
    pub(crate) async fn of_catalogue(
        &self,
        bucket: &Bucket,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Side> {
        let from = if after.is_empty() {
            Start::At(prefix.to_owned())
        } else {
            Start::After(after.to_owned())
        };
        let end = after_prefix(prefix);
        let files = sql::list::paths(self.db(), bucket.id, &from, end.as_deref(), limit).await?;
        let is_last = files.len() < limit;
        let known = files.into_iter().map(|file| Known {
            key: file.path.as_str().to_owned(),
            size: file.size,
            // As the store knows it; the file's own may be another.
            etag: file.object.map(|object| object.etag).unwrap_or_default(),
        });
        Ok(Side::of(known.collect(), is_last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn known(key: &str, etag: &str) -> Known {
        Known {
            key: key.to_owned(),
            size: 1,
            etag: etag.to_owned(),
        }
    }

    fn side(keys: &[(&str, &str)], is_last: bool) -> Side {
        Side::of(
            keys.iter().map(|(key, etag)| known(key, etag)).collect(),
            is_last,
        )
    }

    fn differences(step: &Step) -> Vec<(&str, Change)> {
        step.differences
            .iter()
            .map(|difference| (difference.key.as_str(), difference.would_be))
            .collect()
    }

    #[test]
    fn what_differs_is_told_and_what_does_not_is_counted() {
        let theirs = side(&[("a", "1"), ("b", "2"), ("d", "1")], true);
        let ours = side(&[("a", "1"), ("b", "1"), ("c", "1")], true);
        let step = compare("", theirs, ours).expect("in order");
        let expected = [
            ("b", Change::Updated),
            ("c", Change::Removed),
            ("d", Change::Added),
        ];
        assert_eq!(differences(&step), expected);
        assert_eq!((step.same, step.next), (1, None));
    }

    #[test]
    fn nothing_is_said_of_keys_that_one_side_has_not_come_to() {
        // The store may have more up to "z", of which its page does not tell.
        let step = compare(
            "",
            side(&[("a", "1"), ("b", "1")], false),
            side(&[("z", "1")], true),
        );
        let step = step.expect("in order");
        assert_eq!(
            differences(&step),
            [("a", Change::Added), ("b", Change::Added)]
        );
        assert_eq!(step.next.as_deref(), Some("b"));
        let step = compare(
            "",
            side(&[("z", "1")], true),
            side(&[("a", "1"), ("b", "1")], false),
        );
        let step = step.expect("in order");
        let gone = [("a", Change::Removed), ("b", Change::Removed)];
        assert_eq!(differences(&step), gone);
    }

    #[test]
    fn a_store_that_does_not_keep_to_the_order_is_not_believed() {
        let wrong: [(&str, &[(&str, &str)]); 3] = [
            ("", &[("b", "1"), ("a", "1")]),
            ("b", &[("a", "1")]),
            ("", &[("a", "1"), ("a", "1")]),
        ];
        for (after, keys) in wrong {
            let compared = compare(after, side(keys, true), side(&[], true));
            assert_eq!(compared, Err(OutOfOrder), "{keys:?}");
        }
    }

    #[test]
    fn what_is_hidden_or_no_path_is_no_file() {
        let theirs = side(&[(".longshore/x", "1"), ("a/../b", "1"), ("c", "1")], true);
        let step = compare("", theirs, side(&[], true)).expect("in order");
        assert_eq!(differences(&step), [("c", Change::Added)]);
        assert_eq!(step.skipped, 1);
    }

    fn page(of: &BTreeMap<String, String>, after: &str, limit: usize) -> Side {
        let following = of.iter().filter(|(key, _)| key.as_str() > after);
        let page: Vec<_> = following
            .take(limit)
            .map(|(key, etag)| known(key, etag))
            .collect();
        let is_last = page.len() < limit;
        Side::of(page, is_last)
    }

    proptest! {
        #[test]
        fn a_walk_in_pages_finds_what_differs_and_nothing_else(
            theirs in proptest::collection::btree_map("[a-d]{1,3}", "[12]", 0..30),
            ours in proptest::collection::btree_map("[a-d]{1,3}", "[12]", 0..30),
            (left, right) in (1_usize..6, 1_usize..6),
        ) {
            let mut found = BTreeMap::new();
            let (mut after, mut same) = (String::new(), 0);
            loop {
                let step = compare(&after, page(&theirs, &after, left), page(&ours, &after, right));
                let step = step.expect("in order");
                same += step.same;
                for difference in step.differences {
                    let key = difference.key.as_str().to_owned();
                    prop_assert!(found.insert(key, difference.would_be).is_none());
                }
                let Some(next) = step.next else { break };
                prop_assert!(next > after);
                after = next;
            }
            let mut expected = BTreeMap::new();
            let mut agreed = 0;
            for key in theirs.keys().chain(ours.keys()) {
                match (theirs.get(key), ours.get(key)) {
                    (Some(_), None) => { expected.insert(key.clone(), Change::Added); }
                    (None, Some(_)) => { expected.insert(key.clone(), Change::Removed); }
                    (Some(left), Some(right)) if left != right => {
                        expected.insert(key.clone(), Change::Updated);
                    }
                    _ => {}
                }
            }
            for (key, etag) in &theirs {
                agreed += u64::from(ours.get(key) == Some(etag));
            }
            prop_assert_eq!(found, expected);
            prop_assert_eq!(same, agreed);
        }
    }
}
