//! The process is gone in the middle: at every moment of every request and record, once
//! and again, and in the end there is one asset.

use super::{has_one_image, has_one_video, images, kind, stream, stream_in_pieces};
use crate::shore::{Cargo, Shore};
use crate::syncs::target::Target;
use testing::Cloudflare;

/// More moments than any delivery has.
const MOST: usize = 60;

/// Where it ends.
#[derive(Clone, Copy, Debug)]
enum Ends {
    AtCloudflare(usize),
    Ashore(usize),
}

/// An attempt that ends there, if it comes so far; whether it did end there.
async fn ends(
    ends: Ends,
    cloudflare: &Cloudflare,
    shore: &Shore,
    target: &dyn Target,
    cargo: &Cargo,
) -> bool {
    match ends {
        Ends::AtCloudflare(nth) => cloudflare.hold_at(nth),
        Ends::Ashore(nth) => shore.hold_at(nth),
    }
    let ended = tokio::select! {
        biased;
        () = async {
            match ends {
                Ends::AtCloudflare(_) => cloudflare.holds().await,
                Ends::Ashore(_) => shore.holds().await,
            }
        } => true,
        outcome = shore.attempt(target, &cargo.item) => {
            // What the last end left behind may be in the way for a moment.
            assert!(outcome.as_ref().is_err_and(|trouble| kind(trouble) == "later") || outcome.is_ok());
            false
        }
    };
    // What was under way is gone with its connections.
    cloudflare.let_go();
    shore.hold_at(0);
    ended
}

const fn every(nth: usize) -> [Ends; 2] {
    [Ends::AtCloudflare(nth), Ends::Ashore(nth)]
}

/// How a target is made, and what is to be there in the end.
struct Story {
    cargo: Cargo,
    target: fn(&Cloudflare) -> Box<dyn Target>,
    holds: fn(&Cloudflare, &Cargo),
}

impl Story {
    /// Ends there and perhaps there, then delivers; whether it came to the first end, and
    /// to the second.
    async fn told(&self, first: Ends, second: Option<Ends>) -> (bool, bool) {
        let cloudflare = Cloudflare::start().await;
        let (shore, target) = (Shore::of(&self.cargo), (self.target)(&cloudflare));
        let (target, cargo) = (target.as_ref(), &self.cargo);
        let once = ends(first, &cloudflare, &shore, target, cargo).await;
        let twice = match second {
            Some(second) if once => ends(second, &cloudflare, &shore, target, cargo).await,
            _ => false,
        };
        shore.deliver(target, &cargo.item).await;
        (self.holds)(&cloudflare, cargo);
        (once, twice)
    }

    /// Ends at every moment; how many there were.
    async fn once(&self) -> usize {
        let mut ended = 0;
        for nth in 1..MOST {
            let before = ended;
            for first in every(nth) {
                ended += usize::from(self.told(first, None).await.0);
            }
            if ended == before {
                break;
            }
        }
        ended
    }

    /// Ends at every moment and then at every other; how many pairs there were.
    async fn twice(&self) -> usize {
        let mut ended = 0;
        for first in (1..MOST).flat_map(every) {
            if matches!(first, Ends::AtCloudflare(_)) && !self.comes_to(first).await {
                break;
            }
            ended += self.after(first).await;
        }
        ended
    }

    /// Whether it comes so far, here or there.
    async fn comes_to(&self, first: Ends) -> bool {
        let (Ends::AtCloudflare(nth) | Ends::Ashore(nth)) = first;
        for first in every(nth) {
            if self.told(first, None).await.0 {
                return true;
            }
        }
        false
    }

    async fn after(&self, first: Ends) -> usize {
        let mut ended = 0;
        for nth in 1..MOST {
            let before = ended;
            for second in every(nth) {
                let (once, twice) = self.told(first, Some(second)).await;
                if !once {
                    return ended;
                }
                ended += usize::from(twice);
            }
            if ended == before {
                break;
            }
        }
        ended
    }
}

#[tokio::test]
async fn a_picture_is_there_once_after_two_ends_at_any_two_moments() {
    let story = Story {
        cargo: Cargo::picture("7", 150_000),
        target: |cloudflare| Box::new(images(cloudflare)),
        holds: has_one_image,
    };
    // Three moments of the request, one of opening, four of recording.
    let ended = story.once().await;
    assert_eq!(ended, 8);
    let pairs = story.twice().await;
    assert!(pairs > 8 * 4, "{pairs}");
}

#[tokio::test]
async fn a_film_is_there_once_after_an_end_at_any_moment() {
    let story = Story {
        cargo: Cargo::film("7", 6 << 20),
        target: |cloudflare| Box::new(stream_in_pieces(cloudflare)),
        holds: has_one_video,
    };
    // Two of searching, two of making, two of asking, six of two pieces, two of looking; one of opening, six
    // of recording.
    assert_eq!(story.once().await, 21);
}

#[tokio::test]
async fn a_film_is_there_once_after_two_ends_at_any_two_moments() {
    let story = Story {
        cargo: Cargo::film("7", 150_000),
        target: |cloudflare| Box::new(stream(cloudflare)),
        holds: has_one_video,
    };
    let pairs = story.twice().await;
    assert!(pairs > 16 * 8, "{pairs}");
}
