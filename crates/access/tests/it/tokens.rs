//! API tokens: made once, shown once, limited, ended.

use crate::house::{House, PASSWORD, code, elsewhere, here};
use access::{Caller, NewToken, Proof, Role, Scope};
use base::{Actor, TokenId};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use testing::on_both;

fn new(name: &str, scopes: &[Scope]) -> NewToken {
    NewToken {
        name: name.parse().unwrap(),
        scopes: scopes.to_vec(),
        expires_in: None,
    }
}

async fn present(house: &House, token: &SecretString) -> Result<Caller, &'static str> {
    let outcome = house
        .access
        .identify_token(token.expose_secret(), elsewhere(3))
        .await;
    outcome.map_err(|error| error.code())
}

async fn used_at(house: &House, id: TokenId) -> Option<base::Timestamp> {
    let tokens = house.access.tokens(None).await.unwrap();
    tokens
        .iter()
        .find(|token| token.id == id)
        .unwrap()
        .last_used_at
}

#[tokio::test]
async fn a_token_proves_its_owner_within_its_scopes() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Operator).await;
        let anna = house.log_in("anna").await.caller;
        let scopes = [Scope::BundlesWrite, Scope::BundlesRead, Scope::BundlesRead];
        let (text, token) = house
            .access
            .create_token(&anna, new("ci", &scopes))
            .await
            .unwrap();
        assert!(text.expose_secret().starts_with("lsh_"));
        assert!(text.expose_secret().ends_with(&token.ending));
        let caller = present(&house, &text).await.unwrap();
        assert_eq!((caller.name(), caller.role()), ("anna", Role::Operator));
        assert_eq!(caller.actor(), Actor::token("anna", "ci"));
        assert!(caller.may(Role::Operator, Scope::BundlesWrite));
        assert!(!caller.may(Role::Viewer, Scope::OperationsRead));
        assert!(!caller.may(Role::Admin, Scope::BundlesRead));
        let listed = house.access.tokens(Some(anna.user())).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].scopes, [Scope::BundlesRead, Scope::BundlesWrite]);
        let shown = format!("{text:?} {token:?} {listed:?}");
        assert!(!shown.contains(&text.expose_secret()[4..20]), "{shown}");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_ends_when_it_was_to_end_or_is_deleted() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let anna = house.log_in("anna").await.caller;
        let short = NewToken {
            expires_in: Some(Duration::from_secs(30)),
            ..new("short", &[Scope::BundlesRead])
        };
        let (short, _) = house.access.create_token(&anna, short).await.unwrap();
        let (long, token) = house
            .access
            .create_token(&anna, new("long", &[Scope::Admin]))
            .await
            .unwrap();
        house.pass(29);
        assert!(present(&house, &short).await.is_ok());
        assert!(present(&house, &long).await.is_ok());
        house.pass(1);
        assert_eq!(present(&house, &short).await.unwrap_err(), "expired");
        house.access.delete_token(&anna, token.id).await.unwrap();
        assert_eq!(present(&house, &long).await.unwrap_err(), "unauthenticated");
        assert_eq!(
            code(house.access.delete_token(&anna, token.id).await),
            "not-found"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn only_its_owner_and_admins_delete_a_token() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        for (name, role) in [
            ("anna", Role::Operator),
            ("bert", Role::Operator),
            ("root", Role::Admin),
        ] {
            house.user(name, role).await;
        }
        let anna = house.log_in("anna").await.caller;
        let bert = house.basic("bert", PASSWORD).await.unwrap();
        let root = house.basic("root", PASSWORD).await.unwrap();
        let (text, token) = house
            .access
            .create_token(&anna, new("ci", &[Scope::BundlesRead]))
            .await
            .unwrap();
        assert_eq!(
            code(house.access.delete_token(&bert, token.id).await),
            "not-found"
        );
        assert!(present(&house, &text).await.is_ok());
        house.access.delete_token(&root, token.id).await.unwrap();
        assert_eq!(present(&house, &text).await.unwrap_err(), "unauthenticated");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_makes_no_token_that_may_more() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Admin).await;
        let anna = house.log_in("anna").await.caller;
        let access = &house.access;
        let (text, _) = access
            .create_token(&anna, new("a", &[Scope::BundlesRead]))
            .await
            .unwrap();
        let weak = present(&house, &text).await.unwrap();
        assert!(matches!(weak.proof(), Proof::Token { .. }));
        let more = access
            .create_token(&weak, new("b", &[Scope::BundlesRead, Scope::Admin]))
            .await;
        assert_eq!(code(more), "scope-exceeded");
        assert!(
            access
                .create_token(&weak, new("b", &[Scope::BundlesRead]))
                .await
                .is_ok()
        );
        let again = access
            .create_token(&anna, new("b", &[Scope::BundlesRead]))
            .await;
        assert_eq!(code(again), "conflict");
        assert_eq!(
            code(access.create_token(&anna, new("c", &[])).await),
            "invalid-request"
        );
        let never = NewToken {
            expires_in: Some(Duration::ZERO),
            ..new("d", &[Scope::Admin])
        };
        assert_eq!(
            code(access.create_token(&anna, never).await),
            "invalid-request"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_token_makes_no_token_that_lives_longer() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Operator).await;
        let anna = house.log_in("anna").await.caller;
        let access = &house.access;
        let lasting = |name: &str, seconds: u64| NewToken {
            expires_in: Some(Duration::from_secs(seconds)),
            ..new(name, &[Scope::Admin])
        };
        let (text, parent) = access
            .create_token(&anna, lasting("parent", 60))
            .await
            .unwrap();
        let ends = parent.expires_at.unwrap();
        let caller = present(&house, &text).await.unwrap();
        assert_eq!(caller.ends_at(), Some(ends));
        assert_eq!(caller.fixed_end(), Some(ends));
        assert_eq!(
            code(
                access
                    .create_token(&caller, new("ever", &[Scope::Admin]))
                    .await
            ),
            "invalid-request"
        );
        let made = async |name: &str, seconds: u64| {
            let made = access.create_token(&caller, lasting(name, seconds)).await;
            made.unwrap().1.expires_at.unwrap()
        };
        assert_eq!(made("longer", 3600).await, ends);
        assert!(made("shorter", 30).await < ends);
        // Who has no end makes what it likes.
        assert!(
            access
                .create_token(&anna, new("ever", &[Scope::Admin]))
                .await
                .is_ok()
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_caller_says_when_its_credential_ends() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let logged_in = house.log_in("anna").await;
        let cookie = logged_in.cookie.expose_secret();
        let caller = house.access.identify_session(cookie, here()).await.unwrap();
        let (_, ends) = house.access.session(logged_in.session.id).await.unwrap();
        assert_eq!(logged_in.caller.ends_at(), Some(ends));
        assert_eq!(caller.ends_at(), Some(ends));
        assert_eq!(caller.fixed_end(), None, "it goes on with each use");
        assert_eq!(
            house.access.recheck(&caller).await.unwrap().ends_at(),
            Some(ends)
        );
        let by_password = house.basic("anna", PASSWORD).await.unwrap();
        assert_eq!(by_password.ends_at(), None);
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn its_last_use_is_written_once_a_minute_and_not_at_each_request() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let anna = house.log_in("anna").await.caller;
        let (text, token) = house
            .access
            .create_token(&anna, new("ci", &[Scope::BundlesRead]))
            .await
            .unwrap();
        let first = base::Clock::now(&*house.clock);
        present(&house, &text).await.unwrap();
        assert_eq!(
            used_at(&house, token.id).await,
            None,
            "a request writes nothing"
        );
        house.access.flush().await.unwrap();
        assert_eq!(used_at(&house, token.id).await, Some(first));
        house.pass(59);
        present(&house, &text).await.unwrap();
        house.access.flush().await.unwrap();
        assert_eq!(used_at(&house, token.id).await, Some(first));
        house.pass(1);
        present(&house, &text).await.unwrap();
        house.access.flush().await.unwrap();
        assert_eq!(
            used_at(&house, token.id).await,
            Some(first.plus(Duration::from_secs(60)))
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        for text in ["", "lsh_", "x\0y", "ghp_0123456789", &"é".repeat(99)] {
            assert_eq!(
                code(house.access.identify_token(text, here()).await),
                "unauthenticated"
            );
        }
        house.close().await;
    })
    .await;
}
