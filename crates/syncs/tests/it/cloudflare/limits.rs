//! Cloudflare's limit of requests, shared by all syncs of an account.

use super::{client, images, images_settings, kind, settings, shore, stream_settings};
use crate::shore::Cargo;
use crate::syncs::target::Trouble;
use crate::syncs::target::cloudflare::{Accounts, Images, Stream};
use serde_json::json;
use std::time::Duration;
use testing::{Cloudflare, Fault, Step};

#[tokio::test]
async fn syncs_of_one_account_stop_together_before_the_limit_and_ask_nothing_more() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.limit(3, 3600);
    let (accounts, client) = (Accounts::default(), client());
    let open = || accounts.open(settings(&cloudflare), &client).unwrap();
    let pictures = [
        Images::new(open(), images_settings()),
        Images::new(open(), images_settings()),
    ];
    for (key, target) in ["1", "2", "3"].iter().zip(pictures.iter().cycle()) {
        let cargo = Cargo::picture(key, 1000);
        shore(&cargo).deliver(target, &cargo.item).await;
    }
    let cargo = Cargo::picture("4", 1000);
    for target in &pictures {
        let trouble = shore(&cargo)
            .attempt(target, &cargo.item)
            .await
            .unwrap_err();
        assert_eq!(kind(&trouble), "paused", "{trouble}");
    }
    let film = Cargo::film("5", 1000);
    let films = Stream::new(open(), stream_settings()).unwrap();
    let trouble = shore(&film).attempt(&films, &film.item).await.unwrap_err();
    assert_eq!(kind(&trouble), "paused", "{trouble}");
    assert_eq!(cloudflare.steps().len(), 3);
}

#[tokio::test]
async fn a_429_pauses_everything_for_as_long_as_it_says() {
    let cloudflare = Cloudflare::start().await;
    let target = images(&cloudflare);
    let too_many = Fault::said(429, 971, "slow down").header("Retry-After", "120");
    cloudflare.fail(Step::ImageCreate, too_many);
    for _ in 0..2 {
        let cargo = Cargo::picture("1", 1000);
        let shore = shore(&cargo);
        let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
        let Trouble::Paused { after, .. } = trouble else {
            panic!("{trouble:?}");
        };
        assert!(after <= Duration::from_secs(120) && after > Duration::from_secs(60));
    }
    assert_eq!(cloudflare.steps(), [Step::ImageCreate]);
}

#[tokio::test]
async fn a_429_that_asks_for_no_time_pauses_as_well() {
    for step in [Step::ImageCreate, Step::VideoCreate] {
        let cloudflare = Cloudflare::start().await;
        let too_many = Fault::said(429, 971, "slow down").header("Retry-After", "0");
        cloudflare.fail(step, too_many);
        let trouble = if step == Step::ImageCreate {
            let cargo = Cargo::picture("1", 1000);
            let target = images(&cloudflare);
            shore(&cargo).attempt(&target, &cargo.item).await
        } else {
            let (accounts, client) = (Accounts::default(), client());
            let account = accounts.open(settings(&cloudflare), &client).unwrap();
            let target = Stream::new(account, stream_settings()).unwrap();
            let cargo = Cargo::film("2", 1000);
            shore(&cargo).attempt(&target, &cargo.item).await
        };
        let Trouble::Paused { after, .. } = trouble.unwrap_err() else {
            panic!("{step:?} uses up an attempt");
        };
        assert_eq!(after, Duration::from_secs(1), "{step:?}");
    }
}

#[tokio::test]
async fn a_429_to_any_request_is_kept_as_said_and_uses_up_no_attempt() {
    for (step, after) in [
        (Step::ImageBlob, 7200),
        (Step::UploadHead, 120),
        (Step::UploadPatch, 120),
    ] {
        let cloudflare = Cloudflare::start().await;
        let (accounts, client) = (Accounts::default(), client());
        let open = || accounts.open(settings(&cloudflare), &client).unwrap();
        let pictures = Images::new(open(), images_settings());
        let films = Stream::new(open(), stream_settings()).unwrap();
        let (picture, film) = (Cargo::picture("1", 1000), Cargo::film("2", 1000));
        // Of a picture without a mark the bytes are asked for.
        cloudflare.put_image("file/1", &picture.content.to_vec(), json!({}));
        let too_many = Fault::page(429).header("Retry-After", &after.to_string());
        cloudflare.fail(step, too_many);
        let (of_picture, of_film) = (shore(&picture), shore(&film));
        let trouble = if step == Step::ImageBlob {
            of_picture.attempt(&pictures, &picture.item).await
        } else {
            of_film.attempt(&films, &film.item).await
        };
        let Trouble::Paused { after: asked, .. } = trouble.unwrap_err() else {
            panic!("{step:?} uses up an attempt");
        };
        assert_eq!(asked, Duration::from_secs(after), "{step:?}");
        // It holds for everything of the account, an upload that was begun as well.
        let before = cloudflare.steps();
        for attempt in [
            of_picture.attempt(&pictures, &picture.item).await,
            of_film.attempt(&films, &film.item).await,
        ] {
            assert_eq!(kind(&attempt.unwrap_err()), "paused", "{step:?}");
        }
        assert_eq!(cloudflare.steps(), before, "{step:?}: nothing is asked");
    }
}

#[tokio::test]
async fn what_a_429_has_said_outlives_who_was_told() {
    let cloudflare = Cloudflare::start().await;
    let (accounts, client) = (Accounts::default(), client());
    let open = || accounts.open(settings(&cloudflare), &client).unwrap();
    let (picture, film) = (Cargo::picture("1", 1000), Cargo::film("2", 1000));
    let said = |message| Fault::said(429, 971, message).header("Retry-After", "120");
    cloudflare.fail(Step::VideoCreate, said("queue is full"));
    cloudflare.fail(Step::ImageCreate, said("slow down"));
    for _ in 0..2 {
        // As two passes, one after the other.
        let films = Stream::new(open(), stream_settings()).unwrap();
        let trouble = shore(&film).attempt(&films, &film.item).await.unwrap_err();
        assert_eq!(kind(&trouble), "paused", "{trouble}");
        let pictures = Images::new(open(), images_settings());
        let trouble = shore(&picture).attempt(&pictures, &picture.item).await;
        assert_eq!(kind(&trouble.unwrap_err()), "paused");
    }
    assert_eq!(cloudflare.count(Step::VideoCreate), 1);
    assert_eq!(cloudflare.count(Step::ImageCreate), 1);
}

#[tokio::test]
async fn who_waits_for_the_limit_has_no_source_open() {
    let cloudflare = Cloudflare::start().await;
    let target = images(&cloudflare);
    let too_many = Fault::page(429).header("Retry-After", "120");
    cloudflare.fail(Step::ImageCreate, too_many);
    let cargo = Cargo::picture("1", 1000);
    let _ = shore(&cargo).attempt(&target, &cargo.item).await;
    let waiting = shore(&cargo);
    let _ = waiting.attempt(&target, &cargo.item).await;
    assert_eq!(waiting.times_opened(), 0);
}
