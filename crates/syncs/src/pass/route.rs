//! Which target takes a file.

use crate::delivery::Delivery;
use crate::rule::{Candidate, Meant, Route};
use crate::source::{Found, LookedAt};
use crate::target::Item;

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// This one of the rule's targets.
    Target(usize),
    /// That depends on its size, which is not known yet.
    BySize,
    /// None of them, for this reason.
    Nothing(String),
}

/// The first target that takes it.
pub(crate) fn choose(routes: &[Route], file: &Candidate<'_>) -> Chosen {
    for (index, route) in routes.iter().enumerate() {
        match route.when.means(file) {
            Meant::Yes => return Chosen::Target(index),
            // An earlier one may take it: later ones must not be asked before that is known.
            Meant::BySize => return Chosen::BySize,
            Meant::No => {}
        }
    }
    let kind = match file.media_type {
        "" => "of an unknown type".to_owned(),
        kind => format!("of the type {kind}"),
    };
    let size = file.size.map(|size| format!(" and {size} bytes"));
    Chosen::Nothing(format!(
        "no target of this sync takes files {kind}{}",
        size.unwrap_or_default()
    ))
}

impl<'a> From<&'a Found> for Candidate<'a> {
    fn from(found: &'a Found) -> Self {
        Self {
            place: &found.place,
            media_type: &found.media_type,
            size: found.size,
            metadata: &found.metadata,
        }
    }
}

impl<'a> From<(&'a Delivery, &'a Item)> for Candidate<'a> {
    fn from((delivery, item): (&'a Delivery, &'a Item)) -> Self {
        Self {
            place: &delivery.place,
            media_type: &item.media_type,
            size: Some(item.size),
            metadata: &item.metadata,
        }
    }
}

/// The name that people know a file by; where it has none, what names it in its source.
fn name_of(name: &str, key: &str) -> String {
    if name.is_empty() { key } else { name }.to_owned()
}

/// A file as a target sees it, as far as it is known before it is looked at.
impl From<&Found> for Item {
    fn from(found: &Found) -> Self {
        Self {
            key: found.key.clone(),
            name: name_of(&found.name, &found.key),
            media_type: found.media_type.clone(),
            // A size that is not known yet is no reason: one byte is too much for nobody.
            size: found.size.unwrap_or(1),
            content: found.content.clone(),
            md5: None,
            metadata: found.metadata.clone(),
        }
    }
}

/// The file of a delivery as a target sees it: with what was looked at, or as it was
/// recorded before.
pub(crate) fn item_of(delivery: &Delivery, looked: Option<&LookedAt>) -> Item {
    let said = looked.and_then(|looked| looked.media_type.clone());
    let recorded = Some(delivery.media_type.clone()).filter(|kind| !kind.is_empty());
    Item {
        key: delivery.item.clone(),
        name: name_of(&delivery.name, &delivery.item),
        media_type: said.or(recorded).unwrap_or_default(),
        size: looked.map_or_else(|| delivery.size.unwrap_or_default(), |looked| looked.size),
        content: looked
            .map(|looked| looked.content.clone())
            .or_else(|| delivery.content.clone()),
        md5: looked.and_then(|looked| looked.md5.clone()),
        metadata: delivery.metadata.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn chosen(media_type: &str, size: Option<u64>) -> Chosen {
        let to = json!({"kind": "webhook", "url": "https://a.example/"});
        let routes: Vec<Route> = serde_json::from_value(json!([
            {"name": "small", "when": {"types": ["image/*"], "max_size": 10}, "to": to},
            {"name": "images", "when": {"types": ["image/*"]}, "to": to},
            {"name": "videos", "when": {"types": ["video/*"]}, "to": to},
        ]))
        .expect("routes");
        choose(
            &routes,
            &Candidate {
                place: "a",
                media_type,
                size,
                metadata: &BTreeMap::new(),
            },
        )
    }

    #[test]
    fn a_file_without_a_name_goes_by_its_key() {
        let mut found = Found {
            key: "7".to_owned(),
            place: "a.png".to_owned(),
            name: String::new(),
            media_type: "image/png".to_owned(),
            size: None,
            content: None,
            seen: None,
            metadata: BTreeMap::new(),
            creator: None,
            asked: true,
        };
        assert_eq!(Item::from(&found).name, "7");
        "a picture".clone_into(&mut found.name);
        assert_eq!(Item::from(&found).name, "a picture");
    }

    #[test]
    fn the_first_target_that_takes_it_gets_it() {
        assert_eq!(chosen("image/png", Some(10)), Chosen::Target(0));
        assert_eq!(chosen("image/png", Some(11)), Chosen::Target(1));
        assert_eq!(chosen("image/png", None), Chosen::BySize);
        assert_eq!(chosen("video/mp4", None), Chosen::Target(2));
        let Chosen::Nothing(reason) = chosen("text/plain", Some(3)) else {
            panic!("nobody takes it");
        };
        assert_eq!(
            reason,
            "no target of this sync takes files of the type text/plain and 3 bytes"
        );
    }
}
