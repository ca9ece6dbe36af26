//! Logs as text: whole, from any line on, plain or with their colours.

use crate::following::shown;
use crate::logs::number;
use crate::world::{Plain, Work, World};
use base::OperationId;
use operations::Colours;
use testing::on_both;

/// The log as plain text, from a line on.
pub(crate) async fn text_from(world: &World, id: OperationId, from: u64) -> String {
    text_with(world, id, from, Colours::Stripped).await
}

async fn text_with(world: &World, id: OperationId, from: u64, colours: Colours) -> String {
    let mut text = Vec::new();
    let mut reader = world.operations.log_text(id, from, colours);
    while let Some(part) = reader.next().await.expect("there") {
        text.extend(part);
    }
    String::from_utf8(text).expect("UTF-8")
}

#[tokio::test]
async fn the_whole_log_is_given_as_text() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Lines(3_000)).await;
        world.ended(id).await;
        let text = text_from(&world, id, 1).await;
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
async fn text_begins_at_the_line_asked_for_also_within_a_segment() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Lines(10_000)).await;
        world.ended(id).await;
        let whole = text_from(&world, id, 1).await;
        let whole: Vec<&str> = whole.lines().collect();
        // Where the first segment ends.
        let end = "SELECT MIN(last_seq) AS number FROM operation_log WHERE operation = $1";
        let end = number(&world, end, id).await;
        assert!((4..9_998).contains(&end), "{end}");
        for from in [2, end / 2, end, end + 1, end + 2, 10_000] {
            let text = text_from(&world, id, from).await;
            let skipped = usize::try_from(from - 1).expect("few");
            assert!(
                text.lines().eq(whole[skipped..].iter().copied()),
                "from {from}"
            );
        }
        assert_eq!(text_from(&world, id, 10_001).await, "");
    })
    .await;
}

#[tokio::test]
async fn text_is_plain_or_as_it_was_written() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let written = [
            "\u{1b}[1;31mfailed\u{1b}[0m at 3",
            "10 %\r55 %\r100 %",
            "no\tcolour, wörter",
        ];
        let said = written.map(str::to_owned).to_vec();
        let id = world.submit::<Plain>(Work::Say(said)).await;
        world.ended(id).await;
        let lines = |text: &str| -> Vec<String> {
            let words = |line: &str| line.split_once(" # ").expect("a time").1.to_owned();
            text.split_terminator('\n').map(words).collect()
        };
        let plain = text_with(&world, id, 1, Colours::Stripped).await;
        let expected = ["failed at 3", "100 %", "no\tcolour, wörter"];
        assert_eq!(lines(&plain), expected);
        let kept = text_with(&world, id, 1, Colours::Kept).await;
        assert_eq!(lines(&kept), written);
        let from_second = text_with(&world, id, 2, Colours::Kept).await;
        assert_eq!(lines(&from_second), written[1..]);
    })
    .await;
}

#[tokio::test]
async fn a_log_that_grows_while_it_is_read_is_given_once() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Count { to: 2 }).await;
        // A line is shown when it is stored.
        let mut follower = world.operations.follow_log(id, 1).await.expect("there");
        shown(&mut follower, 1).await;
        let mut reader = world.operations.log_text(id, 1, Colours::Stripped);
        let mut text = reader.next().await.expect("there").expect("the first line");
        // The second line joins the segment of the first.
        world.script.gate.0.add_permits(1);
        shown(&mut follower, 2).await;
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
