//! Pictures: once each, whatever is said and lost.

use super::{
    account, client, has_one_image, images, images_settings, kind, passing, settings, shore,
};
use crate::shore::Cargo;
use crate::syncs::target::cloudflare::{Accounts, Images, ImagesSettings};
use crate::syncs::target::{Delivered, Receipt, Removed, State, Target, Trouble};
use serde_json::json;
use std::time::Duration;
use testing::{Cloudflare, Fault, Step};

#[tokio::test]
async fn a_picture_arrives_whole_with_its_id_and_what_is_known_of_it() {
    let cloudflare = Cloudflare::start().await;
    let mut cargo = Cargo::picture("0192f0c1-2b3c-7def-8123-456789abcdef", 200_000);
    let dates = [
        ("createdAt", json!("2024-05-01")),
        ("gpsLatitude", json!(47.5)),
    ];
    for (name, value) in dates {
        cargo.item.metadata.insert(name.to_owned(), value);
    }
    let settings = ImagesSettings {
        creator: Some("anna".to_owned()),
        ..images_settings()
    };
    let target = Images::new(account(&cloudflare), settings);
    let shore = shore(&cargo);
    let (id, _) = shore.deliver(&target, &cargo.item).await;
    assert_eq!(id, "file/0192f0c1-2b3c-7def-8123-456789abcdef");
    has_one_image(&cloudflare, &cargo);
    let image = &cloudflare.images()[0];
    assert_eq!(image.id, id);
    assert_eq!(image.filename, "a picture.png");
    assert_eq!(image.meta["createdAt"], "2024-05-01");
    assert_eq!(image.meta["gpsLatitude"], 47.5);
    assert_eq!(image.creator.as_deref(), Some("anna"));
    assert_eq!(shore.known().unwrap().0, State::Uploaded);
    assert_eq!(shore.arrived_bytes(), 200_000);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_makes_one_picture() {
    for fault in passing() {
        let cloudflare = Cloudflare::start().await;
        let cargo = Cargo::picture("7", 200_000);
        cloudflare.fail(Step::ImageCreate, fault.clone());
        let (target, shore) = (images(&cloudflare), shore(&cargo));
        let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
        assert_eq!(kind(&trouble), "later", "{fault:?}: {trouble}");
        shore.deliver(&target, &cargo.item).await;
        has_one_image(&cloudflare, &cargo);
        assert!(cloudflare.count(Step::ImageCreate) <= 2, "{fault:?}");
    }
}

#[tokio::test]
async fn what_passes_when_a_lost_answer_is_looked_into_is_tried_again() {
    for fault in passing() {
        let cloudflare = Cloudflare::start().await;
        let cargo = Cargo::picture("7", 2000);
        cloudflare.fail(Step::ImageCreate, Fault::page(524).though_done());
        cloudflare.fail(Step::ImageGet, fault);
        let (target, shore) = (images(&cloudflare), shore(&cargo));
        shore.deliver(&target, &cargo.item).await;
        has_one_image(&cloudflare, &cargo);
        assert!(shore.lines().contains("an upload whose answer was lost"));
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told_in_cloudflares_words() {
    for (fault, expected, words) in [
        (Fault::said(400, 5400, "bad form"), "refused", "bad form"),
        (
            Fault::text(415, "ERROR 5455: no such format"),
            "refused",
            "ERROR 5455: no such format",
        ),
        (Fault::said(413, 5413, "too large"), "refused", "too large"),
        (Fault::said(422, 1, "no"), "refused", "no"),
        (
            Fault::said(403, 5403, "no access"),
            "everything",
            "no access",
        ),
        (
            Fault::said(401, 10000, "Authentication error"),
            "everything",
            "give a token",
        ),
        (
            Fault::said(402, 5453, "limit of the account"),
            "everything",
            "pays for",
        ),
        (Fault::page(404), "refused", "404"),
    ] {
        let cloudflare = Cloudflare::start().await;
        let cargo = Cargo::picture("7", 2000);
        cloudflare.fail(Step::ImageCreate, fault);
        let shore = shore(&cargo);
        let trouble = shore
            .attempt(&images(&cloudflare), &cargo.item)
            .await
            .unwrap_err();
        assert_eq!(kind(&trouble), expected, "{trouble}");
        assert!(trouble.to_string().contains(words), "{trouble}");
    }
}

#[tokio::test]
async fn what_cloudflare_asks_to_wait_is_handed_on_in_both_forms() {
    let cloudflare = Cloudflare::start().await;
    let cargo = Cargo::picture("7", 2000);
    let (target, shore) = (images(&cloudflare), shore(&cargo));
    let asks = |text: &str| Fault::page(503).header("Retry-After", text);
    cloudflare.fail(Step::ImageCreate, asks("7"));
    let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert!(
        matches!(trouble, Trouble::Later { after: Some(after), .. } if after == Duration::from_secs(7))
    );
    cloudflare.fail(Step::ImageCreate, asks("Fri, 01 Jan 2100 00:00:00 GMT"));
    let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert!(
        matches!(trouble, Trouble::Later { after: Some(after), .. } if after > Duration::from_secs(86_400))
    );
}

#[tokio::test]
async fn another_picture_with_the_same_id_is_left_alone() {
    for meta in [
        json!({}),
        json!({"longshore_of": "another", "longshore_size": "9"}),
    ] {
        let cloudflare = Cloudflare::start().await;
        let cargo = Cargo::picture("7", 2000);
        cloudflare.put_image("file/7", b"somebody's own", meta);
        let before = cloudflare.images();
        let shore = shore(&cargo);
        let trouble = shore
            .attempt(&images(&cloudflare), &cargo.item)
            .await
            .unwrap_err();
        assert_eq!(kind(&trouble), "refused", "{trouble}");
        assert!(trouble.to_string().contains("another picture has the id"));
        assert_eq!(cloudflare.images(), before);
    }
}

#[tokio::test]
async fn a_picture_of_before_longshore_is_recognised_by_its_bytes() {
    let cloudflare = Cloudflare::start().await;
    let cargo = Cargo::picture("7", 20_000);
    cloudflare.put_image("file/7", &cargo.content.to_vec(), json!({"by": "a script"}));
    let shore = shore(&cargo);
    shore.deliver(&images(&cloudflare), &cargo.item).await;
    has_one_image(&cloudflare, &cargo);
    assert_eq!(cloudflare.count(Step::ImageBlob), 1);
}

#[tokio::test]
async fn an_older_content_of_the_same_file_is_replaced() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (images(&cloudflare), Cargo::picture("7", 2000));
    shore(&cargo).deliver(&target, &cargo.item).await;
    let changed = cargo.changed();
    let again = shore(&changed);
    again.deliver(&target, &changed.item).await;
    has_one_image(&cloudflare, &changed);
    assert!(again.lines().contains("replaced"), "{}", again.lines());
    // Delivered once more, it is there.
    again.forget();
    again.deliver(&target, &changed.item).await;
    has_one_image(&cloudflare, &changed);
}

#[tokio::test]
async fn pictures_with_signed_urls_have_ids_of_cloudflares_own_and_are_found_again() {
    let cloudflare = Cloudflare::start().await;
    let settings = ImagesSettings {
        signed: true,
        ..images_settings()
    };
    let (target, cargo) = (
        Images::new(account(&cloudflare), settings),
        Cargo::picture("7", 2000),
    );
    cloudflare.fail(Step::ImageCreate, Fault::page(524).though_done());
    let shore = shore(&cargo);
    let (id, _) = shore.deliver(&target, &cargo.item).await;
    has_one_image(&cloudflare, &cargo);
    assert!(cloudflare.images()[0].signed);
    assert_eq!(cloudflare.images()[0].id, id);
    let changed = cargo.changed();
    let (other, _) = shore.deliver(&target, &changed.item).await;
    assert_ne!(id, other);
    assert_eq!(cloudflare.images().len(), 1, "the older one stayed");
}

#[tokio::test]
async fn many_pictures_go_beside_the_limit_of_the_api() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.limit(2, 3600);
    let mut settings = settings(&cloudflare);
    settings.batch = Some(cloudflare.batch());
    let account = Accounts::default().open(settings, &client()).unwrap();
    let target = Images::new(account, images_settings());
    for key in 0..20 {
        let cargo = Cargo::picture(&key.to_string(), 1000 + key);
        shore(&cargo).deliver(&target, &cargo.item).await;
    }
    assert_eq!(cloudflare.images().len(), 20);
    assert_eq!(cloudflare.count(Step::BatchToken), 1);
}

#[tokio::test]
async fn an_account_without_batches_goes_through_the_api() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.has_batches(false);
    let mut settings = settings(&cloudflare);
    settings.batch = Some(cloudflare.batch());
    let account = Accounts::default().open(settings, &client()).unwrap();
    let target = Images::new(account, images_settings());
    for key in ["1", "2"] {
        let cargo = Cargo::picture(key, 1000);
        shore(&cargo).deliver(&target, &cargo.item).await;
    }
    assert_eq!(cloudflare.images().len(), 2);
    assert_eq!(cloudflare.count(Step::BatchToken), 1);
}

#[tokio::test]
async fn a_token_for_batches_that_ended_is_no_failure_of_the_file() {
    let cloudflare = Cloudflare::start().await;
    let mut settings = settings(&cloudflare);
    settings.batch = Some(cloudflare.batch());
    let account = Accounts::default().open(settings, &client()).unwrap();
    let target = Images::new(account, images_settings());
    let cargo = Cargo::picture("1", 1000);
    shore(&cargo).deliver(&target, &cargo.item).await;
    cloudflare.end_batch_tokens();
    let cargo = Cargo::picture("2", 1001);
    shore(&cargo).deliver(&target, &cargo.item).await;
    assert_eq!(cloudflare.images().len(), 2);
}

#[tokio::test]
async fn a_source_that_breaks_off_leaves_nothing_and_says_so_itself() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (images(&cloudflare), Cargo::picture("7", 300_000));
    let shore = shore(&cargo);
    shore.breaks_after(200_000);
    let trouble = shore.attempt(&target, &cargo.item).await.unwrap_err();
    assert_eq!(trouble.to_string(), "the source fell into the water");
    assert!(cloudflare.images().is_empty());
}

#[tokio::test]
async fn a_picture_is_looked_at_and_removed_by_what_was_recorded() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (images(&cloudflare), Cargo::picture("7", 2000));
    let shore = shore(&cargo);
    let (id, thumbnail) = shore.deliver(&target, &cargo.item).await;
    let (_, known) = shore.known().unwrap();
    let ready = Delivered::Ready(Receipt {
        id,
        thumbnail,
        known: None,
    });
    assert_eq!(target.look(&cargo.item, &known).await, Ok(Some(ready)));
    target.remove(&known).await.unwrap();
    target.remove(&known).await.unwrap();
    assert!(cloudflare.images().is_empty());
    assert_eq!(target.look(&cargo.item, &known).await, Ok(None));
    // Made anew where it was removed by somebody.
    shore.deliver(&target, &cargo.item).await;
    has_one_image(&cloudflare, &cargo);
}

#[tokio::test]
async fn another_picture_in_its_place_is_not_taken_for_the_one_that_was_delivered() {
    let cloudflare = Cloudflare::start().await;
    let (target, cargo) = (images(&cloudflare), Cargo::picture("7", 2000));
    let made = shore(&cargo);
    let (id, _) = made.deliver(&target, &cargo.item).await;
    let (_, known) = made.known().unwrap();
    let there = Some(Delivered::Ready(Receipt {
        id: id.clone(),
        ..Receipt::default()
    }));
    assert_eq!(target.look(&cargo.item, &known).await, Ok(there.clone()));
    let by_a_script = json!({"by": "a script"});
    let of_another = json!({"longshore_of": "another", "longshore_size": "9"});
    for meta in [by_a_script.clone(), of_another] {
        cloudflare.take_image(&id);
        cloudflare.put_image(&id, b"somebody's own", meta);
        assert_eq!(target.look(&cargo.item, &known).await, Ok(None));
    }
    // One that nothing was ever beside, and that was compared when it was taken over, is.
    cloudflare.take_image(&id);
    cloudflare.put_image(&id, &cargo.content.to_vec(), by_a_script);
    let adopted = shore(&cargo);
    adopted.deliver(&target, &cargo.item).await;
    let (_, known) = adopted.known().unwrap();
    assert_eq!(target.look(&cargo.item, &known).await, Ok(there));
}

#[tokio::test]
async fn what_images_does_not_take_is_said_before_anything_is_sent() {
    let cloudflare = Cloudflare::start().await;
    let target = images(&cloudflare);
    let with = |media_type: &str, size: u64| {
        let mut cargo = Cargo::picture("7", size);
        cargo.item.media_type = media_type.to_owned();
        target.unfit(&cargo.item)
    };
    for taken in [
        "image/png",
        "image/jpeg",
        "image/heic",
        "image/svg+xml; charset=utf-8",
    ] {
        assert_eq!(with(taken, 10_000_000), None, "{taken}");
    }
    for (media_type, size) in [
        ("image/avif", 1),
        ("image/tiff", 1),
        ("video/mp4", 1),
        ("", 1),
        ("image/png", 0),
        ("image/png", 10_000_001),
    ] {
        assert!(with(media_type, size).is_some(), "{media_type} {size}");
    }
}

#[tokio::test]
async fn what_was_perhaps_made_is_removed_and_what_is_somebody_elses_is_not() {
    for signed in [false, true] {
        let cloudflare = Cloudflare::start().await;
        let settings = ImagesSettings {
            signed,
            ..images_settings()
        };
        let target = Images::new(account(&cloudflare), settings);
        let cargo = Cargo::picture("7", 2000);
        cloudflare.fail(Step::ImageCreate, Fault::hang_up().though_done());
        let made = shore(&cargo);
        made.attempt(&target, &cargo.item).await.unwrap_err();
        assert_eq!(cloudflare.images().len(), 1);
        let (_, known) = made.known().unwrap();
        target.remove(&known).await.unwrap();
        assert!(cloudflare.images().is_empty());
        cloudflare.put_image("file/7", b"somebody's own", json!({}));
        target.remove(&known).await.unwrap();
        assert_eq!(cloudflare.images().len(), 1);
    }
}

#[tokio::test]
async fn a_picture_that_was_taken_as_delivered_and_is_somebody_elses_stays() {
    let cargo = Cargo::picture("7", 20_000);
    let another = |cloudflare: &Cloudflare| {
        let settings = ImagesSettings {
            owner: "another".to_owned(),
            ..images_settings()
        };
        Images::new(account(cloudflare), settings)
    };
    // Of another sync, or of before Longshore.
    for of_sync in [true, false] {
        let cloudflare = Cloudflare::start().await;
        let theirs = shore(&cargo);
        if of_sync {
            theirs.deliver(&another(&cloudflare), &cargo.item).await;
        } else {
            cloudflare.put_image("file/7", &cargo.content.to_vec(), json!({}));
        }
        let (target, ours) = (images(&cloudflare), shore(&cargo));
        ours.deliver(&target, &cargo.item).await;
        let (_, known) = ours.known().unwrap();
        assert_eq!(target.remove(&known).await, Ok(Removed::Left), "{of_sync}");
        has_one_image(&cloudflare, &cargo);
        if of_sync {
            let (_, known) = theirs.known().unwrap();
            let removed = another(&cloudflare).remove(&known).await;
            assert_eq!(removed, Ok(Removed::Gone));
            assert!(cloudflare.images().is_empty());
        }
    }
}

#[tokio::test]
async fn a_picture_is_recognised_when_every_record_of_it_is_lost() {
    let cloudflare = Cloudflare::start().await;
    let cargo = Cargo::picture("7", 2000);
    shore(&cargo)
        .deliver(&images(&cloudflare), &cargo.item)
        .await;
    // Another sync, as one is after a new beginning.
    let target = Images::new(
        account(&cloudflare),
        ImagesSettings {
            owner: "another".to_owned(),
            ..images_settings()
        },
    );
    shore(&cargo).deliver(&target, &cargo.item).await;
    has_one_image(&cloudflare, &cargo);
}
