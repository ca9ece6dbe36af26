//! What people are told of a pass: by e-mail and by a webhook.

use super::mailbox::{Mailbox, PASSWORD};
use super::world::{World, in_world, served};
use crate::program::Ended;
use crate::told::Listener;
use serde_json::{Value, json};
use storage::values;
use testing::{TestDatabase, on_both};

/// Two pictures by Carla, and one without a content by Dora.
async fn pictures_of_two(world: &World) {
    let sql = r#"ALTER TABLE "File" ADD COLUMN "uploadedBy" TEXT"#;
    world.db.execute(sql, values![]).await.expect("added");
    world.add("a1", "a.png", "image/png", b"a picture").await;
    world.add("b2", "b.png", "image/png", b"another").await;
    let sql = r#"UPDATE "File" SET "uploadedBy" = 'carla'"#;
    world.db.execute(sql, values![]).await.expect("set");
    let sql = r#"INSERT INTO "File" (id, "fileName", "fileType", path, "uploadedBy")
        VALUES ('lost', 'lost.png', 'image/png', 'nowhere.png', 'dora')"#;
    world.db.execute(sql, values![]).await.expect("added");
}

fn rule(world: &World, report: Value) -> Value {
    let mut rule = world.rule();
    rule["source"] = json!({ "table": { "columns": { "creator": "uploadedBy" } } });
    rule["report"] = report;
    rule
}

async fn run(world: &World, report: Value, more: Vec<(String, String)>) -> Ended {
    let mut variables = world.variables(&rule(world, report));
    variables.extend(more);
    world.sync_with(variables, &["run"]).await
}

on_both!(a_summary_of_a_pass_comes_by_mail_and_by_webhook);
async fn a_summary_of_a_pass_comes_by_mail_and_by_webhook(database: TestDatabase) {
    in_world(database, |world| async move {
        let Some(mut mailbox) = Mailbox::start().await else {
            return;
        };
        let mut listener = Listener::start(&[204]).await;
        pictures_of_two(&world).await;
        let report = json!({
            "url": listener.url,
            "email": ["nobody@example.org", "ben@example.org"],
        });
        let pass = run(&world, report, mailbox.variables(PASSWORD)).await;
        // Files have failed, and that is all that has.
        assert_eq!(pass.code, Some(10), "{pass:?}");
        let mail = mailbox.next().await;
        assert_eq!(mail["to"], json!(["ben@example.org"]), "{mail}");
        assert_eq!(mail["from"], "longshore@example.org", "{mail}");
        assert_eq!(mail["encrypted"], true, "{mail}");
        let headers = &mail["headers"];
        assert_eq!(headers["Subject"], "Sync spaces: 2 delivered, 1 failed");
        assert_eq!(headers["Auto-Submitted"], "auto-generated");
        let text = mail["text"].as_str().expect("a text");
        for part in [
            "set off by host",
            "2 delivered, 1 failed; 16 bytes sent.",
            "  carla: 2 delivered\n",
            "  dora: 0 delivered, 1 failed\n",
            "  lost.png (lost), by dora: its content is not in the store",
            "https://longshore.example.org/syncs/spaces",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        // One reader whom the server does not know keeps it from nobody else.
        let told = "ben@example.org was told by e-mail how this pass went";
        assert!(pass.output.contains(told), "{pass:?}");
        let why = "nobody@example.org could not be told how this pass went";
        assert!(pass.output.contains(why), "{pass:?}");
        assert!(
            pass.output.contains("nobody has this name here"),
            "{pass:?}"
        );
        let told = listener.next().await;
        let body = told.json();
        assert_eq!(
            (&body["type"], &body["sync"]),
            (&json!("sync.pass"), &json!("spaces"))
        );
        assert_eq!(body["operation"], told.key.as_str(), "{body}");
        assert_eq!(
            (&body["counts"]["delivered"], &body["counts"]["failed"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(
            body["creators"][0],
            json!({ "creator": "carla", "delivered": 2, "working": 0, "failed": 0 })
        );
        assert_eq!(body["failures"][0]["item"], "lost", "{body}");
        assert_eq!(body["failures"][0]["creator"], "dora", "{body}");
        assert!(!told.is_signed(), "there is no secret for it");
        // Of a pass in which nothing happened nobody is told, and of the next one they are.
        let report = json!({ "url": listener.url, "email": ["ben@example.org"] });
        let idle = run(&world, report.clone(), mailbox.variables(PASSWORD)).await;
        assert_eq!(idle.code, Some(0), "{idle:?}");
        world.add("c3", "c.png", "image/png", b"a third").await;
        let pass = run(&world, report, mailbox.variables(PASSWORD)).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        let mail = mailbox.next().await;
        assert_eq!(
            mail["headers"]["Subject"], "Sync spaces: 1 delivered",
            "{mail}"
        );
        assert!(
            !mail["text"].as_str().expect("a text").contains("By whom"),
            "{mail}"
        );
        assert_eq!(listener.next().await.json()["counts"]["delivered"], 1);
    })
    .await;
}

on_both!(who_cannot_be_told_holds_nothing_up);
async fn who_cannot_be_told_holds_nothing_up(database: TestDatabase) {
    in_world(database, |world| async move {
        let Some(mailbox) = Mailbox::start().await else {
            return;
        };
        let mut listener = Listener::start(&[500]).await;
        world.add("a1", "a.png", "image/png", b"a picture").await;
        let report = json!({ "url": listener.url, "email": ["ben@example.org"] });
        let mut rule = world.rule();
        rule["report"] = report;
        let with = |more: Vec<(String, String)>| [world.variables(&rule), more].concat();
        // A wrong password, which this server is so kind as to repeat.
        let wrong = mailbox.variables("hunter2-of-anna");
        let pass = world.sync_with(with(wrong.clone()), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await["a1"], served("a1"));
        for line in [
            "The webhook could not be told how this pass went: the webhook answered 500",
            "ben@example.org could not be told how this pass went: the mail server did not take it",
        ] {
            assert!(pass.output.contains(line), "{line:?} {pass:?}");
        }
        listener.next().await;
        let checked = world.sync_with(with(wrong), &["check"]).await;
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert!(
            checked.output.contains("missing  Mail server"),
            "{checked:?}"
        );
        for ended in [&pass, &checked] {
            assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
            assert!(ended.output.contains("535"), "{ended:?}");
        }
        let checked = world
            .sync_with(with(mailbox.variables(PASSWORD)), &["check"])
            .await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
        // No server at all.
        world.add("b2", "b.png", "image/png", b"another").await;
        let pass = world.sync_with(with(Vec::new()), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert!(pass.output.contains("no mail server is set"), "{pass:?}");
        // One at which nobody listens.
        let gone = mailbox.variables(PASSWORD);
        drop(mailbox);
        world.add("c3", "c.png", "image/png", b"a third").await;
        let pass = world.sync_with(with(gone), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert!(
            pass.output.contains("ben@example.org could not be told"),
            "{pass:?}"
        );
        assert_eq!(world.rows().await["c3"], served("c3"));
    })
    .await;
}

on_both!(a_pass_that_fails_as_a_whole_is_told_of_once);
async fn a_pass_that_fails_as_a_whole_is_told_of_once(database: TestDatabase) {
    in_world(database, |world| async move {
        let Some(mut mailbox) = Mailbox::start().await else {
            return;
        };
        let mut listener = Listener::start(&[204]).await;
        world.add("a1", "a.png", "image/png", b"a picture").await;
        let mut rule = world.rule();
        rule["report"] = json!({
            "url": listener.url,
            "email": ["ben@example.org"],
            "failures_only": true,
        });
        let variables = |more: &[(&str, &str)]| {
            let mut variables = world.variables(&rule);
            variables.extend(mailbox.variables(PASSWORD));
            variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
            let more = more
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()));
            variables.extend(more);
            variables
        };
        let no_key = variables(&[("SPACES_SECRET", "not-the-right-one")]);
        let no_table = variables(&[("SYNC_TABLE", "Nowhere")]);
        let right = variables(&[]);
        for (wrong, reason) in [
            (no_key, "secret of the access key"),
            (no_table, "has no table \"Nowhere\""),
        ] {
            // The second time it is no news.
            for _ in 0..2 {
                let pass = world.sync_with(wrong.clone(), &["run"]).await;
                assert_ne!(pass.code, Some(0), "{pass:?}");
            }
            let body = listener.next().await.json();
            assert_eq!(body["counts"]["delivered"], 0, "{body}");
            let told = body["failure"].as_str().expect("it says why");
            assert!(told.contains(reason), "{body}");
            let mail = mailbox.next().await;
            let subject = "Sync spaces: the pass failed, 0 delivered";
            assert_eq!(mail["headers"]["Subject"], subject, "{mail}");
            let text = mail["text"].as_str().expect("a text");
            assert!(text.contains(reason), "{text}");
            assert!(!text.contains("not-the-right-one"), "{text}");
        }
        // Nobody was told twice: the next that is told of is the next that fails.
        let pass = world.sync_with(right.clone(), &["run"]).await;
        assert_eq!(pass.code, Some(0), "{pass:?}");
        assert_eq!(world.rows().await["a1"], served("a1"));
        a_row_without_content(&world).await;
        let pass = world.sync_with(right, &["run"]).await;
        assert_eq!(pass.code, Some(10), "{pass:?}");
        let body = listener.next().await.json();
        assert_eq!(
            (&body["failure"], &body["counts"]["failed"]),
            (&json!(null), &json!(1))
        );
        let mail = mailbox.next().await;
        assert_eq!(
            mail["headers"]["Subject"],
            "Sync spaces: 0 delivered, 1 failed"
        );
    })
    .await;
}

/// A row whose content is nowhere.
pub(super) async fn a_row_without_content(world: &World) {
    let sql = r#"INSERT INTO "File" (id, "fileName", "fileType", path)
        VALUES ('lost', 'lost.png', 'image/png', 'nowhere.png')"#;
    world.db.execute(sql, values![]).await.expect("added");
}
