//! The API of people over a real database, with a clock that the test moves.

use crate::fixture::{Answered, Call, get};
use ::access::{Access, AccessSettings, Caller, Doer, MasterKeys, NewToken, NewUser, Role, Scope};
use base::{Clock, ManualClock, SharedClock, SystemClock};
use secrecy::{ExposeSecret, SecretString};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use storage::{Bus, Db};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::api::{self, About};
use web::{Gate, Links, Settings, Site};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const OTHER: &str = "another good password";

pub(crate) struct House {
    pub(crate) access: Access,
    pub(crate) site: Site,
    pub(crate) settings: watch::Sender<Arc<Settings>>,
    pub(crate) clock: Arc<ManualClock>,
    db: Db,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Runs a story in a house of its own on each database. There are `admin`,
/// `operator` and `viewer`, all with the same password.
pub(crate) async fn in_house<F, Fut>(story: F)
where
    F: Fn(Arc<House>) -> Fut,
    Fut: Future<Output = ()>,
{
    testing::on_both(|database| {
        let story = &story;
        async move {
            let house = Arc::new(House::open(database.open().await).await);
            story(Arc::clone(&house)).await;
            house.close().await;
        }
    })
    .await;
}

impl House {
    async fn open(db: Db) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let bus = Bus::start(&db, &tasks, stop.clone());
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let shared = Arc::clone(&clock) as SharedClock;
        let keys = MasterKeys::generate();
        let settings = AccessSettings::default();
        let access = Access::open(db.clone(), bus, Arc::clone(&shared), keys, settings).await;
        let access = access.expect("access opens");
        for role in [Role::Admin, Role::Operator, Role::Viewer] {
            let new = NewUser {
                name: role.as_str().parse().expect("a name"),
                role,
                password: Some(PASSWORD.into()),
            };
            access.create_user(&Doer::host(), new).await.expect("made");
        }
        let (sender, settings) = watch::channel(Arc::new(Settings {
            trusted_proxies: vec!["0.0.0.0/32".parse().expect("a network")],
            ..Settings::default()
        }));
        let links = Links::of(&access, "test");
        let gate = Gate::new(Arc::new(access.clone()), links, shared, settings, 64);
        let about = About {
            version: "0.0.0".into(),
            database: db.dialect().name().into(),
            started_at: clock.now(),
            data: "/data".into(),
        };
        let site = api::routes(&access, about).finish(&gate);
        Self {
            access,
            site,
            settings: sender,
            clock,
            db,
            stop,
            tasks,
        }
    }

    async fn close(&self) {
        self.access.close().await.expect("closed");
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.db.close().await;
    }

    async fn caller(&self, name: &str) -> Caller {
        let password = SecretString::from(PASSWORD);
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let caller = self.access.identify_password(name, &password, here).await;
        caller.expect("identified")
    }

    pub(crate) async fn token(&self, user: &str, scopes: &[Scope], lives: Duration) -> String {
        let name = format!("t{}", base::TokenId::new());
        let new = NewToken {
            name: name.parse().expect("a name"),
            scopes: scopes.to_vec(),
            expires_in: Some(lives),
        };
        let (text, _) = self
            .access
            .create_token(&self.caller(user).await, new)
            .await
            .expect("made");
        text.expose_secret().to_owned()
    }

    pub(crate) async fn call(&self, call: Call) -> Answered {
        call.to(&self.site).await
    }

    /// As an admin, by password.
    pub(crate) async fn admin(&self, call: Call) -> Answered {
        self.call(call.basic("admin", PASSWORD)).await
    }

    /// Logs in; the cookie's value and the CSRF token.
    pub(crate) async fn log_in(&self, name: &str) -> (String, String) {
        let json = format!(r#"{{"name":"{name}","password":"{PASSWORD}"}}"#);
        let answer = self
            .call(crate::fixture::post("/api/v1/session", &json))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let csrf = answer.json()["csrf"].as_str().expect("a token").to_owned();
        (cookie(&answer), csrf)
    }

    pub(crate) async fn still_in(&self, cookie: &str) -> bool {
        self.call(get("/api/v1/session").cookie(cookie))
            .await
            .status
            == 200
    }
}

/// The value of the session's cookie that an answer sets.
pub(crate) fn cookie(answer: &Answered) -> String {
    let text = answer.header("set-cookie");
    let value = text
        .strip_prefix("longshore_session=")
        .expect("the session's cookie");
    value.split(';').next().unwrap_or_default().to_owned()
}
