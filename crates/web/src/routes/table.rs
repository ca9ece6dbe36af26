//! The table of what can be called and by whom, for people and for tests.

use super::{Requirement, RouteLimits};
use http::Method;
use utoipa::openapi::path::{Operation, PathItem};

/// One route.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its method. A GET answers HEAD, too.
    pub method: Method,
    /// Its path, with parameters in braces.
    pub path: String,
    /// A host on which it answers, where it does not on all that have none of their own.
    pub host: Option<&'static str>,
    /// What it requires.
    pub requirement: Requirement,
    /// What it takes.
    pub limits: RouteLimits,
}

impl Entry {
    /// Its path with something in the place of each parameter: an id, where it says
    /// `id`, or else a word.
    #[must_use]
    pub fn example_path(&self) -> String {
        let fill = |segment: &str| match segment.strip_prefix('{') {
            Some(name) if name.trim_end_matches('}').ends_with("id") => {
                "01890a5d-ac96-774b-bcce-b302099a8057".to_owned()
            }
            Some(_) => "example".to_owned(),
            None => segment.to_owned(),
        };
        let segments: Vec<String> = self.path.split('/').map(fill).collect();
        segments.join("/")
    }
}

/// Every route of the program.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    entries: Vec<Entry>,
}

impl RouteTable {
    pub(super) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| (&a.path, a.method.as_str()).cmp(&(&b.path, b.method.as_str())));
        Self { entries }
    }

    pub(super) fn with(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        Self::new(self.entries)
    }

    /// The routes, by path and method.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The operations of a path with their methods, to be changed.
pub(super) fn operations_mut(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::HEAD, &mut item.head),
        (Method::PATCH, &mut item.patch),
        (Method::TRACE, &mut item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
    .collect()
}
