//! What Cloudflare does not answer at all: it is given up after a while, and tried again
//! without a second copy.

use super::{images, kind, stream};
use crate::shore::{Cargo, Shore};
use crate::syncs::target::{Delivered, Target, Trouble};
use std::time::Duration;
use testing::{Cloudflare, Fault, Step};

/// Longer than anybody waits for an answer. By the clock of the test nobody does.
const AGES: Duration = Duration::from_secs(180);

/// One attempt, while which a request of this step finds nobody who answers.
async fn unanswered(
    cloudflare: &Cloudflare,
    step: Step,
    (target, cargo, shore): (&dyn Target, &Cargo, &Shore),
) -> Result<Delivered, Trouble> {
    let before = cloudflare.count(step);
    cloudflare.fail(step, Fault::silence());
    let known = shore.known();
    let known = known.as_ref().map(|(state, known)| (*state, known));
    let attempt = target.deliver(&cargo.item, known, shore);
    tokio::pin!(attempt);
    loop {
        tokio::select! {
            biased;
            ended = &mut attempt => return ended,
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
        // Once it is asked there is nothing to wait for but the end of its patience.
        if cloudflare.count(step) > before {
            tokio::time::pause();
            tokio::time::advance(AGES).await;
            tokio::time::resume();
        }
    }
}

#[tokio::test]
async fn what_nobody_answers_is_given_up_and_there_once_when_it_is_tried_again() {
    for (step, is_film) in [
        (Step::ImageCreate, false),
        (Step::VideoList, true),
        (Step::VideoCreate, true),
        (Step::UploadHead, true),
        (Step::UploadPatch, true),
        (Step::VideoGet, true),
    ] {
        let cloudflare = Cloudflare::start().await;
        let (pictures, films) = (images(&cloudflare), stream(&cloudflare));
        let (target, cargo) = if is_film {
            (&films as &dyn Target, Cargo::film("7", 300_000))
        } else {
            (&pictures as &dyn Target, Cargo::picture("7", 300_000))
        };
        let shore = Shore::of(&cargo);
        let first = unanswered(&cloudflare, step, (target, &cargo, &shore)).await;
        let trouble = first.expect_err("nobody answered");
        assert_eq!(kind(&trouble), "later", "{step:?}: {trouble}");
        shore.deliver(target, &cargo.item).await;
        let (images, videos) = (cloudflare.images(), cloudflare.videos());
        let there = if is_film {
            assert_eq!((images.len(), videos.len()), (0, 1), "{step:?}");
            &videos[0].sha256
        } else {
            assert_eq!((images.len(), videos.len()), (1, 0), "{step:?}");
            &images[0].sha256
        };
        assert_eq!(*there, cargo.sha256(), "{step:?}");
    }
}
