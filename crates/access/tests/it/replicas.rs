//! Two replicas on one database: what one changes, the other no longer believes.
//!
//! On Postgres the bus alone tells, for nobody looks at the database's number. On
//! SQLite the second is another process on the same file, such as the command line
//! on the host, whom no bus reaches: there the look at the number alone tells.

use crate::house::{House, OTHER, PASSWORD, code, here, quiet};
use access::{AccessSettings, Doer, MasterKeys, NewToken, Role, Scope};
use secrecy::ExposeSecret;
use std::time::Duration;
use storage::values;
use testing::{TestDatabase, on_both, within};

struct Pair {
    one: House,
    two: House,
}

impl Pair {
    async fn open(database: &TestDatabase) -> Self {
        let settings = match database.postgres_url() {
            Some(_) => quiet(),
            None => AccessSettings {
                look: Duration::from_millis(5),
                ..quiet()
            },
        };
        let keys = MasterKeys::generate();
        let one = House::with(database, &keys, settings).await;
        let two = House::with(database, &keys, settings).await;
        let pair = Self { one, two };
        pair.one.user("root", Role::Admin).await;
        pair.one.user("anna", Role::Admin).await;
        pair
    }

    async fn close(self) {
        self.one.close().await;
        self.two.close().await;
    }
}

/// Waits until `believed` is false, looking again after each change that is heard of.
async fn until_not<Fut: Future<Output = bool>>(house: &House, believed: impl Fn() -> Fut) {
    let mut changed = house.access.changed();
    within("the other replica to hear of it", async {
        while believed().await {
            changed.changed().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_new_password_is_known_to_the_other() {
    on_both(|database| async move {
        let Pair { one, two } = Pair::open(&database).await;
        two.basic("anna", PASSWORD).await.unwrap();
        one.access
            .set_password(&Doer::host(), "anna", &OTHER.into())
            .await
            .unwrap();
        until_not(&two, || async { two.basic("anna", PASSWORD).await.is_ok() }).await;
        assert!(two.basic("anna", OTHER).await.is_ok());
        Pair { one, two }.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_role_is_known_to_the_other() {
    on_both(|database| async move {
        let Pair { one, two } = Pair::open(&database).await;
        two.basic("anna", PASSWORD).await.unwrap();
        one.access
            .set_role(&Doer::host(), "anna", Role::Viewer)
            .await
            .unwrap();
        until_not(&two, || async {
            two.basic("anna", PASSWORD).await.unwrap().role() == Role::Admin
        })
        .await;
        Pair { one, two }.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_deleted_user_is_known_to_the_other() {
    on_both(|database| async move {
        let Pair { one, two } = Pair::open(&database).await;
        let session = one.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        two.basic("anna", PASSWORD).await.unwrap();
        two.access.identify_session(cookie, here()).await.unwrap();
        one.access.delete_user(&Doer::host(), "anna").await.unwrap();
        until_not(&two, || async {
            two.basic("anna", PASSWORD).await.is_ok()
                || two.access.identify_session(cookie, here()).await.is_ok()
        })
        .await;
        Pair { one, two }.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_ended_session_and_a_deleted_token_are_known_to_the_other() {
    on_both(|database| async move {
        let Pair { one, two } = Pair::open(&database).await;
        let session = one.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        let new = NewToken {
            name: "ci".parse().unwrap(),
            scopes: vec![Scope::BundlesRead],
            expires_in: None,
        };
        let (token, made) = one.access.create_token(&session.caller, new).await.unwrap();
        let token = token.expose_secret();
        two.access.identify_token(token, here()).await.unwrap();
        two.access.identify_session(cookie, here()).await.unwrap();
        one.access
            .delete_token(&session.caller, made.id)
            .await
            .unwrap();
        until_not(&two, || async {
            two.access.identify_token(token, here()).await.is_ok()
        })
        .await;
        one.access.log_out(&session.caller).await.unwrap();
        until_not(&two, || async {
            two.access.identify_session(cookie, here()).await.is_ok()
        })
        .await;
        Pair { one, two }.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_secret_is_taken_out_of_the_others_logs() {
    on_both(|database| async move {
        let Pair { one, two } = Pair::open(&database).await;
        let mut renewed = two.access.redactors();
        let name = "git".parse().unwrap();
        one.access
            .put_secret(&Doer::host(), &name, &"s3cr3t-value".into())
            .await
            .unwrap();
        within("the other replica to know the secret", async {
            while renewed.borrow_and_update().redact("s3cr3t-value") == "s3cr3t-value" {
                renewed.changed().await.unwrap();
            }
        })
        .await;
        Pair { one, two }.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_revealed_secret_is_taken_out_of_logs_before_anybody_was_told_of_it() {
    on_both(|database| async move {
        let keys = MasterKeys::generate();
        let one = House::with(&database, &keys, quiet()).await;
        let two = House::with(&database, &keys, quiet()).await;
        let name = "git".parse().unwrap();
        one.access
            .put_secret(&Doer::host(), &name, &"s3cr3t-value".into())
            .await
            .unwrap();
        two.access.reveal(&name).await.unwrap();
        assert!(
            !two.access
                .redactor()
                .redact("s3cr3t-value")
                .contains("s3cr3t")
        );
        one.close().await;
        two.close().await;
    })
    .await;
}

/// Breaks the lines by which replicas hear of each other, and waits until `house` knows.
async fn break_lines(house: &House) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    house.db.execute(sql, values![]).await.unwrap();
    within("the line to break", async {
        while house.bus.hears_others() {
            // The bus tells nobody that it hears no more.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_cannot_hear_the_others_believes_nothing_that_it_remembers() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            // There are no replicas on SQLite, and so nobody whom one could fail to hear.
            return;
        }
        let Pair { one, two } = Pair::open(&database).await;
        let session = one.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        two.basic("anna", PASSWORD).await.unwrap();
        two.access.identify_session(cookie, here()).await.unwrap();
        break_lines(&two).await;
        assert!(
            two.basic("anna", PASSWORD).await.is_ok(),
            "what is right is still right"
        );
        one.access
            .set_password(&Doer::host(), "anna", &OTHER.into())
            .await
            .unwrap();
        assert_eq!(code(two.basic("anna", PASSWORD).await), "unauthenticated");
        let gone = two.access.identify_session(cookie, here()).await;
        assert_eq!(code(gone), "unauthenticated");
        Pair { one, two }.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_whose_maker_went_away_is_made_known_all_the_same() {
    on_both(|database| async move {
        if database.postgres_url().is_none() {
            // On SQLite the transaction waits to begin, and nothing has been changed yet.
            return;
        }
        let Pair { one, two } = Pair::open(&database).await;
        one.basic("anna", PASSWORD).await.unwrap();
        // Holds what every change needs in the end, so that the change stops there.
        let mut held = two.db.begin().await.unwrap();
        let hold = "UPDATE counter SET value = value WHERE name = 'access_changed'";
        held.execute(hold, values![]).await.unwrap();
        let access = one.access.clone();
        let maker = tokio::spawn(async move {
            access
                .set_password(&Doer::host(), "anna", &OTHER.into())
                .await
        });
        within("the change to wait", async {
            let waiting = "SELECT 1 AS one FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while two.db.one(waiting, values![]).await.unwrap().is_none() {}
        })
        .await;
        maker.abort();
        assert!(maker.await.unwrap_err().is_cancelled());
        assert!(
            one.basic("anna", PASSWORD).await.is_ok(),
            "nothing has changed yet"
        );
        held.commit().await.unwrap();
        until_not(&one, || async { one.basic("anna", PASSWORD).await.is_ok() }).await;
        assert!(two.basic("anna", OTHER).await.is_ok());
        Pair { one, two }.close().await;
    })
    .await;
}
