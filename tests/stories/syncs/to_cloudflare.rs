//! The seed's seven variables and its table, and nothing else: pictures to Images and films
//! to Stream, before the project's double of Cloudflare, killed wherever it stands.

use super::world::{World, in_world};
use crate::program::{BINARY, Ended, ends};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::process::Stdio;
use storage::values;
use testing::{Cloudflare, Content, Step, TestDatabase, on_both, within};
use tokio::process::Command;

/// The moments at which a pass is killed.
const MOMENTS: usize = 14;
/// Of these there are so many at least in a pass of a picture and a film.
const LEAST_MOMENTS: usize = 12;
/// The moment in the middle of a film, where nothing else is sent: after a look for it, its
/// making and a look at how far it is, each with two, and the one at which its piece comes.
const AMIDST_A_FILM: usize = 8;

/// The seven variables and the address of the double; nothing of a rule.
pub(super) fn variables(world: &World, cloudflare: &Cloudflare) -> Vec<(String, String)> {
    let mut variables = world.variables(&serde_json::json!({}));
    variables.retain(|(name, _)| {
        !matches!(
            name.as_str(),
            "SYNC_RULE" | "CLOUDFLARE_ACCOUNT_ID" | "CLOUDFLARE_API_TOKEN"
        )
    });
    for (name, value) in [
        ("CLOUDFLARE_ACCOUNT_ID", cloudflare.account().to_owned()),
        ("CLOUDFLARE_API_TOKEN", cloudflare.token().to_owned()),
        ("CLOUDFLARE_API_URL", cloudflare.api()),
    ] {
        variables.push((name.to_owned(), value));
    }
    variables
}

async fn sync(world: &World, cloudflare: &Cloudflare, arguments: &[&str]) -> Ended {
    let variables = variables(world, cloudflare);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let arguments = [&["sync"], arguments].concat();
    ends(&arguments, &variables, world.folder()).await
}

on_both!(seven_variables_are_all_that_is_needed);
async fn seven_variables_are_all_that_is_needed(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let film = Content::seeded(5, 6 << 20).to_vec();
        world.add("p1", "a.png", "image/png", b"a picture").await;
        world.add("v1", "b.mp4", "video/mp4", &film).await;
        world.add("t1", "c.txt", "text/plain", b"words").await;
        world.add("x1", "d.bmp", "image/bmp", b"old words").await;
        let sql =
            r#"UPDATE "File" SET "dateTaken" = '2024-05-01 10:20:30.5', "gpsLongitude" = -0.25"#;
        world.db.execute(sql, values![]).await.expect("set");
        let checked = sync(&world, &cloudflare, &["check"]).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let plan = sync(&world, &cloudflare, &["dry-run"]).await;
        let no_target = "skip     d.bmp: Cloudflare Images takes no image/bmp";
        assert!(plan.output.contains(no_target), "{plan:?}");
        assert!(
            plan.errors.contains("2 would be delivered, 2 skipped"),
            "{plan:?}"
        );
        let pass = sync(&world, &cloudflare, &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let rows = world.rows().await;
        let picture = &rows["p1"];
        assert_eq!((picture.copied, picture.id.as_deref()), (true, Some("p1")));
        assert_eq!(picture.status.as_deref(), Some("ready"));
        let film = &rows["v1"];
        assert!(film.copied && film.id.is_some(), "{film:?}");
        assert!(!rows["t1"].copied && !rows["x1"].copied);
        let (images, videos) = (cloudflare.images(), cloudflare.videos());
        assert_eq!((images.len(), videos.len()), (1, 1));
        // What the row says of it goes along, a film's all in words.
        let (of_image, of_film) = (&images[0].meta, &videos[0].meta);
        assert_eq!(of_image["gpsLatitude"], 52.5, "{of_image}");
        assert_eq!(of_image["gpsLongitude"], -0.25, "{of_image}");
        assert_eq!(of_film["gpsLatitude"], "52.5", "{of_film}");
        for beside in [of_image, of_film] {
            assert_eq!(beside["dateTaken"], "2024-05-01T10:20:30.5", "{beside}");
            assert!(beside["createdAt"].is_string(), "{beside}");
        }
        // And of what was made of it the row knows.
        assert_eq!(world.thumbnail("p1").await, None);
        let thumbnail = world.thumbnail("v1").await.expect("a film has one");
        assert!(thumbnail.contains(&videos[0].uid), "{thumbnail}");
    })
    .await;
}

on_both!(with_its_own_database_lost_every_file_is_there_once);
async fn with_its_own_database_lost_every_file_is_there_once(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let film = Content::seeded(5, 6 << 20).to_vec();
        world.add("p1", "a.png", "image/png", b"a picture").await;
        world.add("v1", "b.mp4", "video/mp4", &film).await;
        let pass = sync(&world, &cloudflare, &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let before = world.rows().await;
        // Everything that Longshore knew is gone, and so is what the rows say.
        world.forget().await;
        let sql = r#"UPDATE "File" SET "copiedToCloudflare" = FALSE, "cloudflareId" = NULL,
            status = NULL, thumbnail = NULL"#;
        world.db.execute(sql, values![]).await.expect("reset");
        let pass = sync(&world, &cloudflare, &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await, before, "{pass:?}");
        let (images, videos) = (cloudflare.images(), cloudflare.videos());
        assert_eq!(
            (images.len(), videos.len()),
            (1, 1),
            "{images:?} {videos:?}"
        );
    })
    .await;
}

/// Begins a pass and kills it where the double stands still; false when it ended before.
async fn killed_where_it_stands(world: &World, cloudflare: &Cloudflare) -> bool {
    let mut child = Command::new(BINARY)
        .args(["sync", "run"])
        .envs(variables(world, cloudflare))
        .current_dir(world.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let stands = tokio::select! {
        () = cloudflare.holds() => true,
        _ = child.wait() => false,
    };
    child.kill().await.expect("killed");
    cloudflare.let_go();
    stands
}

on_both!(killed_at_any_moment_every_file_is_there_once_and_marked);
async fn killed_at_any_moment_every_file_is_there_once_and_marked(database: TestDatabase) {
    // Each takes as long as a lease: on Postgres every third.
    let step = if database.postgres_url().is_some() {
        3
    } else {
        1
    };
    in_world(database, |world| killed_at_each(world, step)).await;
}

async fn killed_at_each(world: World, step: usize) {
    let cloudflare = Cloudflare::start().await;
    let (mut last, mut files) = (0, 0);
    for moment in (1..=MOMENTS).step_by(step) {
        let sql = r#"DELETE FROM "File""#;
        world.db.execute(sql, values![]).await.expect("emptied");
        let (picture, film) = (format!("p{moment}"), format!("v{moment}"));
        let content = Content::seeded(moment as u64, 6 << 20).to_vec();
        world
            .add(
                &picture,
                &format!("{picture}.png"),
                "image/png",
                &content[..9999],
            )
            .await;
        world
            .add(&film, &format!("{film}.mp4"), "video/mp4", &content)
            .await;
        cloudflare.hold_at(moment);
        if !killed_where_it_stands(&world, &cloudflare).await {
            break;
        }
        (last, files) = (moment, files + 1);
        let pass = sync(&world, &cloudflare, &["run"]).await;
        assert_eq!(pass.code, Some(0), "moment {moment}: {pass:?}");
        for (id, row) in world.rows().await {
            assert!(row.copied, "moment {moment}: {id} {row:?} {pass:?}");
        }
        assert_eq!(cloudflare.images().len(), files, "moment {moment}");
        assert_eq!(cloudflare.videos().len(), files, "moment {moment}");
    }
    assert!(last + step > LEAST_MOMENTS, "the last was moment {last}");
}

on_both!(a_film_that_changes_while_it_is_sent_is_there_once_as_it_is_then);
async fn a_film_that_changes_while_it_is_sent_is_there_once_as_it_is_then(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let (old, new) = (Content::seeded(5, 6 << 20), Content::seeded(6, 7 << 20));
        world.add("v1", "b.mp4", "video/mp4", &old.to_vec()).await;
        cloudflare.hold_at(AMIDST_A_FILM);
        let changing = async {
            within("the film to be on its way", cloudflare.holds()).await;
            assert_eq!(cloudflare.steps().last(), Some(&Step::UploadPatch));
            // As a whole: whoever reads the old one reads it to its end.
            let aside = world.folder().join("aside");
            std::fs::write(&aside, new.to_vec()).expect("written");
            let place = world.source.folder().join("files/2024/b.mp4");
            std::fs::rename(aside, place).expect("replaced");
            cloudflare.let_go();
        };
        let (pass, ()) = tokio::join!(sync(&world, &cloudflare, &["run"]), changing);
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let why = "its content changed while it was read";
        assert!(pass.output.contains(why), "{pass:?}");
        let films = cloudflare.videos();
        assert_eq!(films.len(), 1, "{films:?} {pass:?}");
        let sha256 = HEXLOWER.encode(&Sha256::digest(new.to_vec()));
        assert_eq!(films[0].sha256, sha256, "{pass:?}");
        let rows = world.rows().await;
        let row = &rows["v1"];
        let marked = (row.copied, row.id.as_ref(), row.status.as_deref());
        assert_eq!(marked, (true, Some(&films[0].uid), Some("ready")));
    })
    .await;
}
