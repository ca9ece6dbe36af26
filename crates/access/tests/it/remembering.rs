//! What was verified is remembered for a while, and forgotten when it changes.

use crate::house::{House, OTHER, PASSWORD, code, elsewhere, here, quiet};
use access::{AccessSettings, Doer, MasterKeys, NewToken, Proof, Role, Scope};
use secrecy::ExposeSecret;
use std::time::Duration;
use storage::values;
use testing::on_both;

/// Changes the password behind everybody's back, as no replica does.
async fn spoil(house: &House) {
    let sql = "UPDATE account SET password = 'x', credential = credential + 1";
    house.db.execute(sql, values![]).await.unwrap();
}

#[tokio::test]
async fn a_verified_password_is_not_verified_again_for_a_minute() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        house.basic("anna", PASSWORD).await.unwrap();
        spoil(&house).await;
        assert!(
            house.basic("anna", PASSWORD).await.is_ok(),
            "it is remembered"
        );
        let from = elsewhere(1);
        let there = house
            .access
            .identify_password("anna", &PASSWORD.into(), from)
            .await;
        assert_eq!(
            code(there),
            "unauthenticated",
            "only for where it came from"
        );
        assert_eq!(code(house.basic("anna", OTHER).await), "unauthenticated");
        house.pass(60);
        assert_eq!(code(house.basic("anna", PASSWORD).await), "unauthenticated");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn with_no_time_to_remember_everything_is_verified() {
    on_both(|database| async move {
        let settings = AccessSettings {
            cache_time: Duration::ZERO,
            ..quiet()
        };
        let house = House::with(&database, &MasterKeys::generate(), settings).await;
        house.user("anna", Role::Viewer).await;
        house.basic("anna", PASSWORD).await.unwrap();
        let session = house.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        house.access.identify_session(cookie, here()).await.unwrap();
        spoil(&house).await;
        house
            .db
            .execute("DELETE FROM session", values![])
            .await
            .unwrap();
        assert_eq!(code(house.basic("anna", PASSWORD).await), "unauthenticated");
        let gone = house.access.identify_session(cookie, here()).await;
        assert_eq!(code(gone), "unauthenticated");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn after_closing_nothing_is_remembered() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        house.basic("anna", PASSWORD).await.unwrap();
        house.access.close().await.unwrap();
        assert!(house.basic("anna", PASSWORD).await.is_ok());
        spoil(&house).await;
        assert_eq!(code(house.basic("anna", PASSWORD).await), "unauthenticated");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_change_by_this_process_is_believed_when_it_returns() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let (access, by) = (&house.access, Doer::host());
        house.user("root", Role::Admin).await;
        house.user("anna", Role::Operator).await;
        house.basic("anna", PASSWORD).await.unwrap();
        access
            .set_password(&by, "anna", &OTHER.into())
            .await
            .unwrap();
        assert_eq!(code(house.basic("anna", PASSWORD).await), "unauthenticated");
        house.basic("anna", OTHER).await.unwrap();
        access.delete_user(&by, "anna").await.unwrap();
        assert_eq!(code(house.basic("anna", OTHER).await), "unauthenticated");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_was_kept_is_asked_for_again() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let (access, by) = (&house.access, Doer::host());
        house.user("root", Role::Admin).await;
        house.user("anna", Role::Operator).await;
        let session = house.log_in("anna").await.caller;
        let basic = house.basic("anna", PASSWORD).await.unwrap();
        let new = NewToken {
            name: "ci".parse().unwrap(),
            scopes: vec![Scope::BundlesRead],
            expires_in: Some(Duration::from_secs(100)),
        };
        let (token, _) = access.create_token(&session, new).await.unwrap();
        let token = access
            .identify_token(token.expose_secret(), here())
            .await
            .unwrap();

        let mut changed = access.changed();
        changed.mark_unchanged();
        access.set_role(&by, "anna", Role::Viewer).await.unwrap();
        assert!(changed.has_changed().unwrap());
        for caller in [&session, &basic, &token] {
            let now = access.recheck(caller).await.unwrap();
            assert_eq!((now.role(), now.proof()), (Role::Viewer, caller.proof()));
        }
        house.pass(100);
        assert_eq!(code(access.recheck(&token).await), "expired");
        access
            .set_password(&by, "anna", &OTHER.into())
            .await
            .unwrap();
        for caller in [&session, &basic] {
            assert_eq!(code(access.recheck(caller).await), "unauthenticated");
        }
        let basic = house.basic("anna", OTHER).await.unwrap();
        assert_eq!(basic.proof(), &Proof::Password);
        access.delete_user(&by, "anna").await.unwrap();
        assert_eq!(code(access.recheck(&basic).await), "unauthenticated");
        house.close().await;
    })
    .await;
}
