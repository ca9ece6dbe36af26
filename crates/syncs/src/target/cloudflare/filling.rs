//! Filling an upload with the film: from where it stands, piece by piece, and on from where
//! a piece broke off as long as more comes there.

use super::tus::{Sent, Standing, Upload};
use crate::target::pouring::Pouring;
use crate::target::{Ground, Item, Trouble};
use bytes::Bytes;

/// How often in a row a piece that brought nothing is sent again within one attempt.
const TRIES: u32 = 3;

/// Sends what the upload has not yet; whether there is such an upload still.
pub(super) async fn fill(
    upload: &Upload<'_>,
    item: &Item,
    chunk: u64,
    ground: &dyn Ground,
) -> Result<bool, Trouble> {
    let Standing::At(mut at) = upload.standing().await? else {
        return Ok(false);
    };
    let (mut pouring, mut tries, mut most) = (None::<Pouring<'_>>, 0, at);
    while at < item.size {
        let length = chunk.min(item.size - at);
        let mut source = match pouring.take().filter(|source| source.at() == at) {
            Some(source) => source,
            None => Pouring::open(ground, at, item.size).await?,
        };
        let sending = source.pour(Bytes::new(), length, Bytes::new(), |piece| {
            upload.send(at, piece)
        });
        let trouble = match sending.await? {
            Sent::At(now) => {
                (at, most, tries) = (now, most.max(now), 0);
                pouring = Some(source);
                continue;
            }
            Sent::Gone => return Ok(false),
            Sent::Unsure(trouble) => trouble,
        };
        drop(source);
        let Standing::At(now) = upload.standing().await? else {
            return Ok(false);
        };
        tries = if now > most { 0 } else { tries + 1 };
        if tries >= TRIES || (now == at && tries > 0) {
            return Err(trouble);
        }
        ground.say(&format!(
            "{}: {trouble}; goes on from byte {now}",
            item.name
        ));
        (at, most) = (now, most.max(now));
    }
    ground.arrived(item.size);
    Ok(true)
}
