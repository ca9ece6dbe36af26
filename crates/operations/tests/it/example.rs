//! The kind that CONTRIBUTING.md shows works as it stands there.
#![expect(unreachable_pub, reason = "as a feature writes it")]

use crate::world::LIMIT;
use base::redact::Redactor;
use base::{Actor, SystemClock, Trigger};
use operations::{
    Context, EngineSettings, Failure, Kind, Kinds, NewOperation, Operations, Outcome, Settings,
    State,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::Bus;
use testing::on_both;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub struct Greet;

#[derive(Serialize, Deserialize)]
pub struct GreetInput {
    name: String,
}

impl Kind for Greet {
    const NAME: &'static str = "greet";
    type Input = GreetInput;

    fn settings(&self) -> Settings {
        Settings::new("Greet somebody").limit(2).resumable()
    }

    async fn run(&self, input: GreetInput, context: Context) -> Result<Outcome, Failure> {
        context.log(format!("Hello, {}.", input.name)).await;
        context.check()?; // ends here when it was cancelled
        Ok(serde_json::json!({}))
    }
}

#[tokio::test]
async fn the_kind_that_newcomers_are_shown_runs() {
    on_both(|database| async move {
        let db = database.open().await;
        let bus = Bus::start(&db, &TaskTracker::new(), CancellationToken::new());
        let (_secrets, known) = watch::channel(Redactor::default());
        let operations = Operations::open(
            db,
            bus,
            Arc::new(SystemClock),
            Kinds::new().with(Greet),
            known,
            EngineSettings::default(),
        )
        .await
        .expect("the engine opens");
        operations.start();
        let input = GreetInput {
            name: "Anna".to_owned(),
        };
        let new = NewOperation::of::<Greet>(&input, Actor::user("anna"), Trigger::Api)
            .expect("an input")
            .key("greet:anna");
        let id = operations.submit(new).await.expect("accepted");
        let ended = tokio::time::timeout(LIMIT, operations.wait(id))
            .await
            .expect("in time")
            .expect("it is there");
        assert_eq!(ended.state, State::Succeeded);
        let log = operations.log(id, 1, 10).await.expect("there is a log");
        assert_eq!(log.lines[0].text, "Hello, Anna.");
    })
    .await;
}

#[test]
fn what_newcomers_are_shown_is_this_kind() {
    let shown = include_str!("../../../../CONTRIBUTING.md");
    let (_, shown) = shown.split_once("```rust\n").expect("an example");
    let (shown, _) = shown.split_once("```").expect("its end");
    let here: Vec<&str> = include_str!("example.rs").lines().map(str::trim).collect();
    for line in shown.lines().map(str::trim) {
        assert!(here.contains(&line), "only CONTRIBUTING.md has `{line}`");
    }
}
