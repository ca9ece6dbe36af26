//! What pictures and videos say of themselves: when and where they were taken, and how
//! large they are. It is a hint for who looks for them, and no content is refused for it.

pub(crate) mod movie;
mod passing;

pub(crate) use passing::Passing;

use crate::file::File;
use base::Timestamp;
use nom_exif::{Exif, ExifDateTime, ExifTag, GPSInfo, MediaKind, MediaParser, MediaSource};
use nom_exif::{TrackInfo, TrackInfoTag};
use std::io::{BufReader, Read, Seek};
use std::time::Duration;

/// The most bytes of a content that are looked at.
pub(crate) const LOOK: u64 = 32 * 1024 * 1024;
/// So many of its first bytes are looked at where the rest is far away.
pub(crate) const BEGINNING: usize = 256 * 1024;
/// How long looking may take. A file that takes longer is stored without it.
const PATIENCE: Duration = Duration::from_secs(5);
/// A degree beyond which there is none.
const MOST_LATITUDE: f64 = 90.0;
const MOST_LONGITUDE: f64 = 180.0;

/// What was found.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Media {
    taken_at: Option<Timestamp>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    width: Option<u64>,
    height: Option<u64>,
}

impl Media {
    /// Notes it with the file.
    pub(crate) fn describe(self, file: &mut File) {
        file.taken_at = self.taken_at;
        file.latitude = self.latitude;
        file.longitude = self.longitude;
        file.width = self.width;
        file.height = self.height;
    }
}

/// Whether a content of this type may say something of itself.
pub(crate) fn may_tell(sniffed: &str) -> bool {
    sniffed.starts_with("image/") || sniffed.starts_with("video/")
}

/// What the content says; nothing where it says nothing that is understood. A clone of
/// the reader begins at its beginning, and it ends in time.
pub(crate) async fn look(reader: impl Read + Seek + Clone + Send + 'static) -> Media {
    let reading = tokio::task::spawn_blocking(move || read(&reader));
    // A parser that panics at a strange content is no reason to refuse it.
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(media)) => media,
        Ok(Err(_)) | Err(_) => Media::default(),
    }
}

fn read(reader: &(impl Read + Seek + Clone)) -> Media {
    let mut media = Media::default();
    if let Ok(size) = imagesize::reader_size(BufReader::new(reader.clone())) {
        media.width = Some(size.width as u64);
        media.height = Some(size.height as u64);
    }
    parse(reader.clone(), &mut media);
    media
}

fn parse(reader: impl Read + Seek, media: &mut Media) {
    let Ok(source) = MediaSource::seekable(reader) else {
        return;
    };
    let mut parser = MediaParser::new();
    match source.kind() {
        MediaKind::Image => {
            if let Ok(found) = parser.parse_exif(source) {
                of_image(&found.into(), media);
            }
        }
        MediaKind::Track => {
            if let Ok(found) = parser.parse_track(source) {
                of_track(&found, media);
            }
        }
    }
}

fn of_image(exif: &Exif, media: &mut Media) {
    let date = [ExifTag::DateTimeOriginal, ExifTag::CreateDate]
        .into_iter()
        .find_map(|tag| exif.get(tag)?.as_datetime());
    media.taken_at = date.and_then(timestamp);
    place(exif.gps_info(), media);
    let pixels = |tag| {
        let value = exif.get(tag)?.try_as_integer()?;
        u64::try_from(value).ok().filter(|value| *value > 0)
    };
    if media.width.is_none() {
        media.width = pixels(ExifTag::ExifImageWidth);
        media.height = pixels(ExifTag::ExifImageHeight);
    }
}

fn of_track(track: &TrackInfo, media: &mut Media) {
    let date = track.get(TrackInfoTag::CreateDate);
    media.taken_at = date.and_then(|date| timestamp(date.as_datetime()?));
    place(track.gps_info(), media);
    let pixels = |tag| track.get(tag)?.as_u32().map(u64::from);
    if media.width.is_none() {
        media.width = pixels(TrackInfoTag::Width);
        media.height = pixels(TrackInfoTag::Height);
    }
}

/// A time without a zone counts as UTC. What lies before 1970 or beyond 9999 is an
/// unset clock.
fn timestamp(date: ExifDateTime) -> Option<Timestamp> {
    let seconds = match date.aware() {
        Some(date) => date.timestamp(),
        None => date.into_naive().and_utc().timestamp(),
    };
    let possible = (1..253_402_300_800).contains(&seconds);
    possible.then(|| Timestamp::from_micros(seconds * 1_000_000))
}

fn place(gps: Option<&GPSInfo>, media: &mut Media) {
    let Some(gps) = gps else { return };
    if let (Some(latitude), Some(longitude)) = (gps.latitude_decimal(), gps.longitude_decimal())
        && latitude.abs() <= MOST_LATITUDE
        && longitude.abs() <= MOST_LONGITUDE
        // Nothing was measured: zeros are what is written then.
        && (latitude, longitude) != (0.0, 0.0)
    {
        media.latitude = Some(latitude);
        media.longitude = Some(longitude);
    }
}

#[cfg(test)]
mod tests;
