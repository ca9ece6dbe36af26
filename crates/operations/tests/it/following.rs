//! Logs, followed: from here and from another replica, early, late and again.

use crate::logs::number;
use crate::world::{LIMIT, Plain, Work, World, quick};
use base::OperationId;
use operations::{EngineSettings, LogEvent, LogFollower, State};
use storage::values;
use testing::{TestDatabase, on_both};

/// Number, microseconds, stream and text.
pub(crate) type Sent = (u64, i64, u8, String);

/// Follows until the end; the numbers and texts.
async fn follow(follower: LogFollower) -> Vec<(u64, String)> {
    let sent = sent(follower).await;
    sent.into_iter()
        .map(|(seq, _, _, text)| (seq, text))
        .collect()
}

/// Follows until the end; all that is sent, in which there is no gap.
pub(crate) async fn sent(mut follower: LogFollower) -> Vec<Sent> {
    let mut lines = Vec::new();
    loop {
        let event = tokio::time::timeout(LIMIT, follower.next())
            .await
            .expect("in time");
        match event.expect("the log is there") {
            LogEvent::Lines(lines_sent) => {
                let last = lines_sent.last;
                let json = [b"[", &*lines_sent.encoded, b"]"].concat();
                lines.extend(serde_json::from_slice::<Vec<Sent>>(&json).expect("JSON"));
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

/// Waits until line `last` is shown.
pub(crate) async fn shown(follower: &mut LogFollower, last: u64) {
    loop {
        let event = tokio::time::timeout(LIMIT, follower.next()).await;
        match event.expect("in time").expect("the log is there") {
            LogEvent::Lines(lines) if lines.last >= last => return,
            LogEvent::Lines(_) => {}
            other => panic!("{other:?} before line {last}"),
        }
    }
}

/// A process that follows what others do, and does nothing itself.
async fn onlooker(database: &TestDatabase) -> World {
    let settings = EngineSettings {
        workers: 0,
        ..quick()
    };
    World::with(database, settings).await
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
async fn a_log_that_another_replica_writes_is_followed_whole_by_many() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let other = onlooker(&database).await;
        let count = 10_000;
        let id = world.submit::<Plain>(Work::Lines(count)).await;
        let mut followers = tokio::task::JoinSet::new();
        for from in [1, 1, 1, 2_345, count] {
            let follower = other.operations.follow_log(id, from).await.expect("there");
            followers.spawn(async move { (from, follow(follower).await) });
        }
        assert_eq!(world.ended(id).await.state, State::Succeeded);
        while let Some(ended) = followers.join_next().await {
            let (from, lines) = ended.expect("no panic");
            assert_whole(&lines, from, count);
        }
        // And when it had ended before anybody there asked.
        assert_whole(&followed(&other, id, 1).await, 1, count);
        assert!(followed(&other, id, count + 1).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_line_of_another_replica_is_shown_while_its_operation_runs() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let other = onlooker(&database).await;
        let id = world.submit::<Plain>(Work::Count { to: 3 }).await;
        let mut follower = other.operations.follow_log(id, 1).await.expect("there");
        for line in 1..=3 {
            shown(&mut follower, line).await;
            world.script.gate.0.add_permits(1);
        }
        let end = tokio::time::timeout(LIMIT, follower.next()).await;
        let end = end.expect("in time").expect("the log is there");
        assert!(matches!(end, LogEvent::End { last: 3 }), "{end:?}");
    })
    .await;
}

#[tokio::test]
async fn lines_that_are_gone_already_are_told_as_a_gap() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Lines(5_000)).await;
        world.ended(id).await;
        // As when a large log is being removed, some rows at a time.
        for sql in [
            "DELETE FROM operation_log WHERE operation = $1 AND first_seq = 1",
            "UPDATE operation SET log_first = (SELECT MIN(first_seq) FROM operation_log WHERE operation = $1) WHERE id = $1",
        ] {
            world.db.execute(sql, values![id.uuid()]).await.expect("done");
        }
        let first = "SELECT log_first AS number FROM operation WHERE id = $1";
        let first = number(&world, first, id).await;
        assert!(first > 1);
        let other = onlooker(&database).await;
        let mut follower = other.operations.follow_log(id, 1).await.expect("there");
        let event = tokio::time::timeout(LIMIT, follower.next()).await;
        match event.expect("in time").expect("the log is there") {
            LogEvent::Gap { from, to } => assert_eq!((from, to), (1, first - 1)),
            other => panic!("{other:?}"),
        }
        assert_whole(&follow(follower).await, first, 5_000);
        let page = other.operations.log(id, 1, 10).await.expect("there");
        assert_eq!((page.first_seq, page.lines[0].seq), (first, first));
    })
    .await;
}
