//! One of two targets takes nothing: what goes to the other is delivered in the same pass.

use super::to_cloudflare::variables;
use super::world::in_world;
use testing::{Cloudflare, Fault, Step, TestDatabase, on_sqlite};

/// More than may be under way at once, and before the pictures in the order of their ids.
const FILMS: usize = 20;
const PICTURES: usize = 12;

on_sqlite!(minutes_that_are_used_up_keep_no_picture_waiting);
async fn minutes_that_are_used_up_keep_no_picture_waiting(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        for number in 0..FILMS {
            let id = format!("film{number:02}");
            world.add(&id, "b.mp4", "video/mp4", b"a film").await;
            let used_up = Fault::said(413, 10011, "Storage capacity exceeded");
            cloudflare.fail(Step::VideoCreate, used_up);
        }
        for number in 0..PICTURES {
            let id = format!("picture{number:02}");
            world.add(&id, "a.png", "image/png", b"a picture").await;
        }
        let pass = world
            .sync_with(variables(&world, &cloudflare), &["run"])
            .await;
        assert_ne!(pass.code, Some(0), "{pass:?}");
        assert!(pass.errors.contains("minutes"), "{pass:?}");
        for (id, row) in world.rows().await {
            assert_eq!(row.copied, id.starts_with("picture"), "{id} {pass:?}");
        }
        assert_eq!(cloudflare.images().len(), PICTURES);
        // Those that were under way, and none of the others.
        let asked = cloudflare.count(Step::VideoCreate);
        assert!(asked < FILMS, "{asked} {pass:?}");
        // No film is blamed.
        let status = world
            .sync_with(variables(&world, &cloudflare), &["status"])
            .await;
        assert!(status.output.contains("12 marked"), "{status:?}");
        assert!(!status.output.contains("FAILED"), "{status:?}");
    })
    .await;
}
