//! Many files at once while everything fails now and then: whatever the weather, each is
//! there once and whole. The weather is made of a number, so it is the same every time.

use super::{account, images_settings, passing, settings, stream_settings};
use crate::shore::{Cargo, Shore};
use crate::syncs::target::Target;
use crate::syncs::target::cloudflare::{Accounts, Images, Stream};
use testing::{Cloudflare, Fault, Step};

const PICTURES: u64 = 10;
const FILMS: u64 = 4;
/// Faults of one storm; fewer than a file has attempts, so that even one file may take
/// them all.
const FAULTS: u64 = 30;

const STEPS: [Step; 10] = [
    Step::ImageCreate,
    Step::ImageCreate,
    Step::ImageGet,
    Step::VideoCreate,
    Step::VideoCreate,
    Step::VideoList,
    Step::VideoGet,
    Step::VideoDelete,
    Step::UploadHead,
    Step::UploadPatch,
];

/// Numbers that look like chance (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        let (factor, step) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.0 = self.0.wrapping_mul(factor).wrapping_add(step);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn order(cloudflare: &Cloudflare, dice: &mut Dice) {
    let mut faults = passing();
    faults.extend([
        Fault::text(423, "busy"),
        Fault::page(429).header("Retry-After", "0"),
        Fault::said(429, 971, "slow down")
            .header("Retry-After", "0")
            .though_done(),
    ]);
    for _ in 0..FAULTS {
        let step = STEPS[dice.roll(STEPS.len())];
        let fault = faults[dice.roll(faults.len())].clone();
        // A locked image is not among what Cloudflare says.
        let fits = step == Step::UploadPatch || !format!("{fault:?}").contains("423");
        cloudflare.fail(step, if fits { fault } else { Fault::page(503) });
    }
}

/// All storms at the same time, each over an account of its own: a 429 pauses for a second
/// at least, and there are some in each.
#[tokio::test]
async fn many_files_at_once_are_there_once_each_in_any_weather() {
    futures::future::join_all((0..25).map(many_files_in)).await;
}

async fn many_files_in(seed: u64) {
    let cloudflare = Cloudflare::start().await;
    cloudflare.looks_until_ready(1);
    order(&cloudflare, &mut Dice(seed));
    let pictures = Images::new(account(&cloudflare), images_settings());
    let films = Stream::new(account(&cloudflare), stream_settings()).unwrap();
    let all: Vec<(Cargo, &dyn Target)> = (0..PICTURES)
        .map(|n| {
            (
                Cargo::picture(&n.to_string(), 20_000 + n),
                &pictures as &dyn Target,
            )
        })
        .chain((0..FILMS).map(|n| {
            let film = Cargo::film(&format!("film-{n}"), 40_000 + n);
            (film, &films as &dyn Target)
        }))
        .collect();
    let delivering = all.iter().map(|(cargo, target)| async move {
        let shore = Shore::of(cargo);
        shore.deliver(*target, &cargo.item).await.0
    });
    let mut ids = futures::future::join_all(delivering).await;
    ids.sort();
    let (images, videos) = (cloudflare.images(), cloudflare.videos());
    let mut there: Vec<_> = images.iter().map(|image| image.id.clone()).collect();
    there.extend(videos.iter().map(|video| video.uid.clone()));
    there.sort();
    assert_eq!(ids, there, "weather {seed}");
    let mut sums: Vec<_> = all.iter().map(|(cargo, _)| cargo.sha256()).collect();
    sums.sort();
    let mut came: Vec<_> = images.into_iter().map(|image| image.sha256).collect();
    came.extend(videos.into_iter().map(|video| video.sha256));
    came.sort();
    assert_eq!(sums, came, "weather {seed}");
}

#[tokio::test]
async fn pictures_by_the_way_of_batches_are_there_once_each_in_any_weather() {
    futures::future::join_all((100..110).map(batches_in)).await;
}

async fn batches_in(seed: u64) {
    let cloudflare = Cloudflare::start().await;
    order(&cloudflare, &mut Dice(seed));
    let mut settings = settings(&cloudflare);
    settings.batch = Some(cloudflare.batch());
    let account = Accounts::default()
        .open(settings, &super::client())
        .unwrap();
    let pictures = Images::new(account, images_settings());
    let cargos: Vec<_> = (0..PICTURES)
        .map(|n| Cargo::picture(&n.to_string(), 20_000 + n))
        .collect();
    let delivering = cargos.iter().map(|cargo| async {
        let shore = Shore::of(cargo);
        shore.deliver(&pictures, &cargo.item).await;
    });
    futures::future::join_all(delivering).await;
    assert_eq!(cloudflare.images().len(), cargos.len(), "weather {seed}");
}
