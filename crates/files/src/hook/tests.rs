//! Hooks: who may tell, and what is kept of it.

use super::*;
use crate::{DEFAULT_BUCKET, Error, FileSettings, Ground};
use access::{Access, AccessSettings, MasterKeys};
use async_trait::async_trait;
use base::SystemClock;
use fetch::{Client, Limits, Policy, Resolve, ResolveError};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use storage::{Blobs, Bus};
use testing::on_both;
use tokio_util::task::TaskTracker;

/// Notes which names are looked up, and knows none.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Resolve for Asked {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(host.to_owned());
        Err(ResolveError::NotFound)
    }
}

#[tokio::test]
async fn a_confirmation_is_sent_to_sns_and_to_nobody_else() {
    on_both(|database| async move {
        let db = database.open().await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock: base::SharedClock = Arc::new(SystemClock);
        let keys = MasterKeys::generate();
        let settings = AccessSettings::default();
        let access = Access::open(db.clone(), bus.clone(), Arc::clone(&clock), keys, settings);
        let folder = tempfile::tempdir().expect("a folder");
        let asked = Asked::default();
        let client = Client::builder(Policy::default(), Limits::default())
            .resolver(asked.clone())
            .build();
        let ground = Ground {
            client,
            db: db.clone(),
            blobs: Blobs::open(&folder.path().join("files")).expect("they are ours"),
            bus,
            access: access.await.expect("access opens"),
            clock,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        let files = Files::open(ground, FileSettings::default())
            .await
            .expect("files open");
        let bucket = files.bucket(DEFAULT_BUCKET).expect("it is there");
        let hear = async |host: &str| {
            let url = format!("https://{host}/?Action=ConfirmSubscription&Token=2336412f37");
            let body = json!({ "Type": "SubscriptionConfirmation", "SubscribeURL": url });
            files.hear(&bucket, body.to_string().as_bytes()).await
        };
        let elsewhere = hear("sns.eu-central-1.amazonaws.com.example.org").await;
        assert!(
            matches!(
                elsewhere,
                Err(Error::Hook(HookError::NoEvent(NoEvent::Elsewhere)))
            ),
            "{elsewhere:?}"
        );
        let names = || {
            asked
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        assert!(names().is_empty());
        let unknown = hear("sns.eu-central-1.amazonaws.com").await;
        let Err(error @ Error::Hook(HookError::Unconfirmed(_))) = unknown else {
            panic!("{unknown:?}");
        };
        assert!(!error.to_string().contains("2336412f37"), "{error}");
        assert_eq!(names(), ["sns.eu-central-1.amazonaws.com"]);
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        db.close().await;
    })
    .await;
}
