//! What was delivered, compared with what its target has.

use super::apart::{Port, Says, with_targets};
use super::*;
use crate::{SyncVerify, VerifyInput};
use std::pin::pin;
use testing::on_sqlite;

/// What a target asks for; by the clock of the test nobody waits for it. Longer than any pause
/// that is made where none is asked for, and shorter than the lease of an operation.
const PAUSE: Duration = Duration::from_secs(10);

on_sqlite!(a_pause_is_waited_for_before_the_target_is_asked_again);
async fn a_pause_is_waited_for_before_the_target_is_asked_again(database: TestDatabase) {
    let db = database.open().await;
    let mut process = Process::on(&db, &MasterKeys::generate()).await;
    let mut sync = with_targets(&db, &[("all", json!({}))]).await;
    // A webhook is not asked.
    let to = json!({ "kind": "bucket", "bucket": "any" });
    sync.rule.targets[0].to = serde_json::from_value(to).expect("a target");
    let port = Port::with(&["a"]);
    port.passes(&mut process, &sync).await.expect("done");
    let busy = Trouble::Paused {
        reason: "too many requests".to_owned(),
        after: PAUSE,
    };
    port.says("all", Says::Trouble(busy));
    let lent = port.pass(&mut process, &sync, true).await;
    let verify = SyncVerify(process.syncs.clone());
    let input = VerifyInput {
        sync: sync.id,
        again: false,
    };
    let mut comparing = pin!(verify.compare(&lent.opened, &input, &lent.context));
    let looking = async {
        while port.looked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        ended = &mut comparing => panic!("it does not wait: {ended:?}"),
        () = within("the target to be asked", looking) => {}
    }
    tokio::time::pause();
    tokio::time::advance(PAUSE / 2).await;
    assert!(futures::poll!(comparing.as_mut()).is_pending());
    assert_eq!(port.looked(), 1, "the pause is not over");
    port.is_well();
    tokio::time::advance(PAUSE / 2).await;
    tokio::time::resume();
    let compared = within("the comparison to end", comparing).await;
    assert_eq!(compared.expect("done")["there"], 1);
    assert_eq!(port.looked(), 2);
    process.end().await;
}
