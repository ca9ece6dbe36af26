//! Access keys: made once, their secrets shown once, limited, ended.

use crate::house::{House, code, elsewhere};
use access::{Caller, Doer, MasterKeys, NewAccessKey, NewToken, Proof, Role, Scope};
use base::Actor;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use testing::on_both;

const BOTH: [Scope; 2] = [Scope::FilesRead, Scope::FilesWrite];

fn new(name: &str, scopes: &[Scope]) -> NewAccessKey {
    NewAccessKey {
        name: name.parse().unwrap(),
        scopes: scopes.to_vec(),
        expires_in: None,
    }
}

async fn present(house: &House, key: &str, secret: &str) -> Result<Caller, &'static str> {
    let outcome = house
        .access
        .identify_access_key(key, secret, elsewhere(3))
        .await;
    outcome.map_err(|error| error.code())
}

#[tokio::test]
async fn a_key_proves_its_owner_within_its_scopes() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Operator).await;
        let anna = house.log_in("anna").await.caller;
        let made = house
            .access
            .create_access_key(&anna, new("nas", &BOTH[..1]));
        let (secret, key) = made.await.unwrap();
        assert!(key.key.starts_with("LSH") && key.key.len() == 20);
        assert_eq!(secret.expose_secret().len(), 40);
        let signing = house.access.access_key_secret(&key.key).await.unwrap();
        assert_eq!(signing.expose_secret(), secret.expose_secret());
        for _ in 0..2 {
            let caller = present(&house, &key.key, secret.expose_secret())
                .await
                .unwrap();
            assert_eq!((caller.name(), caller.role()), ("anna", Role::Operator));
            assert_eq!(caller.actor(), Actor::access_key("anna", "nas"));
            assert!(caller.may(Role::Operator, Scope::FilesRead));
            assert!(!caller.may(Role::Viewer, Scope::FilesWrite));
            assert!(!caller.may(Role::Viewer, Scope::OperationsRead));
            assert!(matches!(caller.proof(), Proof::AccessKey { .. }));
            house.access.recheck(&caller).await.unwrap();
        }
        let wrong = "x".repeat(40);
        assert_eq!(
            present(&house, &key.key, &wrong).await.unwrap_err(),
            "unauthenticated"
        );
        for other in ["LSH00000000000000000", "lsh", ""] {
            let outcome = present(&house, other, secret.expose_secret()).await;
            assert_eq!(outcome.unwrap_err(), "unauthenticated");
            let outcome = house.access.access_key_secret(other).await;
            assert_eq!(code(outcome), "unauthenticated");
        }
        let listed = house.access.access_keys(Some(anna.user())).await.unwrap();
        let shown = format!("{secret:?} {key:?} {listed:?}");
        assert!(!shown.contains(secret.expose_secret()), "{shown}");
        house.access.flush().await.unwrap();
        let listed = house.access.access_keys(None).await.unwrap();
        assert!(listed[0].last_used_at.is_some());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_ends_when_it_is_deleted_or_its_time_is_over_or_its_user_is_gone() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        for name in ["anna", "otto"] {
            house.user(name, Role::Operator).await;
        }
        house.user("root", Role::Admin).await;
        let anna = house.log_in("anna").await.caller;
        let otto = house.log_in("otto").await.caller;
        let root = house.log_in("root").await.caller;
        let make = async |caller: &Caller, name: &str, days: Option<u64>| {
            let mut wanted = new(name, &BOTH);
            wanted.expires_in = days.map(|days| Duration::from_secs(days * 86_400));
            house
                .access
                .create_access_key(caller, wanted)
                .await
                .unwrap()
        };
        let (secret, deleted) = make(&anna, "deleted", None).await;
        let (short_secret, short) = make(&anna, "short", Some(1)).await;
        let (last_secret, last) = make(&otto, "last", None).await;
        let present = async |key: &access::AccessKey, secret: &SecretString| {
            present(&house, &key.key, secret.expose_secret()).await
        };
        present(&deleted, &secret).await.unwrap();
        let outcome = house.access.delete_access_key(&otto, deleted.id).await;
        assert_eq!(code(outcome), "not-found", "another's");
        house
            .access
            .delete_access_key(&anna, deleted.id)
            .await
            .unwrap();
        assert_eq!(
            present(&deleted, &secret).await.unwrap_err(),
            "unauthenticated"
        );
        present(&short, &short_secret).await.unwrap();
        house.pass(86_401);
        assert_eq!(present(&short, &short_secret).await.unwrap_err(), "expired");
        house
            .access
            .delete_access_key(&root, short.id)
            .await
            .unwrap();
        present(&last, &last_secret).await.unwrap();
        house
            .access
            .delete_user(&Doer::host(), "otto")
            .await
            .unwrap();
        assert_eq!(
            present(&last, &last_secret).await.unwrap_err(),
            "unauthenticated"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_is_for_files_and_never_more_than_its_maker() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Operator).await;
        let anna = house.log_in("anna").await.caller;
        for scopes in [
            &[][..],
            &[Scope::Admin],
            &[Scope::FilesRead, Scope::BundlesRead],
        ] {
            let outcome = house
                .access
                .create_access_key(&anna, new("x", scopes))
                .await;
            assert_eq!(code(outcome), "invalid-request");
        }
        house
            .access
            .create_access_key(&anna, new("x", &BOTH))
            .await
            .unwrap();
        let outcome = house.access.create_access_key(&anna, new("x", &BOTH)).await;
        assert_eq!(code(outcome), "conflict");
        let token = NewToken {
            name: "ci".parse().unwrap(),
            scopes: vec![Scope::FilesRead],
            expires_in: Some(Duration::from_secs(3600)),
        };
        let (text, token) = house.access.create_token(&anna, token).await.unwrap();
        let narrow = house
            .access
            .identify_token(text.expose_secret(), elsewhere(1))
            .await
            .unwrap();
        let outcome = house
            .access
            .create_access_key(&narrow, new("y", &BOTH))
            .await;
        assert_eq!(code(outcome), "scope-exceeded");
        let outcome = house
            .access
            .create_access_key(&narrow, new("y", &BOTH[..1]))
            .await;
        assert_eq!(
            code(outcome),
            "invalid-request",
            "it would outlive the token"
        );
        let mut ending = new("y", &BOTH[..1]);
        ending.expires_in = Some(Duration::from_secs(86_400));
        let (_, key) = house
            .access
            .create_access_key(&narrow, ending)
            .await
            .unwrap();
        assert_eq!(key.expires_at, token.expires_at);
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_outlives_a_change_of_the_master_key() {
    on_both(|database| async move {
        let keys = MasterKeys::generate();
        let house = House::with(&database, &keys, crate::house::quiet()).await;
        house.user("anna", Role::Operator).await;
        let anna = house.log_in("anna").await.caller;
        let (secret, key) = house
            .access
            .create_access_key(&anna, new("x", &BOTH))
            .await
            .unwrap();
        house.close().await;

        let both = keys.with_new_key();
        let house = House::with(&database, &both, crate::house::quiet()).await;
        assert_eq!(house.access.rotate(&Doer::host()).await.unwrap(), 1);
        house.close().await;

        let house = House::with(&database, &both.newest_alone(), crate::house::quiet()).await;
        let found = house.access.access_key_secret(&key.key).await.unwrap();
        assert_eq!(found.expose_secret(), secret.expose_secret());
        house.close().await;
    })
    .await;
}
