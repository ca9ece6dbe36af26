//! The films that Stream has: one by its id, those of a name, and how far each is.

use super::account::Account;
use super::door::Ask;
use super::mark::{Kinship, Mark};
use crate::target::{Delivered, Receipt, Trouble};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::time::Duration;

/// When it is worth to look again at a film that is worked on.
const SOON: Duration = Duration::from_secs(10);
const LATER: Duration = Duration::from_secs(30);
/// Films of so many bytes take longer than a moment.
const LARGE: u64 = 100 << 20;
/// The longest words of Stream's that are passed on.
const MOST_WORDS: usize = 300;

/// A film at Stream.
#[derive(Clone, Debug)]
pub(super) struct Video {
    pub(super) uid: String,
    pub(super) name: String,
    pub(super) state: Progress,
    size: u64,
    thumbnail: Option<String>,
    beside: Value,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its content has not come.
    Awaited,
    /// Its content is there and worked on.
    Working,
    Ready,
    /// It cannot be made into a film, for this reason.
    Failed(String),
}

impl Video {
    fn read(video: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let status = &video["status"];
        // Older answers have the state as a text of its own.
        let state = text(&status["state"]).or_else(|| text(status));
        let state = match state.as_deref().unwrap_or_default() {
            "pendingupload" => Progress::Awaited,
            "ready" => Progress::Ready,
            "error" => Progress::Failed(why(status)),
            _ if video["readyToStream"] == true => Progress::Ready,
            _ => Progress::Working,
        };
        Some(Self {
            uid: text(&video["uid"])?,
            name: text(&video["meta"]["name"]).unwrap_or_default(),
            state,
            size: video["size"].as_u64().unwrap_or_default(),
            thumbnail: text(&video["thumbnail"]).filter(|thumbnail| !thumbnail.is_empty()),
            beside: video["meta"].clone(),
        })
    }

    /// Whether it has all its content.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.state, Progress::Working | Progress::Ready)
    }

    pub(super) fn kinship(&self, mark: &Mark) -> Kinship {
        mark.kinship(&self.beside)
    }

    /// Whether it may be this file though it is not said to be of this sync: one of the
    /// same content, or of as many bytes where nothing is said of that.
    pub(super) fn may_be(&self, mark: &Mark, size: u64) -> bool {
        self.is_whole()
            && match self.kinship(mark) {
                Kinship::Alike => true,
                Kinship::Unknown => self.size == size,
                Kinship::Same | Kinship::Older | Kinship::Other => false,
            }
    }

    /// How far the delivery is by it.
    pub(super) fn delivered(&self) -> Result<Delivered, Trouble> {
        let receipt = Receipt {
            id: self.uid.clone(),
            thumbnail: self.thumbnail.clone(),
            known: None,
        };
        match &self.state {
            Progress::Ready => Ok(Delivered::Ready(receipt)),
            Progress::Awaited | Progress::Working => Ok(Delivered::Working {
                receipt,
                again: if self.size > LARGE { LATER } else { SOON },
            }),
            Progress::Failed(why) => Err(Trouble::Refused {
                reason: format!("Cloudflare Stream cannot make a film of it: {why}"),
            }),
        }
    }
}

/// Why it failed, by whichever name that is given.
fn why(status: &Value) -> String {
    let names = [
        "errorReasonText",
        "errReasonText",
        "errorReasonCode",
        "errReasonCode",
    ];
    let mut words = names.iter().filter_map(|name| status[*name].as_str());
    let words = words.find(|words| !words.is_empty());
    let words = words.unwrap_or("it gives no reason").trim_end_matches('.');
    words
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MOST_WORDS)
        .collect()
}

impl Account {
    /// The film with this id.
    pub(super) async fn video(&self, uid: &str) -> Result<Option<Video>, Trouble> {
        let path = video_path(uid);
        let doing = "to show the film";
        let answer = self.api().ask(Ask::get(&path, doing)).await?;
        match answer.result() {
            Ok(video) => Ok(Video::read(&video)),
            Err(said) if said.is_gone() => Ok(None),
            Err(said) => Err(said.trouble(doing)),
        }
    }

    /// The films with exactly this name.
    pub(super) async fn videos_named(&self, name: &str) -> Result<Vec<Video>, Trouble> {
        let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let path = format!("/stream?video_name={encoded}");
        let doing = "to list films";
        let answer = self.api().ask(Ask::get(&path, doing)).await?;
        let result = answer.result().map_err(|said| said.trouble(doing))?;
        let videos = result.as_array().map(Vec::as_slice).unwrap_or_default();
        let videos = videos.iter().filter_map(Video::read);
        Ok(videos.filter(|video| video.name == name).collect())
    }

    /// Removes a film. It is no error when there is none.
    pub(super) async fn remove_video(&self, uid: &str) -> Result<(), Trouble> {
        let path = video_path(uid);
        let doing = "to remove the film";
        let ask = Ask::new(Method::DELETE, &path, doing);
        let answer = self.api().ask(ask).await?;
        match answer.success() {
            Ok(()) => Ok(()),
            Err(said) if said.is_gone() => Ok(()),
            Err(said) => Err(said.trouble(doing)),
        }
    }
}

fn video_path(uid: &str) -> String {
    format!("/stream/{}", utf8_percent_encode(uid, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn video(status: Value) -> Video {
        Video::read(&json!({"uid": "u", "status": status, "thumbnail": "t"})).unwrap()
    }

    #[test]
    fn every_state_is_understood() {
        for (state, progress) in [
            ("pendingupload", Progress::Awaited),
            ("downloading", Progress::Working),
            ("queued", Progress::Working),
            ("inprogress", Progress::Working),
            ("something new", Progress::Working),
            ("ready", Progress::Ready),
        ] {
            assert_eq!(video(json!({ "state": state })).state, progress, "{state}");
        }
        assert_eq!(video(json!("ready")).state, Progress::Ready);
        let failed = |name: &str| {
            let failed = video(json!({"state": "error", name: "ERR_NON_VIDEO"}));
            failed.delivered().unwrap_err().to_string()
        };
        for name in ["errorReasonCode", "errReasonCode", "errorReasonText"] {
            assert!(failed(name).ends_with("ERR_NON_VIDEO"), "{name}");
        }
    }
}
