//! The pictures that Images has: one by its id, and those of a file.

use super::account::Account;
use super::door::Ask;
use super::mark::{Kinship, Mark};
use crate::target::Trouble;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// An id stands in a path as one segment, slashes and all.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Account {
    /// What Images has under an id.
    pub(super) async fn image(&self, id: &str) -> Result<Option<Value>, Trouble> {
        let path = image_path(id);
        let doing = "to show the picture";
        let answer = self.images().await?.ask(Ask::get(&path, doing)).await?;
        match answer.result() {
            Ok(image) => Ok(Some(image)),
            Err(said) if said.is_gone() => Ok(None),
            Err(said) => Err(said.trouble(doing)),
        }
    }

    /// Removes a picture. It is no error when there is none.
    pub(super) async fn remove_image(&self, id: &str) -> Result<(), Trouble> {
        let path = image_path(id);
        let doing = "to remove the picture";
        let ask = Ask::new(Method::DELETE, &path, doing);
        match self.images().await?.ask(ask).await?.success() {
            Ok(()) => Ok(()),
            Err(said) if said.is_gone() => Ok(()),
            Err(said) => Err(said.trouble(doing)),
        }
    }

    /// The id of a picture that has this very mark.
    pub(super) async fn image_marked(&self, mark: &Mark) -> Result<Option<String>, Trouble> {
        let (name, value) = mark.filter();
        let name = utf8_percent_encode(&name, SEGMENT);
        let path = format!("/images/v2?per_page=100&{name}={value}");
        let doing = "to list pictures";
        let answer = self.images().await?.ask(Ask::get(&path, doing)).await?;
        let result = answer.result().map_err(|said| said.trouble(doing))?;
        let images = result["images"].as_array();
        let mut images = images.map(Vec::as_slice).unwrap_or_default().iter();
        let ours = images.find(|image| mark.kinship(beside(image)) == Kinship::Same);
        Ok(ours.and_then(|image| image["id"].as_str().map(str::to_owned)))
    }
}

/// The path of a picture below its account.
pub(super) fn image_path(id: &str) -> String {
    format!("/images/v1/{}", utf8_percent_encode(id, SEGMENT))
}

/// What is kept beside a picture, under either of its names.
pub(super) fn beside(image: &Value) -> &Value {
    match &image["meta"] {
        Value::Null => &image["metadata"],
        beside => beside,
    }
}
