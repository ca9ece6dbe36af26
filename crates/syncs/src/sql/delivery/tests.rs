//! What a source that is read again and again tells anew, and what not.

use super::*;
use crate::delivery::Claimed;
use crate::ledger::Ledger;
use crate::sql;
use crate::sql::claim::{self, Claimer, Ending, Said, Wanted};
use crate::sync::{Origin, Sync};
use base::{Actor, Clock, OperationId, SystemClock};
use serde_json::json;
use std::time::Duration;
use testing::{TestDatabase, on_both};

const WORKER: &str = "a worker";

fn claimer() -> Claimer<'static> {
    Claimer {
        worker: WORKER,
        operation: OperationId::new(),
        lease: Duration::from_secs(60),
    }
}

/// A sync with one file, which is told of by a table's row.
struct Told {
    db: Db,
    ledger: Ledger,
    sync: SyncId,
}

impl Told {
    async fn on(database: &TestDatabase) -> Self {
        let db = database.open().await;
        let rule = json!({
            "source": { "kind": "bucket", "bucket": "any" },
            "targets": [{ "name": "all", "to": { "kind": "webhook", "url": "https://a.example/" } }],
        });
        let now = SystemClock.now();
        let sync = Sync {
            id: SyncId::new(),
            name: "told".to_owned(),
            rule: serde_json::from_value(rule).expect("a rule"),
            origin: Origin::People,
            paused: false,
            created_at: now,
            created_by: "system".to_owned(),
            changed_at: now,
        };
        let mut tx = db.begin().await.expect("begun");
        let inserted = sql::sync::insert(&mut tx, &sync, &Actor::system()).await;
        inserted.expect("inserted");
        tx.commit().await.expect("committed");
        Self {
            ledger: Ledger::open(db.clone()),
            db,
            sync: sync.id,
        }
    }

    /// The row is read, and says this; whether that is news.
    async fn row(&self, seen: &str, read_at: Timestamp) -> bool {
        self.row_of("a.png", seen, read_at, None).await
    }

    async fn row_of(
        &self,
        place: &str,
        seen: &str,
        read_at: Timestamp,
        unfit: Option<&str>,
    ) -> bool {
        let found = Found {
            key: "a".to_owned(),
            place: place.to_owned(),
            name: place.to_owned(),
            media_type: "image/png".to_owned(),
            size: None,
            content: None,
            seen: Some(seen.to_owned()),
            metadata: BTreeMap::new(),
            creator: None,
            asked: true,
        };
        let noting = Noting {
            found: &found,
            unfit,
            target: Some("all"),
            read_at,
            now: SystemClock.now(),
        };
        let mut tx = self.db.begin().await.expect("begun");
        let news = note(&mut tx, self.sync, noting).await.expect("noted");
        tx.commit().await.expect("committed");
        news
    }

    /// A worker whose clock goes `ahead` takes it.
    async fn claimed(&self, ahead: Duration) -> Claimed {
        let wanted = Wanted {
            sync: self.sync,
            now: SystemClock.now().plus(ahead),
            limit: 1,
            but: &[],
        };
        let claimed = claim::claim(&self.db, claimer(), wanted).await;
        claimed.expect("claimed").pop().expect("it is due")
    }

    /// And makes it known at its target.
    async fn begun(&self, ahead: Duration) -> Claimed {
        let claimed = self.claimed(ahead).await;
        let now = SystemClock.now().plus(ahead);
        let reached = Some((DeliveryState::Intended, "{}"));
        let noted = claim::note(&self.ledger, &claimed.claim, None, reached, now).await;
        assert!(noted.expect("noted"), "it is this worker's");
        claimed
    }

    /// And ends it there, by the same clock.
    async fn ends(&self, state: DeliveryState, ahead: Duration) -> Timestamp {
        let claimed = self.begun(ahead).await;
        let ended = self.ended(&claimed, state, ahead).await;
        ended.ended_at.expect("it has ended")
    }

    /// How it stands after an attempt that ends so.
    async fn ended(&self, claimed: &Claimed, state: DeliveryState, ahead: Duration) -> Delivery {
        let now = SystemClock.now().plus(ahead);
        let ending = Ending {
            state: Some(state),
            reason: "",
            again: (!state.is_ended()).then_some(now),
            failures: 0,
            waits: 0,
            anew: false,
        };
        let ended = claim::end(&self.ledger, &claimed.claim, ending, now).await;
        assert!(ended.expect("ended"), "it was this worker's");
        self.now().await
    }

    /// A bucket tells of it with this content; whether that is news.
    async fn put(&self, content: &str) -> bool {
        let found = Found {
            key: "a".to_owned(),
            place: "a".to_owned(),
            name: "a".to_owned(),
            media_type: "image/png".to_owned(),
            size: Some(3),
            content: Some(content.to_owned()),
            seen: None,
            metadata: BTreeMap::new(),
            creator: None,
            asked: false,
        };
        let now = SystemClock.now();
        let noting = Noting {
            found: &found,
            unfit: None,
            target: Some("all"),
            read_at: now,
            now,
        };
        let mut tx = self.db.begin().await.expect("begun");
        let news = note(&mut tx, self.sync, noting).await.expect("noted");
        if !news {
            stir(&mut tx, self.sync, &found).await.expect("noted");
        }
        tx.commit().await.expect("committed");
        news
    }

    /// Somebody has it delivered again; whether it is.
    async fn asked_again(&self, id: DeliveryId) -> bool {
        let mut tx = self.db.begin().await.expect("begun");
        let again = deliver_again(&mut tx, self.sync, id, SystemClock.now()).await;
        tx.commit().await.expect("committed");
        again.expect("asked")
    }

    async fn now(&self) -> Delivery {
        let all = list(&self.db, self.sync, &DeliveryFilter::default(), None, 2).await;
        let mut all = all.expect("read");
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// The database's clock, once it says more than `at`.
    async fn clock_after(&self, at: Timestamp) -> Timestamp {
        loop {
            let now = clock(&self.db).await.expect("read");
            if now > at {
                return now;
            }
            tokio::task::yield_now().await;
        }
    }
}

on_both!(what_was_asked_for_since_it_was_delivered_is_told_by_the_databases_clock);
async fn what_was_asked_for_since_it_was_delivered_is_told_by_the_databases_clock(
    database: TestDatabase,
) {
    let told = Told::on(&database).await;
    let before = clock(&told.db).await.expect("read");
    assert!(told.row("1", before).await, "it is new");
    // Its clock goes an hour ahead of everybody else's.
    let ended_at = told
        .ends(DeliveryState::Marked, Duration::from_secs(3600))
        .await;
    assert!(
        !told.row("1", before).await,
        "the row was read before it was marked"
    );
    let after = told.clock_after(ended_at).await;
    assert!(
        told.row("1", after).await,
        "somebody has asked for it again"
    );
    assert_eq!(told.now().await.state, DeliveryState::Again);
}

on_both!(the_last_ids_that_a_source_was_told_are_remembered);
async fn the_last_ids_that_a_source_was_told_are_remembered(database: TestDatabase) {
    let told = Told::on(&database).await;
    let at = clock(&told.db).await.expect("read");
    assert!(told.row("1", at).await, "it is new");
    let claimed = told.begun(Duration::ZERO).await;
    let ids: Vec<String> = (0..40).map(|number| format!("id{number}")).collect();
    let mut delivery = claimed.delivery.clone();
    for id in &ids {
        delivery.told = delivery.told_with(id);
    }
    assert_eq!(delivery.told, &ids[8..]);
    assert_eq!(delivery.told_with("id39"), &ids[8..], "it is told once");
    let said = Said {
        state: DeliveryState::Verified,
        remote_id: "id39",
        thumbnail: "",
        known: "{}",
        told: &delivery.told,
        anew: false,
    };
    let kept = claim::said(&told.ledger, &claimed.claim, said, SystemClock.now()).await;
    assert!(kept.expect("kept"), "it is this worker's");
    assert_eq!(told.now().await.told, &ids[8..]);
}

on_both!(what_rests_is_tried_again_once_its_row_says_something_else);
async fn what_rests_is_tried_again_once_its_row_says_something_else(database: TestDatabase) {
    let told = Told::on(&database).await;
    let at = clock(&told.db).await.expect("read");
    assert!(told.row("1", at).await, "it is new");
    told.ends(DeliveryState::Failed, Duration::ZERO).await;
    assert!(!told.row("1", at).await, "it rests");
    assert!(told.row_of("b.png", "2", at, None).await, "it is corrected");
    let corrected = told.now().await;
    assert_eq!(corrected.state, DeliveryState::Pending);
    assert_eq!((corrected.place.as_str(), corrected.failures), ("b.png", 0));
    // What its target may have of it is not forgotten.
    assert_eq!(corrected.reached, Some(DeliveryState::Intended));
    assert_eq!(corrected.known, Some(json!({})));
    // No target takes it; then one does.
    told.ends(DeliveryState::Failed, Duration::ZERO).await;
    let unfit = Some("no target takes it");
    assert!(told.row_of("b.png", "3", at, unfit).await, "it is another");
    assert_eq!(told.now().await.state, DeliveryState::Skipped);
    assert!(!told.row_of("b.png", "3", at, unfit).await, "it rests");
    assert!(told.row("4", at).await, "it is corrected");
    assert_eq!(told.now().await.state, DeliveryState::Pending);
    // What is under way is looked at before it is sent, and what was delivered since is done.
    let claimed = told.begun(Duration::ZERO).await;
    assert!(!told.row("5", at).await, "somebody has it");
    claim::release(&told.db, &[claimed.claim])
        .await
        .expect("given back");
    told.ends(DeliveryState::Marked, Duration::ZERO).await;
    assert!(!told.row("6", at).await, "it was read before");
}

on_both!(what_is_put_anew_while_it_is_under_way_is_looked_at_once_more);
async fn what_is_put_anew_while_it_is_under_way_is_looked_at_once_more(database: TestDatabase) {
    use DeliveryState::{Again, Failed, Marked, Pending, Skipped, Working};
    const NOW: Duration = Duration::ZERO;
    let told = Told::on(&database).await;
    assert!(told.put("1").await, "it is new");
    let claimed = told.begun(NOW).await;
    assert!(!told.put("1").await, "a second replica has heard of it");
    assert_eq!(told.ended(&claimed, Marked, NOW).await.state, Marked);
    // Another content, while the one before is sent; and somebody is late with his word.
    assert!(told.put("2").await, "it is another");
    let claimed = told.begun(NOW).await;
    assert!(!told.put("3").await, "it is under way");
    assert!(!told.put("2").await, "it is under way");
    let again = told.ended(&claimed, Marked, NOW).await;
    assert_eq!((again.state, again.ended_at), (Again, None));
    let claimed = told.begun(NOW).await;
    assert_eq!(told.ended(&claimed, Marked, NOW).await.state, Marked);
    // While its target works on it, its source is not looked at.
    assert!(told.put("4").await, "it is another");
    let claimed = told.begun(NOW).await;
    assert_eq!(told.ended(&claimed, Working, NOW).await.state, Working);
    assert!(!told.put("5").await, "it is under way");
    let claimed = told.claimed(NOW).await;
    assert_eq!(told.ended(&claimed, Marked, NOW).await.state, Again);
    // What was not there, or was refused as it was before.
    for (end, content) in [(Skipped, "4"), (Failed, "5")] {
        let claimed = told.begun(NOW).await;
        assert!(!told.put(content).await, "it is under way");
        assert_eq!(told.ended(&claimed, end, NOW).await.state, Pending);
    }
    let claimed = told.begun(NOW).await;
    assert_eq!(told.ended(&claimed, Failed, NOW).await.state, Failed);
}

on_both!(what_is_being_removed_is_not_delivered_again_meanwhile);
async fn what_is_being_removed_is_not_delivered_again_meanwhile(database: TestDatabase) {
    let told = Told::on(&database).await;
    assert!(told.put("1").await, "it is new");
    let claimed = told.begun(Duration::ZERO).await;
    let marked = told
        .ended(&claimed, DeliveryState::Marked, Duration::ZERO)
        .await;
    let claim = claim::claim_delivered(&told.db, claimer(), &marked).await;
    let claim = claim.expect("claimed").expect("nobody has it");
    assert!(!told.asked_again(marked.id).await, "it is being removed");
    let removed = claim::removed(&told.db, &claim, "", SystemClock.now()).await;
    assert!(removed.expect("recorded"), "it is as it was looked at");
    assert!(told.asked_again(marked.id).await, "that is over");
    assert_eq!(told.now().await.state, DeliveryState::Pending);
}
