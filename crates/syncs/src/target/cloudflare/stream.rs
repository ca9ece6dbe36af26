//! Films to Cloudflare Stream, by resumable uploads.
//!
//! Names are not unique there, and every film that is made is paid for. So the intent is
//! recorded before one is made, and its id and the upload's address right after, before
//! the first byte. An attempt that finds an address goes on from the offset that the
//! server has; one that finds none looks for the film by its exact name and our mark, takes
//! one that is whole, and removes those that nobody can go on with. One that does not say that
//! it is ours may be taken and is never removed.

use super::account::Account;
use super::answer::Answer;
use super::budget::{LEAST, LONGEST};
use super::door::Ask;
use super::filling::fill;
use super::mark::{Kinship, Mark};
use super::naming::Naming;
use super::tus::{self, Standing, Upload};
use super::videos::{Progress, Video};
use crate::target::{Checked, Delivered, Ground, Item, Receipt, Removed, State, Target, Trouble};
use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How much is sent at once, as Cloudflare recommends.
pub const CHUNK: u64 = 52_428_800;
/// What it takes at once.
const LEAST_CHUNK: u64 = 5_242_880;
const MOST_CHUNK: u64 = 209_715_200;
const CHUNK_STEP: u64 = 262_144;
/// The largest film that Stream takes: 30 GB.
const MOST: u64 = 30_000_000_000;
/// The longest name of a creator.
const MOST_CREATOR: usize = 64;
/// What an id of Stream's own looks like, and where its pictures are.
const USUAL_UID: &str = "0123456789abcdef0123456789abcdef";
const USUAL_HOST: &str = "https://customer-0123456789abcdef.cloudflarestream.com";
/// How long no film is made after Stream has said that it has too many to work on.
const CROWDED: Duration = Duration::from_secs(60);

/// How films are delivered.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// How names are made, by which a film is found again; `{id}` as a rule.
    pub naming: Naming,
    /// Whether the films are served by signed URLs alone.
    pub signed: bool,
    /// Who made them, for Cloudflare's own lists; at most 64 characters.
    pub creator: Option<String>,
    /// Bytes sent at once: from 5,242,880 to 209,715,200, a multiple of 262,144.
    pub chunk: u64,
    /// What names the sync, and never changes.
    pub owner: String,
}

/// Cloudflare Stream.
#[derive(Debug)]
pub struct Stream {
    account: Account,
    settings: StreamSettings,
}

/// What is recorded of a film.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Known {
    /// Its name there.
    name: String,
    /// What it is of.
    mark: String,
    /// Its id, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    /// Where its content goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Known {
    fn read(known: &Value) -> Option<Self> {
        Self::deserialize(known).ok()
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// What there is to go on with.
enum Found {
    /// A film with all its content, by its id.
    Whole(String),
    /// One whose content is still to come, in part or as a whole.
    Begun {
        uid: String,
        url: String,
    },
    Nothing,
}

impl StreamSettings {
    /// What suits most of the sync that `owner` names: films called as their keys.
    #[must_use]
    pub fn new(owner: &str) -> Self {
        Self {
            naming: Naming::plain(),
            signed: false,
            creator: None,
            chunk: CHUNK,
            owner: owner.to_owned(),
        }
    }
}

impl Stream {
    /// Films to the Stream of an account.
    ///
    /// # Errors
    /// What is wrong with the settings, and what to do.
    pub fn new(account: Account, settings: StreamSettings) -> Result<Self, String> {
        let chunk = settings.chunk;
        if !(LEAST_CHUNK..=MOST_CHUNK).contains(&chunk) || !chunk.is_multiple_of(CHUNK_STEP) {
            return Err(format!(
                "Cloudflare Stream takes no pieces of {chunk} bytes: give a multiple of \
                 {CHUNK_STEP} from {LEAST_CHUNK} to {MOST_CHUNK}, such as {CHUNK}"
            ));
        }
        let creator = settings.creator.as_deref().unwrap_or_default();
        if creator.chars().count() > MOST_CREATOR {
            return Err(format!("a creator has at most {MOST_CREATOR} characters"));
        }
        Ok(Self { account, settings })
    }

    /// What an earlier attempt has left to go on with.
    async fn find(
        &self,
        item: &Item,
        state: State,
        before: &Known,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<Found, Trouble> {
        let Some(uid) = &before.uid else {
            return self.search(item, &before.name, mark, ground).await;
        };
        if before.mark != mark.text() {
            ground.say(&format!("{}: its content is another by now", item.name));
            if let Some(video) = self.account.video(uid).await? {
                self.remove_ours(&video, mark).await?;
            }
            return Ok(Found::Nothing);
        }
        if let (State::Created, Some(url)) = (state, &before.url) {
            let upload = Upload::new(&self.account, url)?;
            if let Standing::At(at) = upload.standing().await? {
                ground.say(&format!("{}: goes on from byte {at}", item.name));
                return Ok(Found::Begun {
                    uid: uid.clone(),
                    url: url.clone(),
                });
            }
        }
        match self.account.video(uid).await? {
            Some(video) if video.is_whole() => Ok(Found::Whole(video.uid)),
            Some(video) => {
                // Nobody can send the rest of it any more, or it is none.
                ground.say(&format!("{}: begins anew, its upload is gone", item.name));
                self.remove_ours(&video, mark).await?;
                Ok(Found::Nothing)
            }
            None => Ok(Found::Nothing),
        }
    }

    /// Removes a film, if it says that it is of this sync and file.
    async fn remove_ours(&self, video: &Video, mark: &Mark) -> Result<Removed, Trouble> {
        if !video.kinship(mark).is_ours() {
            return Ok(Removed::Left);
        }
        self.account.remove_video(&video.uid).await?;
        Ok(Removed::Gone)
    }

    /// Removes what is there of a file by what was recorded, as far as it is wanted.
    async fn remove_if(
        &self,
        known: &Value,
        is_wanted: impl Fn(&Video) -> bool + Send,
    ) -> Result<Removed, Trouble> {
        let Some((known, mark)) =
            Known::read(known).and_then(|known| Mark::read(&known.mark).map(|mark| (known, mark)))
        else {
            return Ok(Removed::Left);
        };
        let Some(uid) = &known.uid else {
            // Perhaps it was made, and nobody heard of it.
            for video in self.account.videos_named(&known.name).await? {
                if is_wanted(&video) {
                    self.remove_ours(&video, &mark).await?;
                }
            }
            return Ok(Removed::Gone);
        };
        match self.account.video(uid).await? {
            Some(video) if is_wanted(&video) => self.remove_ours(&video, &mark).await,
            Some(_) => Ok(Removed::Left),
            None => Ok(Removed::Gone),
        }
    }

    /// Looks for a film that was made though nobody heard of it.
    async fn search(
        &self,
        item: &Item,
        name: &str,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<Found, Trouble> {
        let videos = self.account.videos_named(name).await?;
        let ours = |video: &&Video| video.is_whole() && video.kinship(mark) == Kinship::Same;
        let alike = |video: &&Video| video.may_be(mark, item.size);
        let kept = videos.iter().find(ours);
        let kept = kept.or_else(|| videos.iter().find(alike));
        let kept = kept.map(|video| video.uid.clone());
        for video in &videos {
            let is_spare = match video.kinship(mark) {
                Kinship::Same => Some(&video.uid) != kept.as_ref(),
                Kinship::Older => true,
                Kinship::Alike | Kinship::Unknown | Kinship::Other => false,
            };
            // A second whole one stays: somebody may show it.
            if is_spare && video.state != Progress::Ready {
                ground.say(&format!(
                    "{}: removes {}, which was made and never filled",
                    item.name, video.uid
                ));
                self.account.remove_video(&video.uid).await?;
            }
        }
        Ok(match kept {
            Some(uid) => {
                ground.say(&format!("{}: Cloudflare has it already", item.name));
                Found::Whole(uid)
            }
            None => Found::Nothing,
        })
    }

    /// Makes a film without content, and records where that goes.
    async fn create(
        &self,
        item: &Item,
        known: &mut Known,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<String, Trouble> {
        if let Some(after) = self.account.no_videos_for() {
            return Err(crowded(
                "Cloudflare Stream has too many films to work on",
                after,
            ));
        }
        ground.record(State::Intended, &known.value()).await?;
        let ask = self.ask(item, known, mark, ground);
        let answer = self.account.api().ask(ask).await?;
        let (uid, url) = self.made(&answer)?;
        known.uid = Some(uid.clone());
        known.url = Some(url.clone());
        if let Err(lost) = ground.record(State::Created, &known.value()).await {
            // Somebody else delivers it by now, and nobody will ever know of this one.
            if let Err(error) = self.account.remove_video(&uid).await {
                tracing::warn!(%error, uid, "a film that nobody fills could not be removed");
            }
            return Err(lost);
        }
        Ok(url)
    }

    fn ask(&self, item: &Item, known: &Known, mark: &Mark, ground: &dyn Ground) -> Ask<'static> {
        let mut first = vec![("name", known.name.clone())];
        if self.settings.signed {
            first.push(("requiresignedurls", "true".to_owned()));
        }
        let (beside, left_out) = mark.beside_a_video(item, &first);
        if !left_out.is_empty() {
            let left_out = left_out.join(", ");
            ground.say(&format!("{}: Stream cannot keep {left_out}", item.name));
        }
        let mut ask = Ask::new(Method::POST, "/stream", "the film")
            .header(tus::VERSION.0, tus::VERSION.1.to_owned())
            .header("Upload-Length", item.size.to_string())
            .header("Upload-Metadata", beside);
        if let Some(creator) = &self.settings.creator {
            ask = ask.header("Upload-Creator", creator.clone());
        }
        ask.makes_work = true;
        ask
    }

    /// The id and the address of a film that was made.
    fn made(&self, answer: &Answer) -> Result<(String, String), Trouble> {
        if let Err(said) = answer.success() {
            let text = said.text("the film");
            return Err(match said.status.as_u16() {
                429 => {
                    let after = said.after.unwrap_or(CROWDED).clamp(LEAST, LONGEST);
                    self.account.stop_videos(after);
                    crowded(&text, after)
                }
                413 => Trouble::Everything {
                    reason: format!(
                        "{text}; the minutes that the account may store are used up: remove films, \
                         or buy more"
                    ),
                },
                _ => said.trouble("the film"),
            });
        }
        let uid = answer.header("stream-media-id").map(str::to_owned);
        let url = answer.header("location").map(str::to_owned);
        uid.zip(url).ok_or_else(|| Trouble::Later {
            reason: "Cloudflare made the film and does not say where its content goes".to_owned(),
            after: None,
        })
    }

    /// How far a film is whose content has come.
    async fn watched(&self, uid: &str) -> Result<Delivered, Trouble> {
        match self.account.video(uid).await? {
            Some(video) => video.delivered(),
            // Lists lag behind what was done a moment ago.
            None => Ok(Delivered::Working {
                receipt: Receipt {
                    id: uid.to_owned(),
                    ..Receipt::default()
                },
                again: Duration::from_secs(10),
            }),
        }
    }
}

#[async_trait]
impl Target for Stream {
    fn unfit(&self, item: &Item) -> Option<String> {
        let given = item.media_type.split(';').next().unwrap_or_default().trim();
        if !given.starts_with("video/") {
            return Some(format!("Cloudflare Stream takes no {given}"));
        }
        if item.size == 0 {
            return Some("it is empty".to_owned());
        }
        if item.size > MOST {
            return Some(format!(
                "it has {} bytes, and Cloudflare Stream takes {MOST} at most",
                item.size
            ));
        }
        None
    }

    async fn deliver(
        &self,
        item: &Item,
        known: Option<(State, &Value)>,
        ground: &dyn Ground,
    ) -> Result<Delivered, Trouble> {
        let mark = Mark::new(&self.settings.owner, item);
        let mut now = Known {
            name: self.settings.naming.video_name(item),
            mark: mark.text(),
            uid: None,
            url: None,
        };
        let before = known.and_then(|(state, known)| Some((state, Known::read(known)?)));
        let mut found = match before {
            Some((state, before)) => self.find(item, state, &before, &mark, ground).await?,
            // Records may be lost, or be another program's: a look is cheaper than a film.
            None => self.search(item, &now.name, &mark, ground).await?,
        };
        let uid = loop {
            let url = match found {
                Found::Whole(uid) => break uid,
                Found::Begun { uid, url } => {
                    now.uid = Some(uid);
                    now.url = Some(url.clone());
                    url
                }
                Found::Nothing => {
                    (now.uid, now.url) = (None, None);
                    self.create(item, &mut now, &mark, ground).await?
                }
            };
            let upload = Upload::new(&self.account, &url)?;
            if fill(&upload, item, self.settings.chunk, ground).await? {
                break now.uid.clone().unwrap_or_default();
            }
            // It went away under our hands.
            found = self.find(item, State::Created, &now, &mark, ground).await?;
            if matches!(found, Found::Nothing) {
                return Err(Trouble::Later {
                    reason: "Cloudflare has given up the upload; it begins anew".to_owned(),
                    after: None,
                });
            }
        };
        now.uid = Some(uid.clone());
        ground.record(State::Uploaded, &now.value()).await?;
        self.watched(&uid).await
    }

    fn foresee(&self, _item: &Item) -> Result<Option<Receipt>, String> {
        Ok(Some(Receipt {
            id: USUAL_UID.to_owned(),
            thumbnail: Some(format!("{USUAL_HOST}/{USUAL_UID}/thumbnails/thumbnail.jpg")),
            known: None,
        }))
    }

    async fn look(&self, _item: &Item, known: &Value) -> Result<Option<Delivered>, Trouble> {
        let Some(uid) = Known::read(known).and_then(|known| known.uid) else {
            return Ok(None);
        };
        let video = self.account.video(&uid).await?;
        video.map(|video| video.delivered()).transpose()
    }

    async fn abandon(&self, known: &Value) -> Result<(), Trouble> {
        let is_unfinished = |video: &Video| !video.is_whole();
        self.remove_if(known, is_unfinished).await.map(drop)
    }

    async fn remove(&self, known: &Value) -> Result<Removed, Trouble> {
        self.remove_if(known, |_| true).await
    }

    async fn check(&self) -> Vec<Checked> {
        let mut checked = self.account.check_token().await;
        checked.push(self.account.check_stream().await);
        checked
    }
}

fn crowded(reason: &str, after: Duration) -> Trouble {
    Trouble::Paused {
        reason: reason.to_owned(),
        after,
    }
}
