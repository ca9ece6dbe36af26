//! Rows that change while they are delivered, and tables that do not take what is said of
//! them.

use super::to_cloudflare::variables;
use super::world::{Marked, World, in_world, served, waiting};
use storage::values;
use testing::{Cloudflare, Content, TestDatabase, on_both, on_sqlite};

/// Changes their table.
async fn change(world: &World, sql: &'static str) {
    let done = world.db.execute(sql, values![]).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A row whose object is not there.
async fn add_lost(world: &World, id: &str) {
    let sql = r#"INSERT INTO "File" (id, "fileName", "fileType", path)
        VALUES ($1, $2, 'image/png', $3)"#;
    let (name, path) = (format!("{id}.png"), format!("nowhere/{id}.png"));
    let added = world.db.execute(sql, values![id, name, path]).await;
    added.expect("added");
}

on_both!(a_row_is_delivered_as_it_is_by_then);
async fn a_row_is_delivered_as_it_is_by_then(database: TestDatabase) {
    in_world(database, |world| async move {
        world
            .add("odd", "odd.png", "application/octet-stream", b"a picture")
            .await;
        for id in ["lost", "late", "gone", "theirs"] {
            add_lost(&world, id).await;
        }
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        assert!(pass.output.contains("1 skipped, 4 failed"), "{pass:?}");
        // What is corrected need not be asked for again, and what is not rests.
        change(
            &world,
            r#"UPDATE "File" SET path = '2024/odd.png' WHERE id = 'lost'"#,
        )
        .await;
        change(
            &world,
            r#"UPDATE "File" SET "fileType" = 'image/png' WHERE id = 'odd'"#,
        )
        .await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.target.keys(), ["served/lost", "served/odd"]);
        // Whoever asks for the others has their rows looked at before anything is sent.
        let retried = world.sync(&["retry"]).await;
        assert!(retried.errors.contains("3 files"), "{retried:?}");
        for id in ["gone", "theirs"] {
            world.put(&format!("nowhere/{id}.png"), b"a picture");
        }
        change(
            &world,
            r#"UPDATE "File" SET path = '2024/odd.png' WHERE id = 'late'"#,
        )
        .await;
        change(&world, r#"DELETE FROM "File" WHERE id = 'gone'"#).await;
        change(
            &world,
            r#"UPDATE "File" SET "copiedToCloudflare" = TRUE, "cloudflareId" = 'by-hand'
                WHERE id = 'theirs'"#,
        )
        .await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let there = ["served/late", "served/lost", "served/odd"];
        assert_eq!(world.target.keys(), there, "{pass:?}");
        for words in [
            "gone.png (gone) is skipped: it was deleted at its source",
            "theirs.png (theirs) is delivered (by somebody else meanwhile, who marked its row with the id `by-hand`)",
        ] {
            assert!(pass.output.contains(words), "{words:?} {pass:?}");
        }
        // A row that is there again is another one.
        add_lost(&world, "gone").await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let rows = world.rows().await;
        for id in ["gone", "late", "lost", "odd"] {
            assert_eq!(rows[id], served(id), "{id}");
        }
        let by_hand = Marked {
            copied: true,
            id: Some("by-hand".to_owned()),
            status: None,
        };
        assert_eq!(rows["theirs"], by_hand);
    })
    .await;
}

on_sqlite!(a_row_that_cannot_be_marked_fails_alone);
async fn a_row_that_cannot_be_marked_fails_alone(database: TestDatabase) {
    in_world(database, |world| async move {
        for id in ["p1", "p2", "p3"] {
            let name = format!("{id}.png");
            world.add(id, &name, "image/png", id.as_bytes()).await;
        }
        change(
            &world,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RAISE EXCEPTION ''it is archived''; END'",
        )
        .await;
        change(
            &world,
            r#"CREATE TRIGGER refuses BEFORE UPDATE ON "File" FOR EACH ROW
                WHEN (OLD.id = 'p1') EXECUTE FUNCTION refuse()"#,
        )
        .await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        let words = "refuses to mark its row: it is archived";
        assert!(pass.output.contains(words), "{pass:?}");
        let rows = world.rows().await;
        assert_eq!(rows["p1"], waiting());
        assert_eq!((&rows["p2"], &rows["p3"]), (&served("p2"), &served("p3")));
        // It rests, and ends no other pass either.
        let idle = world.sync(&["run"]).await;
        assert_eq!(idle.code, Some(0), "{idle:?}");
        change(&world, r#"DROP TRIGGER refuses ON "File""#).await;
        world.sync(&["retry"]).await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await["p1"], served("p1"));
    })
    .await;
}

on_sqlite!(what_a_table_cannot_hold_is_said_and_never_cut);
async fn what_a_table_cannot_hold_is_said_and_never_cut(database: TestDatabase) {
    in_world(database, |world| async move {
        world.add("a1", "a.png", "image/png", b"a picture").await;
        change(
            &world,
            r#"ALTER TABLE "File" ALTER "cloudflareId" TYPE varchar(8)"#,
        )
        .await;
        change(&world, "CREATE TYPE word AS ENUM ('ready')").await;
        change(
            &world,
            r#"ALTER TABLE "File" ALTER status TYPE word USING status::word"#,
        )
        .await;
        let checked = world.sync(&["check"]).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        for words in [
            "the column \"cloudflareId\" would hold `served/a` in the place of `served/a1`",
            "the column \"status\" cannot hold `pending`: invalid input value for enum",
        ] {
            assert!(checked.output.contains(words), "{words:?} {checked:?}");
        }
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        assert!(pass.output.contains("value too long"), "{pass:?}");
        let sql = r#"SELECT "copiedToCloudflare" OR "cloudflareId" IS NOT NULL AS marked
            FROM "File""#;
        let row = world.db.one(sql, values![]).await.expect("read");
        let row = row.expect("it is there");
        assert!(!row.get::<bool>("marked").expect("a truth"), "{pass:?}");
        // As long as it has to be, it is marked, also with the word of an enum.
        change(
            &world,
            r#"ALTER TABLE "File" ALTER "cloudflareId" TYPE varchar(9)"#,
        )
        .await;
        world.sync(&["retry"]).await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        change(&world, r#"ALTER TABLE "File" ALTER status TYPE text"#).await;
        assert_eq!(world.rows().await["a1"], served("a1"));
        // A truth that is none is seen before any statement fails by it.
        change(
            &world,
            r#"ALTER TABLE "File" ALTER "copiedToCloudflare" DROP DEFAULT,
                ALTER "copiedToCloudflare" TYPE text"#,
        )
        .await;
        let checked = world.sync(&["check"]).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        let words = "the column \"copiedToCloudflare\" is of the type text; make it boolean";
        assert!(checked.output.contains(words), "{checked:?}");
    })
    .await;
}

on_sqlite!(a_film_that_is_made_anew_is_shown_by_its_row);
async fn a_film_that_is_made_anew_is_shown_by_its_row(database: TestDatabase) {
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let asked = async |what: &str| {
            let variables = variables(&world, &cloudflare);
            world.sync_with(variables, &[what]).await
        };
        let film = Content::seeded(5, 6 << 20).to_vec();
        world.add("v1", "b.mp4", "video/mp4", &film).await;
        cloudflare.looks_until_ready(1);
        let pass = asked("run").await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let first = cloudflare.videos()[0].uid.clone();
        shows(&world, &first, "pending").await;
        // It comes to nothing there, and is tried again.
        cloudflare.spoil_film(&first, "it does not move");
        world.make_due().await;
        let pass = asked("run").await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        assert!(pass.output.contains("it does not move"), "{pass:?}");
        cloudflare.looks_until_ready(0);
        // A column that shows ids in another way than they are written knows ours again.
        change(
            &world,
            r#"ALTER TABLE "File" ALTER "cloudflareId" TYPE uuid
                USING CAST("cloudflareId" AS uuid)"#,
        )
        .await;
        let retried = asked("retry").await;
        assert!(retried.errors.contains("1 files"), "{retried:?}");
        let pass = asked("run").await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert!(!pass.output.contains("somebody else"), "{pass:?}");
        let films = cloudflare.videos();
        assert_eq!(films.len(), 1, "{films:?}");
        assert_ne!(films[0].uid, first);
        change(
            &world,
            r#"ALTER TABLE "File" ALTER "cloudflareId" TYPE text
                USING replace(CAST("cloudflareId" AS text), '-', '')"#,
        )
        .await;
        shows(&world, &films[0].uid, "ready").await;
    })
    .await;
}

/// Whether the row of the film says that it is there under this id.
async fn shows(world: &World, uid: &str, status: &str) {
    let row = &world.rows().await["v1"];
    let expected = (true, Some(uid), Some(status));
    let found = (row.copied, row.id.as_deref(), row.status.as_deref());
    assert_eq!(found, expected);
    let thumbnail = world.thumbnail("v1").await.expect("a film has one");
    assert!(thumbnail.contains(uid), "{thumbnail}");
}

on_sqlite!(ids_that_cloudflare_does_not_take_are_said_before_anything_is_sent);
async fn ids_that_cloudflare_does_not_take_are_said_before_anything_is_sent(
    database: TestDatabase,
) {
    const ID: &str = "0192f0c1-2b3c-7def-8123-456789abcdef";
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        let with = |template: &str| {
            let mut all = variables(&world, &cloudflare);
            all.push(("SYNC_IMAGE_ID".to_owned(), template.to_owned()));
            all
        };
        world.add(ID, "a.png", "image/png", b"a picture").await;
        let words = "ids are no UUIDs; set a template such as `file/{id}`";
        let checked = world.sync_with(with("{id}"), &["check"]).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert!(checked.output.contains(words), "{checked:?}");
        let pass = world.sync_with(with("{id}"), &["run"]).await;
        assert_ne!(pass.code, Some(0), "{pass:?}");
        assert!(pass.errors.contains(words), "{pass:?}");
        // No file is blamed: with another template there is nothing to be retried.
        let pass = world.sync_with(with("file/{id}"), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let expected = format!("file/{ID}");
        assert_eq!(world.rows().await[ID].id.as_deref(), Some(&*expected));
        assert_eq!(cloudflare.images().len(), 1);
    })
    .await;
}
