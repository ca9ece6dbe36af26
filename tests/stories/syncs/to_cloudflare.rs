//! The seed's seven variables and its table, and nothing else: pictures to Images and films
//! to Stream, before the project's double of Cloudflare, killed wherever it stands.

use super::world::{World, in_world};
use crate::program::{BINARY, Ended, ends};
use std::process::Stdio;
use storage::values;
use testing::{Cloudflare, Content, TestDatabase, on_both};
use tokio::process::Command;

/// The moments at which a pass is killed.
const MOMENTS: usize = 14;

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
        let checked = sync(&world, &cloudflare, &["check"]).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let pass = sync(&world, &cloudflare, &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let rows = world.rows().await;
        let picture = &rows["p1"];
        assert_eq!((picture.copied, picture.id.as_deref()), (true, Some("p1")));
        assert_eq!(picture.status.as_deref(), Some("ready"));
        let film = &rows["v1"];
        assert!(film.copied && film.id.is_some(), "{film:?}");
        assert!(!rows["t1"].copied);
        assert_eq!(
            (cloudflare.images().len(), cloudflare.videos().len()),
            (1, 1)
        );
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

#[tokio::test]
async fn killed_at_every_moment_every_file_is_there_once_and_marked() {
    testing::on_sqlite(|database| in_world(database, killed_at_every_moment)).await;
}

async fn killed_at_every_moment(world: World) {
    let cloudflare = Cloudflare::start().await;
    for moment in 1..=MOMENTS {
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
        let pass = sync(&world, &cloudflare, &["run"]).await;
        assert_eq!(pass.code, Some(0), "moment {moment}: {pass:?}");
        for (id, row) in world.rows().await {
            assert!(row.copied, "moment {moment}: {id} {row:?} {pass:?}");
        }
        assert_eq!(cloudflare.images().len(), moment, "moment {moment}");
        assert_eq!(cloudflare.videos().len(), moment, "moment {moment}");
    }
}
