//! `longshore sync` with nothing but the variables: as cron runs it.

use super::beside::{each_came_once, kind, patient};
use super::to_cloudflare::variables;
use super::world::{World, in_world, served, waiting};
use crate::program::BINARY;
use serde_json::json;
use std::process::Stdio;
use storage::values;
use testing::{Cloudflare, Content, TestDatabase, on_both, within};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

on_both!(one_pass_delivers_and_marks_every_row);
async fn one_pass_delivers_and_marks_every_row(database: TestDatabase) {
    in_world(database, |world| async move {
        let film = Content::seeded(3, 20 << 20).to_vec();
        world.add("a1", "a.png", "image/png", b"a picture").await;
        world.add("b2", "b c+d.mp4", "video/mp4", &film).await;
        world.add("c3", "c.txt", "text/plain", b"words").await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let rows = world.rows().await;
        assert_eq!(rows["a1"], served("a1"));
        assert_eq!(rows["b2"], served("b2"));
        assert_eq!(rows["c3"], waiting());
        assert_eq!(world.target.keys(), ["served/a1", "served/b2"]);
        let there = std::fs::read(world.target.folder().join("served/b2"));
        assert!(there.expect("there") == film, "all of it");
        assert!(pass.output.contains("c.txt is skipped"), "{pass:?}");
        for secret in ["a-token-of-cloudflare", world.source.secret()] {
            assert!(!format!("{pass:?}").contains(secret), "{pass:?}");
        }
        // Another pass has nothing to do, and says nothing of what it skipped before.
        let again = world.sync(&["run"]).await;
        assert_eq!(again.code, Some(0), "{again:?}");
        assert!(again.output.contains("0 delivered"), "{again:?}");
        assert!(!again.output.contains("c.txt"), "{again:?}");
    })
    .await;
}

on_both!(what_is_refused_rests_and_holds_nobody_up);
async fn what_is_refused_rests_and_holds_nobody_up(database: TestDatabase) {
    in_world(database, |world| async move {
        world.add("a1", "a.png", "image/png", b"a picture").await;
        let sql = r#"INSERT INTO "File" (id, "fileName", "fileType", path)
            VALUES ('lost', 'lost.png', 'image/png', 'nowhere.png')"#;
        world.db.execute(sql, values![]).await.expect("added");
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        let rows = world.rows().await;
        assert_eq!((&rows["a1"], &rows["lost"]), (&served("a1"), &waiting()));
        let status = world.sync(&["status"]).await;
        assert!(status.output.contains("lost.png"), "{status:?}");
        assert!(status.output.contains("not in the store"), "{status:?}");
        // A pass does not try it again by itself; whoever asks for it has it tried.
        let idle = world.sync(&["run"]).await;
        assert_eq!(idle.code, Some(0), "{idle:?}");
        let plan = world.sync(&["dry-run"]).await;
        assert!(!plan.output.contains("lost.png"), "{plan:?}");
        let says = "0 would be delivered, 0 skipped, 1 are known already";
        assert!(plan.errors.contains(says), "{plan:?}");
        world.put("../files/nowhere.png", b"found again");
        let retried = world.sync(&["retry"]).await;
        assert!(retried.errors.contains("1 files"), "{retried:?}");
        let plan = world.sync(&["dry-run"]).await;
        assert!(
            plan.output.contains("deliver  lost.png to other"),
            "{plan:?}"
        );
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await["lost"], served("lost"));
    })
    .await;
}

on_both!(a_dry_run_and_a_check_change_nothing);
async fn a_dry_run_and_a_check_change_nothing(database: TestDatabase) {
    in_world(database, |world| async move {
        world.add("a1", "a.png", "image/png", b"a picture").await;
        world.add("c3", "c.txt", "text/plain", b"words").await;
        let plan = world.sync(&["dry-run"]).await;
        assert_eq!(plan.code, Some(0), "{plan:?}");
        assert!(plan.output.contains("deliver  a.png to other"), "{plan:?}");
        assert!(plan.output.contains("skip     c.txt"), "{plan:?}");
        let checked = world.sync(&["check"]).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        for what in ["Database", "Table \"File\"", "Bucket `harbour`"] {
            assert!(checked.output.contains(what), "{what} {checked:?}");
        }
        assert_eq!(world.rows().await["a1"], waiting());
        assert!(world.target.keys().is_empty());
        // What is missing is named.
        let mut rule = world.rule();
        rule["source"] = json!({ "table": { "columns": { "status": "state" } } });
        let checked = world.sync_by(&rule, &["check"]).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert!(
            checked.output.contains("there is no column \"state\""),
            "{checked:?}"
        );
    })
    .await;
}

on_both!(every_name_of_the_table_may_be_another);
async fn every_name_of_the_table_may_be_another(database: TestDatabase) {
    in_world(database, |world| async move {
        for sql in [
            "CREATE SCHEMA media",
            r#"CREATE TABLE media."Datei" (uid BIGINT PRIMARY KEY, title TEXT, mime TEXT,
                "where" TEXT, done BOOLEAN NOT NULL DEFAULT FALSE, remote TEXT, "State" TEXT)"#,
            r#"INSERT INTO media."Datei" (uid, title, mime, "where")
                VALUES (7, 'a.png', 'image/png', 'x/a.png')"#,
        ] {
            world.db.execute(sql, values![]).await.expect("made");
        }
        world.put("../uploads/x/a.png", b"a picture");
        let columns = json!({
            "id": "uid", "name": "title", "type": "mime", "path": "where", "copied": "done",
            "remote_id": "remote", "status": "State", "thumbnail": "", "metadata": ["title"],
        });
        let mut rule = world.rule();
        rule["source"] = json!({
            "table": {
                "schema": "media", "table": "Datei", "columns": columns,
                "statuses": { "ready": "it is served" },
            },
            "key_prefix": "uploads/",
        });
        let checked = world.sync_by(&rule, &["check"]).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let pass = world.sync_by(&rule, &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let sql = r#"SELECT done, remote, "State" AS state FROM media."Datei""#;
        let row = world.db.one(sql, values![]).await.expect("read");
        let row = row.expect("it is there");
        assert!(row.get::<bool>("done").expect("a truth"));
        let text = |name| row.get::<String>(name).expect("a text");
        let marked = (text("remote"), text("state"));
        assert_eq!(marked, ("served/7".to_owned(), "it is served".to_owned()));
        assert_eq!(world.target.keys(), ["served/7"]);
        world
            .db
            .execute("DROP SCHEMA media CASCADE", values![])
            .await
            .expect("dropped");
    })
    .await;
}

on_both!(a_role_that_may_only_read_and_mark_the_table_is_enough);
async fn a_role_that_may_only_read_and_mark_the_table_is_enough(database: TestDatabase) {
    in_world(database, |world| async move {
        world.add("a1", "a.png", "image/png", b"a picture").await;
        world.add("c3", "c.txt", "text/plain", b"words").await;
        let id = base::SyncId::new().to_string();
        let role = format!("longshore_test_{}", id.replace('-', ""));
        for sql in [
            format!("CREATE ROLE {role} LOGIN PASSWORD 'of-this-role'"),
            format!(r#"GRANT SELECT, UPDATE ON "File" TO {role}"#),
        ] {
            world.db.execute(sql, values![]).await.expect("made");
        }
        let with = |password: &str| {
            let mut url = url::Url::parse(&world.url).expect("an address");
            url.set_username(&role).expect("it takes one");
            url.set_password(Some(password)).expect("it takes one");
            let mut variables = world.variables(&world.rule());
            variables.retain(|(name, _)| name != "DATABASE_URL");
            variables.push(("DATABASE_URL".to_owned(), url.to_string()));
            variables
        };
        let checked = world.sync_with(with("of-this-role"), &["check"]).await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        let as_whom = format!("Database, as the role {role}");
        assert!(checked.output.contains(&as_whom), "{checked:?}");
        let pass = world.sync_with(with("of-this-role"), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let rows = world.rows().await;
        assert_eq!((&rows["a1"], &rows["c3"]), (&served("a1"), &waiting()));
        // With less it says what is missing.
        let less = format!(r#"REVOKE UPDATE ON "File" FROM {role}"#);
        world.db.execute(less, values![]).await.expect("taken");
        let checked = world.sync_with(with("of-this-role"), &["check"]).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        let missing = "UPDATE is not granted on \"copiedToCloudflare\"";
        assert!(checked.output.contains(missing), "{checked:?}");
        for sql in [format!("DROP OWNED BY {role}"), format!("DROP ROLE {role}")] {
            world.db.execute(sql, values![]).await.expect("dropped");
        }
    })
    .await;
}

on_both!(a_row_that_is_asked_for_again_is_marked_without_a_second_copy);
async fn a_row_that_is_asked_for_again_is_marked_without_a_second_copy(database: TestDatabase) {
    in_world(database, |world| async move {
        world.add("a1", "a.png", "image/png", b"a picture").await;
        assert_eq!(world.sync(&["run"]).await.code, Some(0));
        let sql = r#"UPDATE "File" SET "copiedToCloudflare" = FALSE, "cloudflareId" = NULL,
            status = NULL"#;
        world.db.execute(sql, values![]).await.expect("reset");
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert!(
            pass.output.contains("1 delivered; 0 bytes sent"),
            "{pass:?}"
        );
        assert_eq!(world.rows().await["a1"], served("a1"));
        // Where it is there no more, it is delivered anew.
        let object = world.target.folder().join("served/a1");
        std::fs::remove_file(object).expect("removed");
        world.db.execute(sql, values![]).await.expect("reset");
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await["a1"], served("a1"));
        assert_eq!(world.target.keys(), ["served/a1"]);
    })
    .await;
}

/// Begins a pass and kills it as `kill -9` does, once it has said that so many files are
/// delivered.
async fn killed_after(world: &World, delivered: usize) {
    let variables = world.variables(&world.rule());
    let mut command = Command::new(BINARY);
    let mut child = command
        .args(["sync", "run"])
        .envs(variables)
        .current_dir(world.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut seen = 0;
    let reading = async {
        while seen < delivered {
            match lines.next_line().await.expect("text") {
                Some(line) if line.ends_with(" is delivered.") => seen += 1,
                Some(_) => {}
                None => return,
            }
        }
    };
    within("files to be delivered", reading).await;
    child.kill().await.expect("killed");
}

on_both!(a_pass_that_is_killed_twice_ends_with_every_row_marked_once);
async fn a_pass_that_is_killed_twice_ends_with_every_row_marked_once(database: TestDatabase) {
    const FILES: usize = 60;
    in_world(database, |world| async move {
        for number in 0..FILES {
            let content = Content::seeded(number as u64, 300 << 10).to_vec();
            let (id, name) = (format!("id{number:03}"), format!("{number}.png"));
            world.add(&id, &name, "image/png", &content).await;
        }
        killed_after(&world, 3).await;
        killed_after(&world, 5).await;
        let pass = world.sync(&["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let rows = world.rows().await;
        for number in 0..FILES {
            let id = format!("id{number:03}");
            assert_eq!(rows[&id], served(&id));
            let there = std::fs::read(world.target.folder().join(format!("served/{id}")));
            let expected = Content::seeded(number as u64, 300 << 10).to_vec();
            assert!(there.expect("there") == expected, "{id}");
        }
        assert_eq!(world.target.keys().len(), FILES);
        assert_eq!(world.target.unfinished(), 0);
    })
    .await;
}

on_both!(passes_at_the_same_time_share_the_files);
async fn passes_at_the_same_time_share_the_files(database: TestDatabase) {
    const FILES: usize = 40;
    in_world(database, |world| async move {
        let cloudflare = Cloudflare::start().await;
        for number in 0..FILES {
            let id = format!("id{number:03}");
            let (end, media_type) = kind(number);
            let name = format!("{id}.{end}");
            world.add(&id, &name, media_type, id.as_bytes()).await;
        }
        let of_all = patient(variables(&world, &cloudflare));
        let run = || world.sync_with(of_all.clone(), &["run"]);
        // One of them makes the database, and the others wait until it is there.
        let (one, two, three) = tokio::join!(run(), run(), run());
        let mut delivered = 0;
        for pass in [&one, &two, &three] {
            assert_eq!(pass.code, Some(0), "{pass:?}");
            delivered += pass.output.matches(" is delivered.").count();
        }
        assert_eq!(delivered, FILES, "each by one of them");
        each_came_once(&cloudflare, FILES);
        assert!(world.rows().await.values().all(|row| row.copied));
    })
    .await;
}

on_both!(variables_that_are_missing_are_named);
async fn variables_that_are_missing_are_named(_database: TestDatabase) {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [
        ("SPACES_BUCKET", "media"),
        ("DATABASE_URL", "postgres://h/db"),
    ];
    let refused = crate::program::ends(&["sync", "run"], &variables, folder.path()).await;
    refused.refused(
        2,
        &["CLOUDFLARE_API_TOKEN", "SPACES_ENDPOINT", "are missing"],
    );
}
