//! What real files say of themselves: pictures as Pillow, libwebp and libheif write them, films
//! as FFmpeg does, and one with its words where telephones have them. They were made for this,
//! of one colour each, and say that they were taken at 52° 30′ N, 13° 15′ W.

use super::*;
use crate::sniff;
use bytes::Bytes;
use std::io::Cursor;

/// 2024-05-06T07:08:09Z.
const TAKEN: i64 = 1_714_979_289;
/// The same by a clock of two hours east of there.
const TWO_HOURS: i64 = 2 * 3600;

struct Sample {
    name: &'static str,
    content: &'static [u8],
    media_type: &'static str,
    taken: i64,
    size: (u64, u64),
}

const SAMPLES: [Sample; 7] = [
    Sample {
        name: "picture.png",
        content: include_bytes!("samples/picture.png"),
        media_type: "image/png",
        taken: TAKEN,
        size: (48, 36),
    },
    Sample {
        name: "lossy.webp",
        content: include_bytes!("samples/lossy.webp"),
        media_type: "image/webp",
        taken: TAKEN,
        size: (48, 36),
    },
    Sample {
        name: "lossless.webp",
        content: include_bytes!("samples/lossless.webp"),
        media_type: "image/webp",
        taken: TAKEN,
        size: (48, 36),
    },
    Sample {
        name: "picture.heic",
        content: include_bytes!("samples/picture.heic"),
        media_type: "image/heif",
        // It says its zone, too.
        taken: TAKEN - TWO_HOURS,
        size: (128, 64),
    },
    Sample {
        name: "film.mp4",
        content: include_bytes!("samples/film.mp4"),
        media_type: "video/mp4",
        taken: TAKEN,
        size: (64, 48),
    },
    Sample {
        name: "film.mov",
        content: include_bytes!("samples/film.mov"),
        media_type: "video/quicktime",
        taken: TAKEN,
        size: (64, 48),
    },
    Sample {
        name: "telephone.mov",
        content: include_bytes!("samples/telephone.mov"),
        media_type: "video/quicktime",
        taken: TAKEN,
        size: (64, 48),
    },
];

impl Sample {
    fn says(&self) -> Media {
        // FFmpeg says it there in the box of 3GPP TS 26.244 (`loci`), which is not read.
        let tells_place = self.name != "film.mp4";
        Media {
            taken_at: Some(Timestamp::from_micros(self.taken * 1_000_000)),
            latitude: tells_place.then_some(52.5),
            longitude: tells_place.then_some(-13.25),
            width: Some(self.size.0),
            height: Some(self.size.1),
        }
    }
}

#[tokio::test]
async fn every_kind_of_picture_and_film_says_when_and_where_it_was_taken() {
    for sample in &SAMPLES {
        let sniffed = sniff::sniffed(sample.content);
        assert_eq!(sniffed, sample.media_type, "{}", sample.name);
        assert!(may_tell(sniffed), "{}", sample.name);
        let found = look(Cursor::new(Bytes::from_static(sample.content))).await;
        assert_eq!(found, sample.says(), "{}", sample.name);
    }
}

#[tokio::test]
async fn a_film_that_passes_says_the_same_without_its_pictures() {
    let mut films = 0;
    for sample in &SAMPLES {
        let mut passing = Passing::new();
        sample
            .content
            .chunks(100)
            .for_each(|bytes| passing.look(bytes));
        let film = passing.without_pictures();
        let is_film = sample.media_type.starts_with("video/");
        assert_eq!(film.is_some(), is_film, "{}", sample.name);
        let Some(film) = film else { continue };
        assert!(film.len() < sample.content.len(), "{}", sample.name);
        assert_eq!(
            look(Cursor::new(film)).await,
            sample.says(),
            "{}",
            sample.name
        );
        films += 1;
    }
    assert_eq!(films, 3);
}

#[test]
fn what_is_cut_short_says_nothing_that_is_not_so() {
    for sample in &SAMPLES {
        let says = sample.says();
        for length in 0..sample.content.len() {
            let found = read(&Cursor::new(&sample.content[..length]));
            let at = format!("{length} bytes of {}: {found:?}", sample.name);
            assert!(
                found.taken_at.is_none() || found.taken_at == says.taken_at,
                "{at}"
            );
            let place = (found.latitude, found.longitude);
            assert!(
                [(None, None), (says.latitude, says.longitude)].contains(&place),
                "{at}"
            );
            let size = (found.width, found.height);
            assert!(
                [(None, None), (says.width, says.height)].contains(&size),
                "{at}"
            );
        }
    }
}
