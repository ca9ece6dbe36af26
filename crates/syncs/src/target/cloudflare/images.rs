//! Pictures to Cloudflare Images.
//!
//! A picture has an id of ours, which Cloudflare takes once: a second upload is refused
//! (5409), and what is there is compared by its mark, or byte by byte where it has none.
//! So a lost answer, a crash and a second worker all end in one picture. Pictures that
//! require signed URLs have ids of Cloudflare's own; they are found again by their mark.

use super::account::Account;
use super::answer::Answer;
use super::door::Ask;
use super::mark::{Kinship, Mark};
use super::multipart::Form;
use super::naming::Naming;
use super::pictures::beside;
use super::proof;
use crate::target::pouring::Pouring;
use crate::target::{Checked, Delivered, Ground, Item, Receipt, Removed, State, Target, Trouble};
use async_trait::async_trait;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest picture that Images takes, in bytes.
const MOST: u64 = 10 * 1000 * 1000;
/// What Images takes.
const TAKEN: [&str; 8] = [
    "image/png",
    "image/jpeg",
    "image/jpg",
    "image/gif",
    "image/webp",
    "image/svg+xml",
    "image/heic",
    "image/heif",
];
/// What it takes of accounts that pay for it.
const TAKEN_OF_SOME: &str = "image/avif";
/// What an id of Cloudflare's own looks like.
const USUAL_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";
/// How often in a row what is in the way is looked at.
const TURNS: u32 = 3;

/// How pictures are delivered.
#[derive(Clone, Debug)]
pub struct ImagesSettings {
    /// How ids are made. Without one an id is the key, or `file/KEY` where the key is a
    /// UUID, which Cloudflare takes for no id.
    pub naming: Option<Naming>,
    /// Whether the pictures are served by signed URLs alone. Cloudflare allows that only
    /// of pictures that have ids of its own, so the naming is not used then.
    pub signed: bool,
    /// Who made them, for Cloudflare's own lists.
    pub creator: Option<String>,
    /// Whether the account takes AVIF.
    pub avif: bool,
    /// What names the sync, and never changes: pictures that are its own may be replaced.
    pub owner: String,
}

/// Cloudflare Images.
#[derive(Debug)]
pub struct Images {
    account: Account,
    settings: ImagesSettings,
}

/// What is recorded of a picture.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Known {
    /// Its id; nothing while Cloudflare has not given one.
    id: Option<String>,
    /// What it is of.
    mark: String,
    /// Whether nothing beside it says what it is of: it was there before, and was compared.
    #[serde(default)]
    adopted: bool,
}

impl Known {
    fn read(known: &Value) -> Option<Self> {
        Self::deserialize(known).ok()
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether what is there under its id by now is still the picture that was delivered.
    fn is_still(&self, image: &Value) -> bool {
        let Some(mark) = Mark::read(&self.mark) else {
            return false;
        };
        match mark.kinship(beside(image)) {
            Kinship::Same | Kinship::Alike => true,
            // Nothing was ever beside it. Its bytes are not asked for at every look.
            Kinship::Unknown => self.adopted,
            Kinship::Older | Kinship::Other => false,
        }
    }
}

/// A picture that is the file.
struct There {
    id: String,
    /// Whether nothing beside it says so.
    adopted: bool,
}

/// What came of sending a picture.
enum Sent {
    There { id: String },
    InTheWay,
}

impl ImagesSettings {
    /// What suits most of the sync that `owner` names.
    #[must_use]
    pub fn new(owner: &str) -> Self {
        Self {
            naming: None,
            signed: false,
            creator: None,
            avif: false,
            owner: owner.to_owned(),
        }
    }
}

impl Images {
    /// Pictures to the Images of an account.
    #[must_use]
    pub const fn new(account: Account, settings: ImagesSettings) -> Self {
        Self { account, settings }
    }

    /// The id that a picture gets; nothing where Cloudflare gives one. An error says why
    /// Cloudflare takes none such.
    fn id_of(&self, item: &Item) -> Result<Option<String>, String> {
        if self.settings.signed {
            return Ok(None);
        }
        let id = match &self.settings.naming {
            Some(naming) => naming.image_id(item),
            None => Naming::suited(item).image_id(item),
        };
        id.map(Some)
    }

    /// Sends a picture and sees to what is in its way.
    async fn make(
        &self,
        item: &Item,
        known: &Known,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<There, Trouble> {
        for _ in 0..TURNS {
            match self.send(item, known.id.as_deref(), mark, ground).await? {
                Sent::There { id } => return Ok(There { id, adopted: false }),
                Sent::InTheWay => {
                    let id = known.id.as_deref().unwrap_or_default();
                    if let Some(there) = self.this(item, id, mark, ground).await? {
                        return Ok(there);
                    }
                }
            }
        }
        Err(Trouble::Later {
            reason: "a picture with the same id comes and goes at Cloudflare".to_owned(),
            after: None,
        })
    }

    async fn send(
        &self,
        item: &Item,
        id: Option<&str>,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<Sent, Trouble> {
        let door = self.account.images().await?;
        door.enter().await?;
        let form = self.form(item, id, mark, ground);
        let ask = Ask::new(Method::POST, "/images/v1", "the picture")
            .header("Content-Type", form.content_type.clone());
        let mut pouring = Pouring::open(ground, 0, item.size).await?;
        let answer = pouring
            .pour(form.before, item.size, form.after, |body| {
                door.send(ask, body)
            })
            .await?;
        match answer.result() {
            Ok(result) => Ok(Sent::There {
                id: given_id(&result, &answer)?,
            }),
            Err(said) if said.is_there_already() && id.is_some() => Ok(Sent::InTheWay),
            Err(said) => Err(said.trouble("the picture")),
        }
    }

    fn form(&self, item: &Item, id: Option<&str>, mark: &Mark, ground: &dyn Ground) -> Form {
        let (beside, left_out) = mark.beside_an_image(item);
        if !left_out.is_empty() {
            ground.say(&format!(
                "{}: no room at Cloudflare for {}",
                item.name,
                left_out.join(", ")
            ));
        }
        let mut fields = Vec::new();
        if let Some(id) = id {
            fields.push(("id", id));
        }
        fields.push(("metadata", beside.as_str()));
        if self.settings.signed {
            fields.push(("requireSignedURLs", "true"));
        }
        if let Some(creator) = &self.settings.creator {
            fields.push(("creator", creator.as_str()));
        }
        Form::new(&fields, &item.name, media_type(item))
    }

    /// The picture that is in the way, if it is the one that was to be made. One of the same
    /// file with an older content is removed; then the way is free.
    async fn this(
        &self,
        item: &Item,
        id: &str,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<Option<There>, Trouble> {
        let Some(image) = self.account.image(id).await? else {
            return Ok(None);
        };
        let kinship = mark.kinship(beside(&image));
        let same = match kinship {
            Kinship::Same | Kinship::Alike => true,
            Kinship::Older => {
                ground.say(&format!(
                    "{}: its older content at Cloudflare is replaced",
                    item.name
                ));
                self.account.remove_image(id).await?;
                return Ok(None);
            }
            Kinship::Unknown => proof::is_the_same(&self.account, id, item, ground).await?,
            Kinship::Other => false,
        };
        if !same {
            return Err(Trouble::Refused {
                reason: format!(
                    "another picture has the id `{id}` at Cloudflare already; remove it there, or \
                     set another template for ids"
                ),
            });
        }
        ground.say(&format!(
            "{}: Cloudflare has it already with the same content, by an upload whose answer \
             was lost",
            item.name
        ));
        Ok(Some(There {
            id: id.to_owned(),
            adopted: kinship == Kinship::Unknown,
        }))
    }

    /// Removes a picture, if it says that it is of this sync and file: one that was taken as
    /// delivered may be somebody else's.
    async fn remove_ours(&self, id: &str, mark: &Mark) -> Result<Removed, Trouble> {
        let Some(image) = self.account.image(id).await? else {
            return Ok(Removed::Gone);
        };
        if !mark.kinship(beside(&image)).is_ours() {
            return Ok(Removed::Left);
        }
        self.account.remove_image(id).await?;
        Ok(Removed::Gone)
    }

    /// Goes on with what an earlier attempt has begun; the picture if it has made it.
    async fn recognise(
        &self,
        item: &Item,
        known: &Known,
        mark: &Mark,
        ground: &dyn Ground,
    ) -> Result<Option<There>, Trouble> {
        if let Some(id) = &known.id {
            return self.this(item, id, mark, ground).await;
        }
        let found = self.account.image_marked(mark).await?;
        if found.is_some() {
            ground.say(&format!("{}: Cloudflare has it already", item.name));
        }
        Ok(found.map(|id| There { id, adopted: false }))
    }
}

#[async_trait]
impl Target for Images {
    fn unfit(&self, item: &Item) -> Option<String> {
        let given = media_type(item);
        let taken = TAKEN.contains(&given) || (self.settings.avif && given == TAKEN_OF_SOME);
        if !taken {
            return Some(format!("Cloudflare Images takes no {given}"));
        }
        if item.size == 0 {
            return Some("it is empty".to_owned());
        }
        if item.size > MOST {
            return Some(format!(
                "it has {} bytes, and Cloudflare Images takes {MOST} at most",
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
        let id = self.id_of(item);
        let id = id.map_err(|reason| Trouble::Refused { reason })?;
        let mut now = Known {
            id: id.clone(),
            mark: mark.text(),
            adopted: false,
        };
        let before = known.and_then(|(state, known)| Some((state, Known::read(known)?)));
        let mut made = None;
        if let Some((state, before)) = before {
            // Of another content, or under another name: it gives way to this one.
            let other = before.mark != now.mark || (now.id.is_some() && before.id != now.id);
            if other {
                if let Some(id) = before
                    .id
                    .filter(|id| state != State::Intended && now.id.as_ref() != Some(id))
                {
                    self.remove_ours(&id, &mark).await?;
                }
            } else {
                now.id = before.id;
                made = self.recognise(item, &now, &mark, ground).await?;
            }
        }
        let there = match made {
            Some(there) => there,
            None => {
                // An id of Cloudflare's own that is there no more.
                now.id = id;
                ground.record(State::Intended, &now.value()).await?;
                self.make(item, &now, &mark, ground).await?
            }
        };
        now.id = Some(there.id.clone());
        now.adopted = there.adopted;
        ground.arrived(item.size);
        ground.record(State::Uploaded, &now.value()).await?;
        Ok(Delivered::ready(&there.id))
    }

    fn foresee(&self, item: &Item) -> Result<Option<Receipt>, String> {
        let id = self.id_of(item)?;
        Ok(Some(Receipt {
            id: id.unwrap_or_else(|| USUAL_ID.to_owned()),
            ..Receipt::default()
        }))
    }

    async fn look(&self, _item: &Item, known: &Value) -> Result<Option<Delivered>, Trouble> {
        let Some(known) = Known::read(known) else {
            return Ok(None);
        };
        let Some(id) = &known.id else {
            return Ok(None);
        };
        let image = self.account.image(id).await?;
        let image = image.filter(|image| known.is_still(image));
        Ok(image.map(|_| Delivered::ready(id)))
    }

    async fn remove(&self, known: &Value) -> Result<Removed, Trouble> {
        let Some((known, mark)) =
            Known::read(known).and_then(|known| Mark::read(&known.mark).map(|mark| (known, mark)))
        else {
            return Ok(Removed::Left);
        };
        // Cloudflare gives its id, and perhaps nobody heard of it.
        let id = match known.id {
            Some(id) => Some(id),
            None => self.account.image_marked(&mark).await?,
        };
        match id {
            Some(id) => self.remove_ours(&id, &mark).await,
            None => Ok(Removed::Gone),
        }
    }

    async fn check(&self) -> Vec<Checked> {
        let mut checked = self.account.check_token().await;
        checked.push(self.account.check_images().await);
        checked
    }
}

/// The type without its parameters.
fn media_type(item: &Item) -> &str {
    item.media_type.split(';').next().unwrap_or_default().trim()
}

fn given_id(result: &Value, answer: &Answer) -> Result<String, Trouble> {
    let id = result["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Trouble::Later {
        reason: format!(
            "Cloudflare answered {} to the picture without an id",
            answer.status.as_u16()
        ),
        after: None,
    })
}
