//! What is kept of notices, on both databases.

use super::*;
use crate::bucket::{Bucket, BucketName, Storage};
use crate::hook::event::Notice;
use serde_json::json;
use std::time::Duration;
use testing::{TestDatabase, on_both};

const BEGIN: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

struct Desk {
    db: Db,
    bucket: BucketId,
}

impl Desk {
    async fn open(database: &TestDatabase) -> Self {
        let db = database.open().await;
        let name: BucketName = "store".parse().expect("a name");
        let bucket = Bucket {
            id: BucketId::new(),
            name,
            storage: Storage::Disk {},
            hosts: Vec::new(),
            versions: false,
            public_read: false,
            by_role: true,
            authoriser: crate::bucket::AuthorisedBy::default(),
            trash_seconds: 0,
            quota_bytes: None,
            quota_files: None,
            user_quota_bytes: None,
            redirect_above: None,
            created_at: BEGIN,
        };
        let mut tx = db.begin().await.expect("begun");
        let by = Actor::system();
        let inserted = crate::sql::bucket::insert(&mut tx, &bucket, &by).await;
        assert!(inserted.expect("inserted"));
        tx.commit().await.expect("committed");
        Self {
            db,
            bucket: bucket.id,
        }
    }

    /// Notes events of these keys with these numbers; how many were new.
    async fn hear(&self, events: &[(&str, &str)], at: Timestamp) -> u64 {
        let records: Vec<_> = events
            .iter()
            .map(|(key, order)| {
                let object = json!({ "key": key, "sequencer": order });
                json!({ "eventName": "ObjectCreated:Put", "eventSource": "aws:s3", "s3": { "object": object } })
            })
            .collect();
        let body = json!({ "Records": records }).to_string();
        let Ok(Notice::Objects(told)) = Notice::read(body.as_bytes()) else {
            panic!("{body} is of objects");
        };
        let mut tx = self.db.begin().await.expect("begun");
        let new = note(&mut tx, self.bucket, &told, at).await.expect("noted");
        tx.commit().await.expect("committed");
        new
    }

    async fn waiting(&self) -> Vec<Waiting> {
        waiting(&self.db, self.bucket, "", 100).await.expect("read")
    }

    async fn paths(&self) -> Vec<String> {
        let waiting = self.waiting().await;
        let paths = waiting.into_iter().map(|key| key.path.as_str().to_owned());
        paths.collect()
    }

    async fn look(&self) {
        let keys = self.waiting().await;
        looked_at(&self.db, self.bucket, &keys, BEGIN)
            .await
            .expect("noted");
    }
}

#[tokio::test]
async fn copies_and_older_ones_change_nothing_and_newer_ones_are_looked_at() {
    on_both(|database| async move {
        let desk = Desk::open(&database).await;
        assert_eq!(desk.hear(&[("a", "0055"), ("b", "01")], BEGIN).await, 2);
        assert_eq!(desk.hear(&[("a", "0055"), ("a", "005500")], BEGIN).await, 0);
        assert_eq!(desk.paths().await, ["a", "b"]);
        desk.look().await;
        assert_eq!(desk.paths().await, [""; 0]);
        // A removal of before, that comes late.
        assert_eq!(desk.hear(&[("a", "0054FF"), ("b", "01")], BEGIN).await, 0);
        assert_eq!(desk.paths().await, [""; 0]);
        assert_eq!(desk.hear(&[("a", "005501")], BEGIN).await, 1);
        assert_eq!(desk.paths().await, ["a"]);
        desk.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn of_many_in_one_body_the_last_counts() {
    on_both(|database| async move {
        let desk = Desk::open(&database).await;
        assert_eq!(
            desk.hear(&[("a", "02"), ("a", "03"), ("a", "01")], BEGIN)
                .await,
            1
        );
        desk.look().await;
        assert_eq!(desk.hear(&[("a", "03")], BEGIN).await, 0);
        assert_eq!(desk.hear(&[("a", "04")], BEGIN).await, 1);
        let many: Vec<String> = (0..250).map(|number| format!("many/{number:03}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|key| (&**key, "1")).collect();
        assert_eq!(desk.hear(&many, BEGIN).await, 250);
        desk.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_comes_without_a_number_is_always_looked_at() {
    on_both(|database| async move {
        let desk = Desk::open(&database).await;
        for _ in 0..2 {
            assert_eq!(desk.hear(&[("a", "")], BEGIN).await, 1);
            desk.look().await;
        }
        assert_eq!(desk.hear(&[("a", "07")], BEGIN).await, 1);
        desk.look().await;
        assert_eq!(desk.hear(&[("a", ""), ("a", "05")], BEGIN).await, 1);
        desk.look().await;
        // It did not forget the number that it knew.
        assert_eq!(desk.hear(&[("a", "06")], BEGIN).await, 0);
        desk.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_told_during_a_look_is_looked_at_again() {
    on_both(|database| async move {
        let desk = Desk::open(&database).await;
        desk.hear(&[("a", "01"), ("b", "01")], BEGIN).await;
        let keys = desk.waiting().await;
        desk.hear(&[("a", "02")], BEGIN).await;
        looked_at(&desk.db, desk.bucket, &keys, BEGIN)
            .await
            .expect("noted");
        assert_eq!(desk.paths().await, ["a"]);
        desk.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_looked_at_is_known_for_a_while_and_what_waits_for_longer() {
    on_both(|database| async move {
        let desk = Desk::open(&database).await;
        desk.hear(&[("done", "01")], BEGIN).await;
        desk.look().await;
        desk.hear(&[("waits", "01")], BEGIN).await;
        let after = |seconds| BEGIN.plus(Duration::from_secs(seconds));
        let swept = sweep(&desk.db, BEGIN, BEGIN).await.expect("swept");
        assert_eq!(swept, 0);
        let late = late(&desk.db, after(1)).await.expect("read");
        assert_eq!(late, [desk.bucket]);
        assert_eq!(sweep(&desk.db, after(1), BEGIN).await.expect("swept"), 1);
        assert_eq!(desk.paths().await, ["waits"]);
        assert_eq!(sweep(&desk.db, after(2), after(1)).await.expect("swept"), 1);
        assert_eq!(desk.paths().await, [""; 0]);
        desk.db.close().await;
    })
    .await;
}
