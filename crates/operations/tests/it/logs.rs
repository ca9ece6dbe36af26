//! Logs: stored, read, searched, redacted.

use crate::world::{Plain, Wide, Work, World, quick};
use base::OperationId;
use base::redact::Redactor;
use operations::{EngineSettings, SearchQuery, State};
use serde_json::json;
use storage::values;
use testing::on_both;

/// The only number that a query gives.
pub(crate) async fn number(world: &World, sql: &'static str, id: OperationId) -> u64 {
    let row = world.db.one(sql, values![id.uuid()]).await.expect("read");
    row.expect("a row").get("number").expect("a number")
}

#[tokio::test]
async fn a_secret_never_reaches_a_log_whole_or_split() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        world
            .secrets
            .send_replace(Redactor::new(["hunter2-and-more"]));
        let said = world
            .submit::<Plain>(Work::Say(vec!["the password is hunter2-and-more!".into()]))
            .await;
        let chunks = [
            "user anna, password hunt",
            "er2-an",
            "d-more\nnext ",
            "line\nlast",
        ];
        let split = world
            .submit::<Plain>(Work::Chunks(
                chunks.map(|chunk| chunk.as_bytes().to_vec()).to_vec(),
            ))
            .await;
        for id in [said, split] {
            assert_eq!(world.ended(id).await.state, State::Succeeded);
            let lines = world.lines(id).await;
            assert!(!lines.join("\n").contains("hunter2"), "{lines:?}");
        }
        let lines = world.lines(split).await;
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("user anna, password "));
        assert_eq!(lines[1..], ["next line", "last"]);
    })
    .await;
}

#[tokio::test]
async fn what_becomes_secret_while_it_runs_is_taken_out_from_the_next_line_on() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let chunks = [
            "one rotated-secret\n",
            "half ",
            "rotated-secret, rotated-secret\nnext rotated-secret\n",
        ];
        let id = world
            .submit::<Plain>(Work::ChunksAtGate(
                chunks.map(|chunk| chunk.as_bytes().to_vec()).to_vec(),
            ))
            .await;
        world.script.gate.0.add_permits(1);
        // A line by itself is no change that is told.
        world
            .until_row(
                id,
                "SELECT id FROM operation WHERE id = $1 AND log_last = 1",
            )
            .await;
        world
            .secrets
            .send_replace(Redactor::new(["rotated-secret"]));
        world.script.gate.0.add_permits(2);
        assert_eq!(world.ended(id).await.state, State::Succeeded);
        assert_eq!(
            world.lines(id).await,
            [
                "one rotated-secret",
                "half [redacted], [redacted]",
                "next [redacted]"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn neither_progress_nor_a_reason_shows_a_secret() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        world
            .secrets
            .send_replace(Redactor::new(["hunter2-and-more"]));
        let text = "fetch https://x/?key=hunter2-and-more";
        let id = world.submit::<Plain>(Work::Withdraw(text.into())).await;
        let moves = world
            .until(id, |operation| operation.progress.is_some())
            .await;
        let progress = moves.progress.expect("it moves");
        let shown = "fetch https://x/?key=[redacted]";
        assert_eq!(progress.message.as_deref(), Some(shown));
        assert_eq!(progress.transfers[0].name, shown);
        world.script.gate.0.add_permits(1);
        let ended = world.ended(id).await;
        assert_eq!(ended.state, State::Cancelled);
        assert_eq!(ended.error.expect("why").message, shown);
        let last = ended.progress.expect("the last");
        assert_eq!(last.message.as_deref(), Some(shown));
        assert_eq!(world.reasons(id).await[2], shown);
    })
    .await;
}

#[tokio::test]
async fn neither_an_outcome_nor_an_error_shows_a_secret() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        world
            .secrets
            .send_replace(Redactor::new(["hunter2-and-more"]));
        let text = "pushed to https://x/?key=hunter2-and-more";
        let shown = "pushed to https://x/?key=[redacted]";
        let left = json!({ "files": 3, "pushed": [{ "to": text }] });
        let id = world.submit::<Plain>(Work::Leave(left)).await;
        let expected = json!({ "files": 3, "pushed": [{ "to": shown }] });
        assert_eq!(world.ended(id).await.outcome, Some(expected));
        let id = world.submit::<Plain>(Work::FailSaying(text.into())).await;
        let ended = world.ended(id).await;
        assert_eq!(ended.state, State::Failed);
        assert_eq!(ended.error.expect("why").message, shown);
    })
    .await;
}

#[tokio::test]
async fn search_counts_every_line_and_pages_through_the_matches() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Wide>(Work::Lines(5_000)).await;
        world.ended(id).await;
        let search = |text: &str, regex, case, from, limit| {
            world.operations.search_log(
                id,
                SearchQuery {
                    text: text.to_owned(),
                    regex,
                    case,
                    from,
                    limit,
                },
            )
        };
        let page = search("LINE 77", false, false, 1, 5).await.expect("found");
        // 77, 770 to 779
        assert_eq!(page.total, 11);
        let numbers: Vec<u64> = page.matches.iter().map(|line| line.seq).collect();
        assert_eq!(numbers, [77, 770, 771, 772, 773]);
        let next = search("LINE 77", false, false, page.next.expect("more"), 100)
            .await
            .expect("found");
        assert_eq!((next.total, next.matches.len(), next.next), (11, 6, None));
        assert_eq!(
            search("LINE 77", false, true, 1, 5)
                .await
                .expect("none")
                .total,
            0
        );
        assert_eq!(
            search("^line 4...? of", true, true, 1, 5)
                .await
                .expect("found")
                .total,
            1_100
        );
        assert_eq!(
            search("line .* of", false, true, 1, 5)
                .await
                .expect("none")
                .total,
            0
        );
        assert!(search("(", true, true, 1, 5).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_long_line_is_cut_into_several_and_loses_nothing() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let long: String = "wörter ".repeat(30_000);
        let id = world
            .submit::<Plain>(Work::Say(vec![long.clone(), "short".into()]))
            .await;
        world.ended(id).await;
        let lines = world.lines(id).await;
        assert!(lines.len() >= 4);
        assert_eq!(lines[..lines.len() - 1].concat(), long);
        assert_eq!(lines[lines.len() - 1], "short");
    })
    .await;
}

#[tokio::test]
async fn lines_are_stored_many_to_a_row_and_compressed() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Lines(20_000)).await;
        world.ended(id).await;
        let rows = "SELECT COUNT(*) AS number FROM operation_log WHERE operation = $1";
        let rows = number(&world, rows, id).await;
        assert!(rows < 50, "{rows} rows");
        let stored =
            "SELECT CAST(SUM(LENGTH(chunk)) AS BIGINT) AS number FROM operation_log WHERE operation = $1";
        let stored = number(&world, stored, id).await;
        let before =
            "SELECT CAST(SUM(bytes) AS BIGINT) AS number FROM operation_log WHERE operation = $1";
        let before = number(&world, before, id).await;
        assert!(before > 400_000, "{before} bytes before compression");
        assert!(stored * 2 < before, "{stored} bytes of {before}");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_long_lines_is_short_and_says_where_to_go_on() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let line = "x".repeat(60_000);
        let id = world.submit::<Plain>(Work::Say(vec![line; 100])).await;
        world.ended(id).await;
        let (mut from, mut pages, mut seen) = (Some(1), 0, 0);
        while let Some(at) = from {
            let page = world.operations.log(id, at, 5000).await.expect("there");
            let bytes: usize = page.lines.iter().map(|line| line.text.len()).sum();
            assert!(bytes < 3 << 20, "{bytes} bytes");
            assert_eq!(page.lines[0].seq, at);
            seen += page.lines.len();
            pages += 1;
            from = page.next;
        }
        assert_eq!((pages, seen), (3, 100));
        let (mut from, mut pages, mut seen) = (Some(1), 0, 0);
        while let Some(at) = from {
            let query = SearchQuery {
                text: "x".into(),
                regex: false,
                case: true,
                from: at,
                limit: 1000,
            };
            let page = world.operations.search_log(id, query).await.expect("found");
            assert_eq!(page.total, 100);
            seen += page.matches.len();
            pages += 1;
            from = page.next;
        }
        assert_eq!((pages, seen), (3, 100));
    })
    .await;
}

#[tokio::test]
async fn a_long_line_that_comes_in_pieces_is_cut_between_characters() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let long = "\u{1f6a2}wörter".repeat(20_000);
        let chunks = long.as_bytes().chunks(997).map(<[u8]>::to_vec).collect();
        let id = world.submit::<Plain>(Work::Chunks(chunks)).await;
        world.ended(id).await;
        let lines = world.lines(id).await;
        assert!(lines.len() >= 3);
        assert!(lines.concat() == long, "nothing is lost or mangled");
    })
    .await;
}

#[tokio::test]
async fn a_log_takes_no_more_than_its_limit_and_says_so_once() {
    on_both(|database| async move {
        let settings = EngineSettings {
            alone: database.postgres_url().is_none(),
            log_limit: 10_000,
            ..quick()
        };
        let world = World::with(&database, settings).await;
        let id = world.submit::<Plain>(Work::Lines(5_000)).await;
        world.ended(id).await;
        let lines = world.lines(id).await;
        let (last, kept) = lines.split_last().expect("some lines");
        let bytes: usize = kept.iter().map(|line| line.len() + 1).sum();
        assert!((9_900..=10_000).contains(&bytes), "{bytes} bytes");
        assert!(last.contains("limit of 10000 bytes"), "{last}");
        // What events carry for programs counts, too.
        let id = world.submit::<Plain>(Work::Events(vec![6_000; 5])).await;
        world.ended(id).await;
        assert_eq!(world.lines(id).await.len(), 2, "one, and the notice");
    })
    .await;
}

#[tokio::test]
async fn data_that_is_too_long_is_left_out_and_the_log_stays_readable() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let lengths = vec![10, 60_000, 70_000, 20 << 20, 10];
        let id = world.submit::<Plain>(Work::Events(lengths)).await;
        world.ended(id).await;
        let page = world.operations.log(id, 1, 10).await.expect("readable");
        let with_data: Vec<bool> = page.lines.iter().map(|line| line.data.is_some()).collect();
        assert_eq!(with_data, [true, true, false, false, true]);
    })
    .await;
}
