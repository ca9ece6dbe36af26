//! Films: one each, from where they broke off, and looked after until they are ready.

use super::{
    LEAST_CHUNK, account, has_one_video, kind, passing, shore, stream, stream_in_pieces,
    stream_settings,
};
use crate::shore::Cargo;
use crate::syncs::target::cloudflare::{Stream, StreamSettings};
use crate::syncs::target::{Delivered, Removed, State, Target, Trouble};
use serde_json::json;
use std::time::Duration;
use testing::{Cloudflare, Fault, Step};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn a_film_arrives_in_pieces_and_is_watched_until_it_is_ready() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.looks_until_ready(2);
    let mut cargo = Cargo::film("7", 12 * MIB + 1);
    cargo
        .item
        .metadata
        .insert("createdAt".to_owned(), json!("2024-05-01"));
    let settings = StreamSettings {
        signed: true,
        creator: Some("anna".to_owned()),
        chunk: LEAST_CHUNK,
        ..stream_settings()
    };
    let target = Stream::new(account(&cloudflare), settings).unwrap();
    let shore = shore(&cargo);
    let first = shore.attempt(&target, &cargo.item).await.unwrap();
    assert!(matches!(first, Delivered::Working { .. }), "{first:?}");
    let (state, known) = shore.known().unwrap();
    assert_eq!(state, State::Uploaded);
    let mut looks = 0;
    let receipt = loop {
        looks += 1;
        match target.look(&cargo.item, &known).await.unwrap().unwrap() {
            Delivered::Ready(receipt) => break receipt,
            Delivered::Working { .. } => assert!(looks < 5),
        }
    };
    has_one_video(&cloudflare, &cargo);
    let video = &cloudflare.videos()[0];
    assert_eq!(receipt.id, video.uid);
    assert!(receipt.thumbnail.unwrap().ends_with("thumbnail.jpg"));
    assert_eq!(video.name, "7");
    assert_eq!(video.meta["createdAt"], "2024-05-01");
    assert_eq!(video.meta["requiresignedurls"], "true");
    assert_eq!(video.creator.as_deref(), Some("anna"));
    assert_eq!(cloudflare.count(Step::UploadPatch), 3);
    // One stream of the source, cut as it comes.
    assert_eq!(shore.times_opened(), 1);
    assert_eq!(shore.arrived_bytes(), cargo.item.size);
}

#[tokio::test]
async fn a_piece_that_broke_off_goes_on_from_where_the_server_stands() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream_in_pieces(&cloudflare), Cargo::film("7", 12 * MIB));
    cloudflare.fail(Step::UploadPatch, Fault::hang_up().within(3 * MIB));
    cloudflare.fail(Step::UploadPatch, Fault::page(524).within(MIB));
    let shore = shore(&cargo);
    let done = shore.attempt(&target, &cargo.item).await.unwrap();
    assert!(matches!(done, Delivered::Ready(_)), "{done:?}");
    has_one_video(&cloudflare, &cargo);
    let lines = shore.lines();
    assert!(
        lines.contains(&format!("goes on from byte {}", 3 * MIB)),
        "{lines}"
    );
    assert!(
        lines.contains(&format!("goes on from byte {}", 4 * MIB)),
        "{lines}"
    );
}

#[tokio::test]
async fn what_passes_at_any_step_is_tried_again_and_makes_one_film() {
    for step in [
        Step::VideoCreate,
        Step::UploadHead,
        Step::UploadPatch,
        Step::VideoGet,
    ] {
        for fault in passing() {
            let cloudflare = Cloudflare::start().await;
            let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
            cloudflare.fail(step, fault.clone());
            let shore = shore(&cargo);
            shore.deliver(&target, &cargo.item).await;
            has_one_video(&cloudflare, &cargo);
        }
    }
}

#[tokio::test]
async fn a_film_whose_making_nobody_heard_of_is_made_once_more_and_the_spare_one_removed() {
    for (step, fault) in [
        (Step::VideoList, Fault::page(502)),
        (Step::VideoDelete, Fault::page(502)),
        (Step::VideoDelete, Fault::hang_up().though_done()),
    ] {
        let cloudflare = Cloudflare::start().await;
        let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
        // Somebody else's of the same name, which is nobody's to remove.
        let theirs = cloudflare.put_video("7", b"another film");
        cloudflare.fail(Step::VideoCreate, Fault::hang_up().though_done());
        cloudflare.fail(step, fault);
        let shore = shore(&cargo);
        let (uid, _) = shore.deliver(&target, &cargo.item).await;
        assert!(
            shore.lines().contains("was made and never filled"),
            "{}",
            shore.lines()
        );
        let videos = cloudflare.videos();
        let uids: Vec<_> = videos.iter().map(|video| video.uid.clone()).collect();
        assert_eq!(uids, [theirs, uid]);
        assert_eq!(videos[1].sha256, cargo.sha256());
    }
}

#[tokio::test]
async fn a_film_of_before_longshore_is_taken_as_delivered() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
    let theirs = cloudflare.put_video("7", &cargo.content.to_vec());
    let (uid, _) = shore(&cargo).deliver(&target, &cargo.item).await;
    assert_eq!(uid, theirs);
    has_one_video(&cloudflare, &cargo);
    assert_eq!(cloudflare.count(Step::VideoCreate), 0);
}

#[tokio::test]
async fn a_film_is_recognised_when_every_record_of_it_is_lost() {
    let cloudflare = Cloudflare::start().await;
    let cargo = Cargo::film("7", 200_000);
    shore(&cargo)
        .deliver(&stream(&cloudflare), &cargo.item)
        .await;
    // Another sync, as one is after a new beginning.
    let target = Stream::new(account(&cloudflare), StreamSettings::new("another")).unwrap();
    shore(&cargo).deliver(&target, &cargo.item).await;
    has_one_video(&cloudflare, &cargo);
    // But not for another content.
    let changed = cargo.changed();
    shore(&changed).deliver(&target, &changed.item).await;
    assert_eq!(cloudflare.videos().len(), 2);
}

#[tokio::test]
async fn an_upload_that_another_request_holds_is_asked_where_it_stands() {
    for status in [409, 423] {
        let cloudflare = Cloudflare::start().await;
        let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
        cloudflare.fail(Step::UploadPatch, Fault::text(status, "busy"));
        let shore = shore(&cargo);
        let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
        assert_eq!(kind(&trouble), "later", "{trouble}");
        assert_eq!(cloudflare.count(Step::UploadHead), 2);
        shore.deliver(&target, &cargo.item).await;
        has_one_video(&cloudflare, &cargo);
    }
}

#[tokio::test]
async fn an_upload_that_is_gone_begins_anew_and_leaves_no_spare_film() {
    // Or its address allows nothing any more.
    for status in [403, 404, 410] {
        for step in [Step::UploadHead, Step::UploadPatch] {
            let cloudflare = Cloudflare::start().await;
            let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
            cloudflare.fail(step, Fault::text(status, "gone"));
            if step == Step::UploadPatch {
                // What is behind the next question is the same.
                cloudflare.fail(Step::UploadHead, Fault::page(503));
            }
            shore(&cargo).deliver(&target, &cargo.item).await;
            has_one_video(&cloudflare, &cargo);
        }
    }
}

#[tokio::test]
async fn a_film_that_somebody_took_away_is_made_anew() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
    cloudflare.fail(Step::UploadPatch, Fault::hang_up());
    let shore = shore(&cargo);
    shore.attempt(&target, &cargo.item).await.unwrap_err();
    let uid = cloudflare.videos()[0].uid.clone();
    cloudflare.take_video(&uid);
    let (again, _) = shore.deliver(&target, &cargo.item).await;
    assert_ne!(again, uid);
    has_one_video(&cloudflare, &cargo);
    let (_, known) = shore.known().unwrap();
    target.remove(&known).await.unwrap();
    target.remove(&known).await.unwrap();
    assert_eq!(target.look(&cargo.item, &known).await, Ok(None));
}

#[tokio::test]
async fn another_content_takes_the_place_of_a_film_that_was_begun() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
    cloudflare.fail(Step::UploadPatch, Fault::hang_up().within(1000));
    cloudflare.fail(Step::UploadHead, Fault::page(500));
    let first = shore(&cargo);
    let _ = first.attempt(&target, &cargo.item).await;
    let changed = cargo.changed();
    let second = shore(&changed);
    second.take_over(&first);
    second.deliver(&target, &changed.item).await;
    has_one_video(&cloudflare, &changed);
}

#[tokio::test]
async fn too_many_films_at_work_pause_films_and_nothing_else() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 2000));
    let crowded = Fault::said(429, 10013, "queue is full").header("Retry-After", "90");
    cloudflare.fail(Step::VideoCreate, crowded);
    for _ in 0..2 {
        let trouble = shore(&cargo)
            .attempt(&target, &cargo.item)
            .await
            .unwrap_err();
        let Trouble::Paused { after, .. } = trouble else {
            panic!("{trouble:?}");
        };
        assert!(after <= Duration::from_secs(90) && after > Duration::from_secs(60));
    }
    assert_eq!(cloudflare.count(Step::VideoCreate), 1);
    assert!(cloudflare.videos().is_empty());
}

#[tokio::test]
async fn who_asks_for_longer_than_any_clock_reaches_is_asked_after_a_day() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 2000));
    let crowded = Fault::said(429, 10013, "queue is full");
    let crowded = crowded.header("Retry-After", "99999999999999999999");
    cloudflare.fail(Step::VideoCreate, crowded);
    let trouble = shore(&cargo).attempt(&target, &cargo.item).await;
    let Trouble::Paused { after, .. } = trouble.unwrap_err() else {
        panic!("it is no pause");
    };
    assert_eq!(after, Duration::from_secs(24 * 3600));
}

#[tokio::test]
async fn what_was_begun_of_a_film_is_given_up_and_nothing_else() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 200_000));
    let theirs = cloudflare.put_video("7", b"another film");
    let others = || {
        let videos = cloudflare.videos();
        let uids = videos.iter().map(|video| video.uid.clone());
        uids.filter(|uid| *uid != theirs).count()
    };
    // Its content has come in part; or nobody heard that it was made.
    let (in_part, unheard) = (shore(&cargo), shore(&cargo));
    in_part.breaks_after(100_000);
    for (begun, is_heard_of) in [(in_part, true), (unheard, false)] {
        if !is_heard_of {
            cloudflare.fail(Step::VideoCreate, Fault::hang_up().though_done());
        }
        begun.attempt(&target, &cargo.item).await.unwrap_err();
        assert_eq!(others(), 1);
        let (_, known) = begun.known().unwrap();
        target.abandon(&known).await.unwrap();
        assert_eq!(others(), 0);
    }
    // What is served stays.
    let whole = shore(&cargo);
    whole.deliver(&target, &cargo.item).await;
    let (_, known) = whole.known().unwrap();
    target.abandon(&known).await.unwrap();
    assert_eq!(others(), 1);
}

#[tokio::test]
async fn a_film_that_was_taken_as_delivered_and_is_somebody_elses_stays() {
    let cloudflare = Cloudflare::start().await;
    let cargo = Cargo::film("7", 200_000);
    let ours = shore(&cargo);
    // Of before Longshore: nothing says whose it is.
    cloudflare.put_video("7", &cargo.content.to_vec());
    let target = stream(&cloudflare);
    ours.deliver(&target, &cargo.item).await;
    let (_, known) = ours.known().unwrap();
    assert_eq!(target.remove(&known).await, Ok(Removed::Left));
    // Another content is another film beside it.
    let changed = cargo.changed();
    let second = shore(&changed);
    second.take_over(&ours);
    second.deliver(&target, &changed.item).await;
    assert_eq!(cloudflare.videos().len(), 2);
    let (_, known) = second.known().unwrap();
    assert_eq!(target.remove(&known).await, Ok(Removed::Gone));
    has_one_video(&cloudflare, &cargo);
}

#[tokio::test]
async fn minutes_that_are_used_up_end_the_sync_and_not_the_file() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 2000));
    cloudflare.fail(
        Step::VideoCreate,
        Fault::said(413, 10011, "Storage capacity exceeded"),
    );
    let trouble = shore(&cargo)
        .attempt(&target, &cargo.item)
        .await
        .unwrap_err();
    assert_eq!(kind(&trouble), "everything");
    assert!(trouble.to_string().contains("minutes"), "{trouble}");
}

#[tokio::test]
async fn what_cannot_be_made_into_a_film_is_refused_and_made_anew_when_asked_again() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 2000));
    cloudflare.refuse_films("The file was not recognized as a valid video file.");
    let shore = shore(&cargo);
    let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert_eq!(kind(&trouble), "refused");
    assert!(trouble.to_string().contains("not recognized"), "{trouble}");
    let before = cloudflare.videos()[0].uid.clone();
    shore.attempt(&target, &cargo.item).await.unwrap_err();
    let videos = cloudflare.videos();
    assert_eq!(videos.len(), 1);
    assert_ne!(videos[0].uid, before);
}

#[tokio::test]
async fn a_source_that_breaks_off_says_so_and_goes_on_later() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 300_000));
    let shore = shore(&cargo);
    shore.breaks_after(200_000);
    let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert_eq!(trouble.to_string(), "the source fell into the water");
    shore.breaks_after(u64::MAX);
    shore.deliver(&target, &cargo.item).await;
    has_one_video(&cloudflare, &cargo);
    assert_eq!(cloudflare.count(Step::VideoCreate), 1);
}

#[tokio::test]
async fn pieces_that_stream_does_not_take_are_refused_at_the_start() {
    let cloudflare = Cloudflare::start().await;
    for chunk in [
        0,
        5_000_000,
        LEAST_CHUNK - 262_144,
        LEAST_CHUNK + 1,
        209_715_200 + 262_144,
    ] {
        let settings = StreamSettings {
            chunk,
            ..stream_settings()
        };
        let why = Stream::new(account(&cloudflare), settings).unwrap_err();
        assert!(why.contains("52428800"), "{why}");
    }
    let cargo = Cargo::picture("7", 1);
    assert!(stream(&cloudflare).unfit(&cargo.item).is_some());
    let mut film = Cargo::film("7", 1);
    film.item.size = 30_000_000_001;
    assert!(stream(&cloudflare).unfit(&film.item).is_some());
}

#[tokio::test]
async fn a_film_that_was_perhaps_made_is_removed_and_nobody_elses() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 2000));
    let theirs = cloudflare.put_video("7", b"another film");
    cloudflare.fail(Step::VideoCreate, Fault::hang_up().though_done());
    let shore = shore(&cargo);
    shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert_eq!(cloudflare.videos().len(), 2);
    let (_, known) = shore.known().unwrap();
    target.remove(&known).await.unwrap();
    let videos = cloudflare.videos();
    assert_eq!(videos.len(), 1);
    assert_eq!(videos[0].uid, theirs);
}

#[tokio::test]
async fn whoever_lost_a_delivery_while_it_made_a_film_leaves_none() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (stream(&cloudflare), Cargo::film("7", 2000));
    let shore = shore(&cargo);
    shore.refuses(State::Created);
    let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert!(trouble.to_string().contains("somebody else's"), "{trouble}");
    assert!(cloudflare.videos().is_empty());
    assert_eq!(cloudflare.count(Step::UploadPatch), 0);
}
