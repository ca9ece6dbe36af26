//! The bus: in one process, and between replicas on one Postgres.

use storage::{Bus, BusEvent, BusReceiver, Db, values};
use testing::{TestDatabase, on_both, within};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A process, as far as the bus goes.
struct Node {
    db: Db,
    bus: Bus,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Node {
    async fn on(database: &TestDatabase) -> Self {
        let db = database.open().await;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let mut heard = bus.listen();
        if database.postgres_url().is_some() {
            // The line to the others stands.
            assert_eq!(next(&mut heard).await, BusEvent::Reset);
        }
        Self {
            db,
            bus,
            tasks,
            stop,
        }
    }

    async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        within("the tasks to end", self.tasks.wait()).await;
        self.db.close().await;
    }
}

async fn next(receiver: &mut BusReceiver) -> BusEvent {
    let event = within("a message", receiver.next()).await;
    event.expect("the bus lives")
}

/// The next message, whatever else was said of lost ones.
async fn next_text(receiver: &mut BusReceiver) -> String {
    loop {
        if let BusEvent::Message { topic, text } = next(receiver).await {
            assert_eq!(&*topic, "topic");
            return text.to_string();
        }
    }
}

#[tokio::test]
async fn this_process_hears_a_message_at_once_and_once() {
    on_both(|database| async move {
        let node = Node::on(&database).await;
        let mut heard = node.bus.listen();
        node.bus.publish("topic", "published").await.expect("told");
        node.bus.hint("topic", "hinted");
        // Had the first come back from the database, it would be before the last.
        assert_eq!(next_text(&mut heard).await, "published");
        assert_eq!(next_text(&mut heard).await, "hinted");
        if database.postgres_url().is_some() {
            // What another says after that comes after whatever would come back.
            let other = Node::on(&database).await;
            other.bus.publish("topic", "other").await.expect("told");
            assert_eq!(next_text(&mut heard).await, "other");
            other.end().await;
        }
        node.end().await;
    })
    .await;
}

#[tokio::test]
async fn another_replica_hears_what_was_published_and_what_was_hinted() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let (one, two) = (Node::on(&database).await, Node::on(&database).await);
        let mut heard = two.bus.listen();
        one.bus
            .publish("topic", "first\nof two lines")
            .await
            .expect("told");
        one.bus.hint("topic", "second");
        assert_eq!(next_text(&mut heard).await, "first\nof two lines");
        assert_eq!(next_text(&mut heard).await, "second");
        let long = "x".repeat(8000);
        one.bus.publish("topic", &long).await.expect_err("too long");
        // One that cannot be sent holds up nothing.
        one.bus.hint("topic", &long);
        one.bus.hint("topic", "third");
        assert_eq!(next_text(&mut heard).await, "third");
        // What is hinted just before the end is told.
        one.bus.hint("topic", "last");
        one.end().await;
        assert_eq!(next_text(&mut heard).await, "last");
        two.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_listener_that_is_too_slow_is_told_that_it_missed_some() {
    on_both(|database| async move {
        let node = Node::on(&database).await;
        let mut slow = node.bus.listen();
        for number in 0..3000 {
            node.bus.hint("topic", &number.to_string());
        }
        assert_eq!(next(&mut slow).await, BusEvent::Reset);
        assert_ne!(next(&mut slow).await, BusEvent::Reset, "and then goes on");
        node.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_broken_line_is_noticed_and_made_anew() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let (one, two) = (Node::on(&database).await, Node::on(&database).await);
        let mut heard = two.bus.listen();
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        one.db.execute(sql, values![]).await.expect("broken");
        // Whoever kept something must look anew, as messages may have been lost.
        assert_eq!(next(&mut heard).await, BusEvent::Reset);
        assert!(two.bus.hears_others());
        one.bus.publish("topic", "again").await.expect("told");
        assert_eq!(next_text(&mut heard).await, "again");
        one.end().await;
        two.end().await;
    })
    .await;
}
