//! The cache that replicas share, in a real Redis that is killed, held still and restored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::time::Duration;
use storage::{CacheSettings, Db, Looked, SharedCache, values};
use testing::{Redis, TestDatabase, on_both, within};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const KEY: [u8; 32] = [7; 32];
const NAMESPACE: &str = "truth";

/// One of several that share a database, and perhaps a cache.
struct Replica {
    db: Db,
    cache: SharedCache,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Replica {
    async fn start(database: &TestDatabase, url: &str, key: [u8; 32]) -> Self {
        let db = database.open().await;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let settings = CacheSettings {
            url: url.to_owned(),
            key,
            statement: Duration::from_secs(60),
        };
        let cache = SharedCache::start(&db, settings, &tasks, stop.clone()).expect("an address");
        Self {
            db,
            cache,
            tasks,
            stop,
        }
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        within("the background to end", self.tasks.wait()).await;
        self.db.close().await;
    }

    async fn is_open(&self) {
        within("the cache to open", async {
            while !self.cache.is_open() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// What is true of `name`, and whether the cache said so.
    async fn read(&self, name: i64) -> (i64, bool) {
        let fill = match self.cache.look_up(NAMESPACE, &[&name.to_be_bytes()]).await {
            Looked::Hit(value) => {
                let value = value.try_into().expect("a number");
                return (i64::from_be_bytes(value), true);
            }
            Looked::Miss(fill) => fill,
        };
        let row = self
            .db
            .one("SELECT value FROM truth WHERE name = $1", values![name])
            .await
            .expect("the database answers");
        let value: i64 = row.expect("there is one").get("value").expect("a number");
        fill.keep(&value.to_be_bytes()).await;
        (value, false)
    }

    /// Makes something else true of `name`; on return it is acknowledged.
    async fn write(&self, name: i64) -> i64 {
        let place = name.to_be_bytes();
        let mut change = self
            .cache
            .change(NAMESPACE, &[&[&place]])
            .await
            .expect("announced");
        let mut tx = self.db.begin().await.expect("begun");
        let sql = "UPDATE truth SET value = value + 1 WHERE name = $1 RETURNING value";
        let row = tx.one(sql, values![name]).await.expect("updated");
        let value = row.expect("there is one").get("value").expect("a number");
        change.commits();
        tx.commit().await.expect("committed");
        change.happened().await.expect("acknowledged");
        value
    }

    /// Reads until the cache says it.
    async fn is_hit(&self, name: i64) -> i64 {
        within("the cache to say it", async {
            loop {
                if let (value, true) = self.read(name).await {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
    }
}

async fn truth(database: &TestDatabase) {
    let db = database.open().await;
    for sql in [
        "CREATE TABLE truth (name BIGINT PRIMARY KEY, value BIGINT NOT NULL)",
        "INSERT INTO truth (name, value) VALUES (1, 0), (2, 0), (3, 0), (4, 0)",
    ] {
        db.execute(sql, values![]).await.expect("made");
    }
    db.close().await;
}

/// Runs a test with a Redis on Postgres, where there are both.
async fn on_postgres<F, Fut>(test: F)
where
    F: Fn(TestDatabase, Redis) -> Fut,
    Fut: Future<Output = ()>,
{
    let test = &test;
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            return;
        }
        let Some(redis) = Redis::start().await else {
            return;
        };
        truth(&database).await;
        test(database, redis).await;
    })
    .await;
}

#[tokio::test]
async fn what_one_replica_found_the_other_is_told_until_it_changes() {
    on_postgres(|database, redis| async move {
        let one = Replica::start(&database, &redis.url(), KEY).await;
        let other = Replica::start(&database, &redis.url(), KEY).await;
        one.is_open().await;
        other.is_open().await;
        assert_eq!(one.is_hit(1).await, 0);
        assert_eq!(other.is_hit(1).await, 0);
        assert_eq!(one.write(1).await, 1);
        assert_eq!(other.read(1).await.0, 1);
        assert_eq!(other.is_hit(1).await, 1);
        assert_eq!(one.is_hit(1).await, 1);
        one.close().await;
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_that_is_given_up_leaves_the_place_free() {
    on_postgres(|database, redis| async move {
        let one = Replica::start(&database, &redis.url(), KEY).await;
        one.is_open().await;
        assert_eq!(one.is_hit(1).await, 0);
        let place = 1_i64.to_be_bytes();
        let change = one.cache.change(NAMESPACE, &[&[&place]]).await;
        let change = change.expect("announced");
        assert_eq!(one.read(1).await, (0, false), "while it is changed");
        drop(change);
        assert_eq!(one.is_hit(1).await, 0);
        one.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_cache_with_other_keys_is_closed_and_says_nothing() {
    on_postgres(|database, redis| async move {
        let one = Replica::start(&database, &redis.url(), KEY).await;
        one.is_open().await;
        assert_eq!(one.is_hit(1).await, 0);
        let other = Replica::start(&database, &redis.url(), [8; 32]).await;
        other.write(1).await;
        assert_eq!(one.read(1).await.0, 1);
        one.close().await;
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn values_for_a_time_are_shared_and_end() {
    on_postgres(|database, redis| async move {
        let one = Replica::start(&database, &redis.url(), KEY).await;
        let other = Replica::start(&database, &redis.url(), KEY).await;
        one.is_open().await;
        other.is_open().await;
        let parts: [&[u8]; 2] = [b"a", b"b"];
        let hour = Duration::from_secs(3600);
        assert_eq!(other.cache.get("gate", &parts).await, None);
        one.cache.set("gate", &parts, b"allow", hour).await;
        assert_eq!(
            other.cache.get("gate", &parts).await.as_deref(),
            Some(&b"allow"[..])
        );
        assert_eq!(other.cache.get("else", &parts).await, None);
        let soon = Duration::from_millis(20);
        one.cache.set("gate", &parts, b"allow", soon).await;
        within("it to end", async {
            while other.cache.get("gate", &parts).await.is_some() {}
        })
        .await;
        one.close().await;
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn with_sqlite_there_is_none() {
    on_both(|database| async move {
        if database.postgres_url().is_some() {
            return;
        }
        let one = Replica::start(&database, "redis://127.0.0.1:1", KEY).await;
        assert!(!one.cache.is_some());
        one.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_was_restored_says_nothing_of_before() {
    on_postgres(|database, mut redis| async move {
        let one = Replica::start(&database, &redis.url(), KEY).await;
        let other = Replica::start(&database, &redis.url(), KEY).await;
        one.is_open().await;
        other.is_open().await;
        assert_eq!(other.is_hit(1).await, 0);
        redis.save().await;
        assert_eq!(one.write(1).await, 1);
        redis.kill9().await;
        redis.start_again().await;
        one.is_open().await;
        other.is_open().await;
        assert_eq!(other.is_hit(1).await, 1);
        assert_eq!(one.is_hit(1).await, 1);
        one.close().await;
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_is_cut_off_writes_and_no_other_says_what_was_before() {
    on_postgres(|database, redis| async move {
        let here = Replica::start(&database, &redis.url(), KEY).await;
        here.is_open().await;
        // Nobody listens there.
        let cut = Replica::start(&database, "redis://127.0.0.1:1", KEY).await;
        for value in 1..=3 {
            here.is_open().await;
            assert_eq!(here.is_hit(1).await, value - 1);
            assert_eq!(cut.write(1).await, value);
            assert_eq!(here.read(1).await.0, value);
        }
        here.close().await;
        cut.close().await;
    })
    .await;
}

/// Reads and writes on all replicas at once until `over`; how many reads the cache
/// answered. None may be older than what was acknowledged when it began.
async fn busy(replicas: &[Arc<Replica>], over: Arc<AtomicBool>) -> u64 {
    let acknowledged: Arc<[AtomicI64]> = (0..5).map(|_| AtomicI64::new(0)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for (index, replica) in replicas.iter().enumerate() {
        for name in 1..=4_i64 {
            let (replica, acknowledged) = (Arc::clone(replica), Arc::clone(&acknowledged));
            let over = Arc::clone(&over);
            tasks.spawn(async move {
                let mut hits = 0;
                let place = usize::try_from(name).expect("small");
                let mut turn = index;
                while !over.load(SeqCst) {
                    turn += 1;
                    if turn % 8 == 0 {
                        let value = replica.write(name).await;
                        acknowledged[place].fetch_max(value, SeqCst);
                    }
                    let least = acknowledged[place].load(SeqCst);
                    let (value, hit) = replica.read(name).await;
                    assert!(value >= least, "{value} after {least} (hit: {hit})");
                    hits += u64::from(hit);
                }
                hits
            });
        }
    }
    let mut hits = 0;
    while let Some(done) = tasks.join_next().await {
        hits += done.expect("nothing old was read");
    }
    hits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_the_server_nothing_old_is_read() {
    on_postgres(|database, mut redis| async move {
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(Arc::new(Replica::start(&database, &redis.url(), KEY).await));
        }
        for replica in &replicas {
            replica.is_open().await;
        }
        let over = Arc::new(AtomicBool::new(false));
        let working = Arc::clone(&over);
        let others = replicas.clone();
        let work = tokio::spawn(async move { busy(&others, working).await });
        // How long each lasts is no matter: what is read is compared all the time.
        let while_it_lasts = || tokio::time::sleep(Duration::from_millis(700));
        while_it_lasts().await;
        redis.forget().await;
        while_it_lasts().await;
        redis.save().await;
        redis.hold();
        while_it_lasts().await;
        redis.go_on();
        replicas[0].is_open().await;
        while_it_lasts().await;
        redis.kill9().await;
        while_it_lasts().await;
        redis.start_again().await;
        replicas[0].is_open().await;
        while_it_lasts().await;
        over.store(true, SeqCst);
        let hits = within("the work to end", work).await.expect("nothing old");
        assert!(hits > 0, "the cache was of no use");
        for replica in replicas {
            Arc::into_inner(replica)
                .expect("nobody else has it")
                .close()
                .await;
        }
    })
    .await;
}
