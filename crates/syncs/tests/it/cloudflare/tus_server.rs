//! Films by way of a tus server that is not ours: what we say is tus, not only what our
//! double takes for it.

use super::{stream, stream_in_pieces};
use crate::shore::{Cargo, Shore};
use testing::{Cloudflare, Fault, Step, StoredVideo, TusServer};

const MIB: u64 = 1 << 20;

/// Whether the server has this film alone, byte by byte.
fn has_one(server: &TusServer, cloudflare: &Cloudflare, cargo: &Cargo) {
    let videos = cloudflare.videos();
    let [
        StoredVideo {
            behind: Some(place),
            ..
        },
    ] = videos.as_slice()
    else {
        panic!("{videos:?}");
    };
    let came = std::fs::read(server.file(place)).unwrap();
    assert!(came == cargo.content.to_vec(), "{} bytes came", came.len());
}

#[tokio::test]
async fn a_film_of_several_pieces_is_whole_at_a_tus_server() {
    let Some(server) = TusServer::start().await else {
        return;
    };
    let cloudflare = Cloudflare::before(&server.url()).await;
    let cargo = Cargo::film("7", 12 * MIB + 1);
    let target = stream_in_pieces(&cloudflare);
    Shore::of(&cargo).deliver(&target, &cargo.item).await;
    has_one(&server, &cloudflare, &cargo);
    assert_eq!(cloudflare.count(Step::UploadPatch), 3);
}

#[tokio::test]
async fn a_film_goes_on_at_a_tus_server_after_breaks_and_ends() {
    let Some(server) = TusServer::start().await else {
        return;
    };
    let cloudflare = Cloudflare::before(&server.url()).await;
    let cargo = Cargo::film("7", 12 * MIB);
    let shore = Shore::of(&cargo);
    cloudflare.fail(Step::UploadPatch, Fault::hang_up().within(2 * MIB));
    // In the middle of the piece after that, the process ends: what comes is two moments
    // of searching, two of making, two of asking, one of the piece that breaks, two of asking again.
    cloudflare.hold_at(11);
    {
        let target = stream_in_pieces(&cloudflare);
        tokio::select! {
            biased;
            () = cloudflare.holds() => {}
            outcome = shore.attempt(&target, &cargo.item) => panic!("{outcome:?}"),
        }
    }
    cloudflare.let_go();
    let target = stream_in_pieces(&cloudflare);
    shore.deliver(&target, &cargo.item).await;
    has_one(&server, &cloudflare, &cargo);
    assert_eq!(cloudflare.count(Step::VideoCreate), 1);
    assert_eq!(server.uploads(), 1);
}

#[tokio::test]
async fn a_film_is_whole_at_a_tus_server_after_an_end_at_any_moment() {
    let Some(server) = TusServer::start().await else {
        return;
    };
    let cargo = Cargo::film("7", 300_000);
    for nth in 1.. {
        let cloudflare = Cloudflare::before(&server.url()).await;
        let (shore, target) = (Shore::of(&cargo), stream(&cloudflare));
        cloudflare.hold_at(nth);
        let ended = tokio::select! {
            biased;
            () = cloudflare.holds() => true,
            outcome = shore.attempt(&target, &cargo.item) => {
                outcome.unwrap();
                false
            }
        };
        cloudflare.let_go();
        if !ended {
            break;
        }
        shore.deliver(&target, &cargo.item).await;
        has_one(&server, &cloudflare, &cargo);
        assert!(nth < 40, "it never ends");
    }
}
