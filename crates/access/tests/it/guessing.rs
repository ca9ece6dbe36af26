//! Guesses by other doors than the log-in: passwords that come with each request, present
//! passwords, tokens; and many at once.

use crate::house::{OTHER, PASSWORD, code, elsewhere, here, in_house};
use crate::limits::{in_tight_house, log_in, tight};
use access::{AccessSettings, Doer, NewToken, Role, Scope};
use secrecy::ExposeSecret;
use std::time::Duration;

#[tokio::test]
async fn a_remembered_password_is_renewed_whatever_others_tried_there() {
    in_tight_house(|house| async move {
        house.basic("anna", PASSWORD).await.unwrap();
        house.pass(61);
        for number in 0..6 {
            let name = format!("guess{number}");
            assert!(log_in(&house, &name, "wrong", here()).await.is_err());
        }
        assert!(house.basic("anna", PASSWORD).await.is_ok());
        let (by, other) = (Doer::host(), OTHER.into());
        house
            .access
            .set_password(&by, "anna", &other)
            .await
            .unwrap();
        house.pass(61);
        assert!(house.basic("anna", PASSWORD).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn basic_counts_as_a_log_in_does() {
    in_tight_house(|house| async move {
        for guess in ["wrong 1", "wrong 2", "wrong 3"] {
            assert_eq!(code(house.basic("anna", guess).await), "unauthenticated");
        }
        assert_eq!(
            code(house.basic("anna", PASSWORD).await),
            "too-many-requests"
        );
        assert_eq!(
            code(log_in(&house, "anna", PASSWORD, here()).await),
            "too-many-requests"
        );
    })
    .await;
}

#[tokio::test]
async fn successes_are_never_counted() {
    in_tight_house(|house| async move {
        for _ in 0..20 {
            house.basic("anna", PASSWORD).await.unwrap();
            house.pass(30);
        }
        let rows = house
            .db
            .all("SELECT bucket FROM attempt", vec![])
            .await
            .unwrap();
        assert!(rows.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_remembered_password_is_no_way_around_the_limit() {
    in_tight_house(|house| async move {
        house.basic("anna", PASSWORD).await.unwrap();
        for guess in ["wrong 1", "wrong 2", "wrong 3"] {
            assert!(house.basic("anna", guess).await.is_err());
        }
        assert_eq!(
            code(house.basic("anna", PASSWORD).await),
            "too-many-requests"
        );
        let from = elsewhere(1);
        let there = house
            .access
            .identify_password("anna", &PASSWORD.into(), from)
            .await;
        assert!(there.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_guessed_present_password_counts_too() {
    in_tight_house(|house| async move {
        let caller = house.log_in("anna").await.caller;
        let change = |current: &'static str| {
            let (access, caller) = (house.access.clone(), caller.clone());
            async move {
                access
                    .change_password(&caller, &current.into(), &OTHER.into())
                    .await
            }
        };
        for _ in 0..3 {
            assert_eq!(code(change("wrong").await), "wrong-password");
        }
        assert_eq!(code(change(PASSWORD).await), "too-many-requests");
    })
    .await;
}

#[tokio::test]
async fn guessed_tokens_are_limited_and_harm_nobody_who_has_one() {
    in_tight_house(|house| async move {
        let caller = house.log_in("anna").await.caller;
        let new = NewToken {
            name: "ci".parse().unwrap(),
            scopes: vec![Scope::BundlesRead],
            expires_in: None,
        };
        let (token, _) = house.access.create_token(&caller, new).await.unwrap();
        let present = |token: &str| {
            let (access, token) = (house.access.clone(), token.to_owned());
            async move { access.identify_token(&token, here()).await }
        };
        for number in 0..6 {
            assert_eq!(
                code(present(&format!("lsh_{number}")).await),
                "unauthenticated"
            );
        }
        assert_eq!(code(present("lsh_7").await), "too-many-requests");
        assert!(present(token.expose_secret()).await.is_ok());
        assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        house.pass(10);
        assert_eq!(code(present("lsh_8").await), "unauthenticated");
    })
    .await;
}

#[tokio::test]
async fn many_right_passwords_at_once_are_no_attempts() {
    let settings = AccessSettings {
        cache_time: Duration::ZERO,
        ..tight()
    };
    in_house(settings, |house| async move {
        house.user("anna", Role::Operator).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let access = house.access.clone();
            tasks.spawn(async move {
                access
                    .identify_password("anna", &PASSWORD.into(), here())
                    .await
                    .map(drop)
            });
        }
        for outcome in tasks.join_all().await {
            outcome.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn guesses_at_once_are_no_more_than_guesses_one_by_one() {
    in_tight_house(|house| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..24 {
            let access = house.access.clone();
            tasks.spawn(async move {
                let guess = format!("guess {number}").into();
                code(access.log_in("anna", &guess, here(), "").await.map(drop))
            });
        }
        let outcomes = tasks.join_all().await;
        let checked = outcomes
            .iter()
            .filter(|code| **code == "unauthenticated")
            .count();
        // Three, and those that already had the other turn when the third failed.
        assert!((3..=4).contains(&checked), "{outcomes:?}");
    })
    .await;
}
