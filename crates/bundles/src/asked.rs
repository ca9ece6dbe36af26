//! What a bundle was asked to hold, for whoever wants to see it: the addresses, without
//! credentials, and the paths. Never headers.
//!
//! The list of a bundle may be 20 MB of JSON, and is read a page at a time: a few lists
//! are remembered as they are shown, up to a bound in bytes.

use crate::Bundles;
use crate::error::{Error, Result};
use base::{BundleId, OperationId};
use fetch::for_log;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Bytes of lists that are remembered.
const REMEMBERED: usize = 16 << 20;
/// What a source takes beside its texts.
const BESIDE: usize = size_of::<AskedSource>();

/// A source as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct AskedSource {
    /// The address, without credentials and query.
    #[schema(value_type = String)]
    url: Box<str>,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    path: Option<Box<str>>,
}

impl AskedSource {
    fn bytes(&self) -> usize {
        BESIDE + self.url.len() + self.path.as_ref().map_or(0, |path| path.len())
    }
}

/// All sources of one bundle.
pub(crate) type AskedList = Arc<[AskedSource]>;

/// The lists that were asked for last.
#[derive(Debug)]
pub(crate) struct AskedLists {
    newest_last: Mutex<VecDeque<(BundleId, AskedList, usize)>>,
    /// One is read at a time.
    reading: Semaphore,
}

impl Default for AskedLists {
    fn default() -> Self {
        Self {
            newest_last: Mutex::default(),
            reading: Semaphore::new(1),
        }
    }
}

impl AskedLists {
    fn lists(&self) -> MutexGuard<'_, VecDeque<(BundleId, AskedList, usize)>> {
        self.newest_last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, id: BundleId) -> Option<AskedList> {
        let mut lists = self.lists();
        let at = lists.iter().position(|(of, ..)| *of == id)?;
        let found = lists.remove(at)?;
        let list = Arc::clone(&found.1);
        lists.push_back(found);
        Some(list)
    }

    fn remember(&self, id: BundleId, list: &AskedList) {
        let bytes = list.iter().map(AskedSource::bytes).sum::<usize>() + BESIDE;
        if bytes > REMEMBERED {
            return;
        }
        let mut lists = self.lists();
        lists.retain(|(of, ..)| *of != id);
        lists.push_back((id, Arc::clone(list), bytes));
        while lists.iter().map(|(.., bytes)| bytes).sum::<usize>() > REMEMBERED {
            lists.pop_front();
        }
    }
}

impl Bundles {
    /// What a bundle was asked to hold, while its operation is on record.
    ///
    /// # Errors
    /// When there is no such bundle, or its operation is gone.
    pub(crate) async fn asked_of(&self, id: BundleId) -> Result<AskedList> {
        self.stored(id).await?;
        // A record that was removed is not shown from memory.
        if self.operation(id).await?.is_none() {
            return Err(Error::Forgotten);
        }
        let lists = self.asked();
        if let Some(list) = lists.remembered(id) {
            return Ok(list);
        }
        let _turn = lists.reading.acquire().await;
        // Another may have read it while this one waited.
        if let Some(list) = lists.remembered(id) {
            return Ok(list);
        }
        let input = match self.operations().input_text(OperationId::from(id)).await {
            Err(operations::Error::NoOperation(_)) => return Err(Error::Forgotten),
            input => input?,
        };
        let list = tokio::task::spawn_blocking(move || read(&input))
            .await
            .map_err(|_| operations::Error::Stopping)??;
        lists.remember(id, &list);
        Ok(list)
    }
}

/// The input of an operation, as far as it is shown.
fn read(input: &str) -> Result<AskedList> {
    #[derive(Deserialize)]
    struct Shown<'a> {
        #[serde(borrow)]
        sources: Vec<ShownSource<'a>>,
    }
    #[derive(Deserialize)]
    struct ShownSource<'a> {
        #[serde(borrow)]
        u: Cow<'a, str>,
        #[serde(default)]
        p: Option<Box<str>>,
    }
    let shown: Shown<'_> =
        serde_json::from_str(input).map_err(|_| operations::Error::Stored("input"))?;
    let sources = shown.sources.into_iter().map(|source| AskedSource {
        url: for_log(&source.u).into(),
        path: source.p,
    });
    Ok(sources.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(count: usize, length: usize) -> AskedList {
        let source = AskedSource {
            url: "x".repeat(length).into(),
            path: None,
        };
        vec![source; count].into()
    }

    #[test]
    fn neither_credentials_nor_headers_are_shown() {
        let input = r#"{"name":"a.zip","options":{},"sources":[
            {"u":"https://anna:geheim@a.example/x?key=geheim","p":"x.jpg","h":"c2VhbGVk"},
            {"u":"a \"quoted\" one"}]}"#;
        let shown = serde_json::to_value(&*read(input).expect("it is read")).expect("JSON");
        let expected = serde_json::json!([
            { "url": "https://a.example/x?…", "path": "x.jpg" },
            { "url": "a \"quoted\" one" }
        ]);
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_remembered_has_a_bound_and_the_oldest_goes_first() {
        let lists = AskedLists::default();
        let [one, two, three] = [1, 2, 3].map(|n| BundleId::from(uuid::Uuid::from_u128(n)));
        let half = list(1000, REMEMBERED / 2500);
        lists.remember(one, &half);
        lists.remember(two, &half);
        assert!(lists.remembered(one).is_some(), "and is the newest now");
        lists.remember(three, &half);
        assert!(lists.remembered(two).is_none());
        assert!(lists.remembered(one).is_some() && lists.remembered(three).is_some());
        lists.remember(two, &list(1000, REMEMBERED / 500));
        assert!(lists.remembered(two).is_none(), "too large by itself");
        assert!(lists.remembered(one).is_some());
    }
}
