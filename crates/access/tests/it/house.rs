//! An open `Access` with a clock that the test moves, and words that all stories use.

use access::{
    Access, AccessError, AccessSettings, Caller, Doer, LoggedIn, MasterKeys, NewUser, Role, User,
};
use base::{Clock, ManualClock, SystemClock};
use secrecy::SecretString;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, BusEvent, Db};
use testing::{TestDatabase, on_both};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const OTHER: &str = "another good password";

pub(crate) struct House {
    pub(crate) access: Access,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) db: Db,
    pub(crate) bus: Bus,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// No look at the database's number, so that only the bus can tell of a change.
pub(crate) fn quiet() -> AccessSettings {
    AccessSettings {
        look: Duration::from_secs(3600),
        ..AccessSettings::default()
    }
}

/// A story in a house of its own, on each database.
pub(crate) async fn in_house<F, Fut>(settings: AccessSettings, story: F)
where
    F: Fn(Arc<House>) -> Fut,
    Fut: Future<Output = ()>,
{
    on_both(|database| {
        let story = &story;
        async move {
            let keys = MasterKeys::generate();
            let house = Arc::new(House::with(&database, &keys, settings).await);
            story(Arc::clone(&house)).await;
            house.close().await;
        }
    })
    .await;
}

impl House {
    pub(crate) async fn open(database: &TestDatabase) -> Self {
        Self::with(database, &MasterKeys::generate(), quiet()).await
    }

    pub(crate) async fn with(
        database: &TestDatabase,
        keys: &MasterKeys,
        settings: AccessSettings,
    ) -> Self {
        let house = Self::try_with(database, keys, settings).await;
        house.unwrap_or_else(|error| panic!("access does not open: {error}"))
    }

    pub(crate) async fn try_with(
        database: &TestDatabase,
        keys: &MasterKeys,
        settings: AccessSettings,
    ) -> Result<Self, AccessError> {
        let db = database.open().await;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let mut heard = bus.listen();
        if !bus.hears_others() {
            // From then on nothing is forgotten but for a reason of the test's.
            let first = testing::within("the line to the other replicas", heard.next()).await;
            assert_eq!(first, Some(BusEvent::Reset));
        }
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let shared = Arc::clone(&clock) as base::SharedClock;
        let access = Access::open(db.clone(), bus.clone(), shared, keys.clone(), settings).await?;
        Ok(Self {
            access,
            clock,
            db,
            bus,
            stop,
            tasks,
        })
    }

    pub(crate) async fn user(&self, name: &str, role: Role) -> User {
        let new = NewUser {
            name: name.parse().unwrap(),
            role,
            password: Some(PASSWORD.into()),
        };
        self.access.create_user(&Doer::host(), new).await.unwrap().0
    }

    pub(crate) async fn log_in(&self, name: &str) -> LoggedIn {
        self.log_in_from(name, here()).await
    }

    pub(crate) async fn log_in_from(&self, name: &str, from: IpAddr) -> LoggedIn {
        let outcome = self
            .access
            .log_in(name, &PASSWORD.into(), from, "a browser")
            .await;
        outcome.unwrap()
    }

    pub(crate) async fn basic(&self, name: &str, password: &str) -> Result<Caller, AccessError> {
        let password = SecretString::from(password);
        self.access.identify_password(name, &password, here()).await
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn close(&self) {
        self.access.close().await.unwrap();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.db.close().await;
    }
}

pub(crate) fn here() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

pub(crate) fn elsewhere(number: u8) -> IpAddr {
    IpAddr::from([198, 51, 100, number])
}

pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, AccessError>) -> &'static str {
    outcome.expect_err("it is refused").code()
}
