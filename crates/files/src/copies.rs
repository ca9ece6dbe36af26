//! Copies that are being made. The bytes of a large one take their time, and a client whose
//! patience ends before asks again: it is answered with the one that there is.

use crate::file::File;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What comes of a copy; nothing while it is made.
type Made = watch::Sender<Option<File>>;

/// The copies that are being made, by what was asked for. No more than there are requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copies(Arc<Mutex<HashMap<String, Arc<Made>>>>);

/// Who makes a copy.
#[derive(Debug)]
pub(crate) enum Maker {
    /// The one who asked.
    This(Making),
    /// Another one did, and this is it.
    Another(Box<File>),
}

/// A copy that is being made. Dropped without [`made`](Self::made), the next one who
/// asks for it makes it.
#[derive(Debug)]
pub(crate) struct Making {
    copies: Copies,
    wanted: String,
    made: Arc<Made>,
}

impl Copies {
    /// Begins to make a copy, or else waits until another one has made the same, which has the
    /// limits of whoever makes it.
    pub(crate) async fn begin(&self, wanted: &str) -> Maker {
        loop {
            let mut made = match self.join(wanted) {
                Ok(making) => return Maker::This(making),
                Err(made) => made,
            };
            let file = match made.wait_for(Option::is_some).await {
                Ok(file) => file.clone(),
                // It failed, or was given up: this one tries it.
                Err(_) => None,
            };
            if let Some(file) = file {
                return Maker::Another(Box::new(file));
            }
        }
    }

    fn join(&self, wanted: &str) -> Result<Making, watch::Receiver<Option<File>>> {
        let mut all = self.all();
        if let Some(made) = all.get(wanted) {
            return Err(made.subscribe());
        }
        let made = Arc::new(Made::new(None));
        all.insert(wanted.to_owned(), Arc::clone(&made));
        Ok(Making {
            copies: self.clone(),
            wanted: wanted.to_owned(),
            made,
        })
    }

    /// How many wait for another one.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        let all = self.all();
        all.values().map(|made| made.receiver_count()).sum()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Made>>> {
        // Nothing that it guards is left half-changed by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making {
    /// It is there.
    pub(crate) fn made(self, file: &File) {
        self.made.send_replace(Some(file.clone()));
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // Before those who wait are told: the next one finds none.
        self.copies.all().remove(&self.wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;
    use base::BucketId;

    async fn this(copies: &Copies, wanted: &str) -> Making {
        match copies.begin(wanted).await {
            Maker::This(making) => making,
            Maker::Another(file) => panic!("{file:?} is there already"),
        }
    }

    #[tokio::test]
    async fn who_asks_for_the_same_again_gets_the_one_that_is_made() {
        let copies = Copies::default();
        let file = Files::file_for_test(BucketId::new(), "a");
        let making = this(&copies, "a to b").await;
        drop(this(&copies, "a to c").await);
        let again = copies.begin("a to b");
        let ends = async { making.made(&file) };
        let (again, ()) = tokio::join!(again, ends);
        assert!(matches!(again, Maker::Another(made) if *made == file));
        // What is over is made anew.
        drop(this(&copies, "a to b").await);
        assert!(copies.all().is_empty());
    }

    #[tokio::test]
    async fn what_failed_is_tried_by_the_next() {
        let copies = Copies::default();
        let making = this(&copies, "a to b").await;
        let ends = async { drop(making) };
        let (next, ()) = tokio::join!(copies.begin("a to b"), ends);
        assert!(matches!(next, Maker::This(_)));
        drop(next);
        assert!(copies.all().is_empty());
    }
}
