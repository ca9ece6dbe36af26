//! Streams: what a program said on its standard error is told apart wherever a log is given.

use crate::following::sent;
use crate::texts::text_from;
use crate::world::{Plain, Work, World};
use testing::on_both;

#[tokio::test]
async fn every_form_of_a_log_tells_standard_error_from_the_rest() {
    on_both(|database| async move {
        let world = World::on(&database).await;
        let id = world.submit::<Plain>(Work::Streams).await;
        world.ended(id).await;

        let page = world.operations.log(id, 1, 10).await.expect("there");
        let page = serde_json::to_value(page).expect("JSON");
        let lines = page["lines"].as_array().expect("lines");
        let lines: Vec<_> = lines
            .iter()
            .map(|line| (line["stream"].as_str(), line["text"].as_str()))
            .collect();
        let expected = [
            ("stdout", "built"),
            ("stderr", "deprecated"),
            ("system", "ended with code 0"),
            ("stderr", "a last warning"),
        ];
        assert_eq!(
            lines,
            expected.map(|(stream, text)| (Some(stream), Some(text)))
        );

        let live = world.operations.follow_log(id, 1).await.expect("there");
        let live: Vec<(u8, String)> = sent(live)
            .await
            .into_iter()
            .map(|(_, _, stream, text)| (stream, text))
            .collect();
        let numbers = [0, 1, 2, 1];
        let expected = numbers
            .into_iter()
            .zip(expected.map(|(_, text)| text.to_owned()));
        assert_eq!(live, expected.collect::<Vec<_>>());

        let text = text_from(&world, id, 1).await;
        let ends = [
            "Z   built",
            "Z ! deprecated",
            "Z # ended with code 0",
            "Z ! a last warning",
        ];
        assert_eq!(text.lines().count(), ends.len());
        for (line, end) in text.lines().zip(ends) {
            assert!(line.ends_with(end), "{line}");
        }
    })
    .await;
}
