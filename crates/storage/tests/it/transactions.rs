//! Transactions: all or nothing, and nothing left open.

use std::task::Poll;
use storage::{Db, values};
use testing::{on_both, within};

async fn counted(db: &Db) -> i64 {
    let row = db.one("SELECT COUNT(*) AS count FROM mark", values![]);
    let row = row.await.expect("read").expect("a row");
    row.get("count").expect("a number")
}

async fn with_marks(database: &testing::TestDatabase) -> Db {
    let db = database.open().await;
    db.execute("CREATE TABLE mark (n BIGINT NOT NULL)", values![])
        .await
        .expect("made");
    db
}

#[tokio::test]
async fn what_is_not_committed_did_not_happen() {
    on_both(|database| async move {
        let db = with_marks(&database).await;
        let mut tx = db.begin().await.expect("begun");
        tx.execute("INSERT INTO mark VALUES (1)", values![])
            .await
            .expect("done");
        assert_eq!(counted(&db).await, 0, "nobody else sees it");
        drop(tx);
        let mut tx = db.begin().await.expect("begun");
        tx.execute("INSERT INTO mark VALUES (2)", values![])
            .await
            .expect("done");
        tx.commit().await.expect("committed");
        assert_eq!(counted(&db).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_lock_is_held_by_one_until_its_transaction_ends() {
    on_both(|database| async move {
        let db = with_marks(&database).await;
        let mut first = db.begin().await.expect("begun");
        first.lock(7).await.expect("free");
        first
            .execute("INSERT INTO mark VALUES (1)", values![])
            .await
            .expect("done");
        let other = db.clone();
        let waiting = tokio::spawn(async move {
            let mut second = other.begin().await.expect("begun");
            second.lock(7).await.expect("free");
            let row = second.one("SELECT COUNT(*) AS count FROM mark", values![]);
            let row = row.await.expect("read").expect("a row");
            row.get::<i64>("count").expect("a number")
        });
        first.commit().await.expect("committed");
        let seen = within("the second", waiting).await.expect("no panic");
        assert_eq!(seen, 1, "it came after the first");
    })
    .await;
}

/// A `begin` that is dropped half-way must not leave its transaction on a connection:
/// what the next borrower says there would be undone with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_begin_leaves_no_open_transaction() {
    const ROUNDS: i64 = 200;
    on_both(|database| async move {
        let db = with_marks(&database).await;
        for round in 0..ROUNDS {
            {
                let mut begin = std::pin::pin!(db.begin());
                // Given up after some polls: at another place each time.
                for _ in 0..=round % 7 {
                    let begun = futures::poll!(begin.as_mut());
                    if let Poll::Ready(begun) = begun {
                        drop(begun.expect("begun"));
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            db.execute("INSERT INTO mark VALUES ($1)", values![round])
                .await
                .expect("done");
        }
        // Another pool sees what is committed, and nothing else.
        let other = Db::join(&database.settings()).await.expect("there");
        assert_eq!(counted(&other).await, ROUNDS);
    })
    .await;
}
