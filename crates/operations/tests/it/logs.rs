//! Logs: stored, followed, searched, redacted.

use crate::world::{LIMIT, Plain, Wide, Work, World};
use base::OperationId;
use base::redact::Redactor;
use operations::{LogEvent, LogFollower, SearchQuery, State};
use testing::on_both;

type Sent = (u64, i64, u8, String);

/// Follows until the end; the numbers and texts, and whether there was a gap.
async fn follow(mut follower: LogFollower) -> Vec<(u64, String)> {
    let mut lines = Vec::new();
    loop {
        let event = tokio::time::timeout(LIMIT, follower.next())
            .await
            .expect("in time");
        match event.expect("the log is there") {
            LogEvent::Lines(lines_sent) => {
                let last = lines_sent.last;
                let json = [b"[", &*lines_sent.encoded, b"]"].concat();
                let sent: Vec<Sent> = serde_json::from_slice(&json).expect("JSON");
                lines.extend(sent.into_iter().map(|(seq, _, _, text)| (seq, text)));
                assert_eq!(lines.last().map(|line| line.0), Some(last));
            }
            LogEvent::Gap { from, to } => panic!("a gap from {from} to {to}"),
            LogEvent::End { last } => {
                assert_eq!(lines.last().map_or(last, |line| line.0), last);
                return lines;
            }
        }
    }
}

fn assert_whole(lines: &[(u64, String)], from: u64, count: u64) {
    let numbers: Vec<u64> = lines.iter().map(|line| line.0).collect();
    let expected: Vec<u64> = (from..=count).collect();
    assert_eq!(numbers, expected);
    for (seq, text) in lines {
        assert_eq!(text, &format!("line {seq} of {count}"));
    }
}

async fn followed(world: &World, id: OperationId, from: u64) -> Vec<(u64, String)> {
    follow(world.operations.follow_log(id, from).await.expect("there")).await
}

#[tokio::test]
async fn early_late_and_returning_followers_each_see_every_line_once() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let count = 20_000;
        let id = world.submit::<Plain>(Work::Lines(count)).await;
        let mut followers = tokio::task::JoinSet::new();
        for from in [1, 1, 1, 500, 7_777, 19_999] {
            let follower = world.operations.follow_log(id, from).await.expect("there");
            followers.spawn(async move { (from, follow(follower).await) });
        }
        assert_eq!(world.ended(id).await.state, State::Succeeded);
        while let Some(ended) = followers.join_next().await {
            let (from, lines) = ended.expect("no panic");
            assert_whole(&lines, from, count);
        }
        // Long after the end, from storage alone.
        assert_whole(&followed(&world, id, 1).await, 1, count);
        assert_whole(&followed(&world, id, 12_345).await, 12_345, count);
        assert!(followed(&world, id, count + 1).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_follower_that_breaks_off_resumes_without_gap_or_repeat() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let count = 10_000;
        let id = world.submit::<Plain>(Work::Lines(count)).await;
        let mut seen: Vec<u64> = Vec::new();
        while seen.last() != Some(&count) {
            let from = seen.last().map_or(1, |last| last + 1);
            let mut follower = world.operations.follow_log(id, from).await.expect("there");
            let event = tokio::time::timeout(LIMIT, follower.next())
                .await
                .expect("in time");
            if let LogEvent::Lines(lines) = event.expect("there") {
                let json = [b"[", &*lines.encoded, b"]"].concat();
                let sent: Vec<Sent> = serde_json::from_slice(&json).expect("JSON");
                // As if the connection broke in the middle of a message.
                let kept = (sent.len() * 2).div_ceil(3);
                seen.extend(sent.iter().take(kept).map(|line| line.0));
            }
        }
        assert_eq!(seen, (1..=count).collect::<Vec<u64>>());
    })
    .await;
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
async fn the_whole_log_is_given_as_text() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Lines(3_000)).await;
        world.ended(id).await;
        let mut text = Vec::new();
        let mut reader = world.operations.log_text(id);
        while let Some(part) = reader.next().await.expect("there") {
            text.extend(part);
        }
        let text = String::from_utf8(text).expect("UTF-8");
        assert_eq!(text.lines().count(), 3_000);
        assert!(
            text.lines()
                .nth(41)
                .expect("there")
                .ends_with("   line 42 of 3000")
        );
    })
    .await;
}

#[tokio::test]
async fn a_log_that_grows_while_it_is_read_is_given_once() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Count { to: 2 }).await;
        world.until(id, |operation| operation.last_seq == 1).await;
        let mut reader = world.operations.log_text(id);
        let mut text = reader.next().await.expect("there").expect("the first line");
        // The second line joins the segment of the first.
        world.script.gate.0.add_permits(1);
        world.until(id, |operation| operation.last_seq == 2).await;
        while let Some(part) = reader.next().await.expect("there") {
            text.extend(part);
        }
        let text = String::from_utf8(text).expect("UTF-8");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].ends_with("counted 1") && lines[1].ends_with("counted 2"));
        world.script.gate.0.add_permits(1);
        world.ended(id).await;
    })
    .await;
}
