//! Failed attempts and what they lead to.

use crate::house::{House, OTHER, PASSWORD, code, elsewhere, here, quiet};
use access::{AccessError, AccessSettings, AttemptLimits, Doer, MasterKeys, NewToken, Role, Scope};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::time::Duration;
use testing::{TestDatabase, on_both};

/// One failure leaks out of the tight bucket every 20 seconds, of an address's every 10.
fn tight() -> AccessSettings {
    AccessSettings {
        attempts: AttemptLimits {
            per_account: 3,
            per_address: 6,
            window: Duration::from_secs(60),
        },
        ..quiet()
    }
}

async fn open(database: &TestDatabase) -> House {
    let house = House::with(database, &MasterKeys::generate(), tight()).await;
    house.user("anna", Role::Operator).await;
    house
}

async fn log_in(
    house: &House,
    name: &str,
    password: &str,
    from: IpAddr,
) -> Result<(), AccessError> {
    let password = SecretString::from(password);
    house
        .access
        .log_in(name, &password, from, "")
        .await
        .map(drop)
}

/// Fails three times, after which the account is refused from there.
async fn exhaust(house: &House, name: &str, from: IpAddr) {
    for _ in 0..3 {
        assert_eq!(
            code(log_in(house, name, "wrong", from).await),
            "unauthenticated"
        );
    }
}

#[tokio::test]
async fn an_account_is_refused_from_where_it_was_guessed_and_nowhere_else() {
    on_both(|database| async move {
        let house = open(&database).await;
        exhaust(&house, "anna", here()).await;
        let refused = log_in(&house, "anna", PASSWORD, here()).await;
        let Err(AccessError::RateLimited { retry_after }) = refused else {
            panic!("{refused:?}");
        };
        assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(20));
        assert!(log_in(&house, "anna", PASSWORD, elsewhere(1)).await.is_ok());
        house.clock.advance(retry_after);
        assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_success_forgets_the_failures_before_it() {
    on_both(|database| async move {
        let house = open(&database).await;
        for _ in 0..2 {
            for _ in 0..2 {
                assert!(log_in(&house, "anna", "wrong", here()).await.is_err());
            }
            assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        }
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn unknown_names_are_limited_like_known_ones() {
    on_both(|database| async move {
        let house = open(&database).await;
        exhaust(&house, "nobody", here()).await;
        assert_eq!(
            code(log_in(&house, "NOBODY", "wrong", here()).await),
            "too-many-requests"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_refused_for_all() {
    on_both(|database| async move {
        let house = open(&database).await;
        for number in 0..6 {
            let name = format!("guess{number}");
            assert_eq!(
                code(log_in(&house, &name, "wrong", here()).await),
                "unauthenticated"
            );
        }
        assert_eq!(
            code(log_in(&house, "anna", PASSWORD, here()).await),
            "too-many-requests"
        );
        assert!(log_in(&house, "anna", PASSWORD, elsewhere(1)).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn many_addresses_that_try_one_account_do_not_lock_its_user_out_at_home() {
    on_both(|database| async move {
        let house = open(&database).await;
        house.log_in("anna").await;
        for number in 0..15 {
            for _ in 0..2 {
                let outcome = log_in(&house, "anna", "wrong", elsewhere(number)).await;
                assert_eq!(code(outcome), "unauthenticated");
            }
        }
        assert_eq!(
            code(log_in(&house, "anna", PASSWORD, elsewhere(99)).await),
            "too-many-requests"
        );
        assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_neighbour_behind_the_same_address_locks_nobody_out_at_home() {
    on_both(|database| async move {
        let house = open(&database).await;
        house.user("bert", Role::Viewer).await;
        house.log_in("anna").await;
        for number in 0..6 {
            let name = format!("guess{number}");
            assert!(log_in(&house, &name, "wrong", here()).await.is_err());
        }
        assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        // Who was never there, and who guesses at home, are refused.
        assert_eq!(
            code(log_in(&house, "bert", PASSWORD, here()).await),
            "too-many-requests"
        );
        exhaust(&house, "anna", here()).await;
        assert_eq!(
            code(log_in(&house, "anna", PASSWORD, here()).await),
            "too-many-requests"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn home_is_a_network_where_addresses_are_ipv6() {
    on_both(|database| async move {
        let house = open(&database).await;
        let from = |text: &str| text.parse::<IpAddr>().unwrap();
        house.log_in_from("anna", from("2001:db8::1")).await;
        for number in 0..6 {
            let name = format!("guess{number}");
            assert!(
                log_in(&house, &name, "wrong", from("2001:db8::2"))
                    .await
                    .is_err()
            );
        }
        assert!(
            log_in(&house, "anna", PASSWORD, from("2001:db8::3"))
                .await
                .is_ok()
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_remembered_password_is_renewed_whatever_others_tried_there() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn basic_counts_as_a_log_in_does() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn successes_are_never_counted() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_remembered_password_is_no_way_around_the_limit() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_guessed_present_password_counts_too() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn failures_count_over_replicas_and_restarts() {
    on_both(|database| async move {
        let keys = MasterKeys::generate();
        let one = House::with(&database, &keys, tight()).await;
        let two = House::with(&database, &keys, tight()).await;
        two.clock.set(base::Clock::now(&*one.clock));
        one.user("anna", Role::Viewer).await;
        assert!(log_in(&one, "anna", "wrong", here()).await.is_err());
        assert!(log_in(&two, "anna", "wrong", here()).await.is_err());
        assert!(log_in(&one, "anna", "wrong", here()).await.is_err());
        assert_eq!(
            code(log_in(&two, "anna", PASSWORD, here()).await),
            "too-many-requests"
        );
        let now = base::Clock::now(&*one.clock);
        one.close().await;
        two.close().await;
        let three = House::with(&database, &keys, tight()).await;
        three.clock.set(now);
        assert_eq!(
            code(log_in(&three, "anna", PASSWORD, here()).await),
            "too-many-requests"
        );
        three.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_password_forgives_what_was_tried() {
    on_both(|database| async move {
        let house = open(&database).await;
        exhaust(&house, "anna", here()).await;
        assert_eq!(
            code(house.basic("anna", PASSWORD).await),
            "too-many-requests"
        );
        let told = house
            .access
            .reset_password(&Doer::host(), "anna")
            .await
            .unwrap();
        assert!(house.basic("anna", told.reveal()).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn guessed_tokens_are_limited_and_harm_nobody_who_has_one() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn many_right_passwords_at_once_are_no_attempts() {
    on_both(|database| async move {
        let settings = AccessSettings {
            cache_time: Duration::ZERO,
            ..tight()
        };
        let house = House::with(&database, &MasterKeys::generate(), settings).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn guesses_at_once_are_no_more_than_guesses_one_by_one() {
    on_both(|database| async move {
        let house = open(&database).await;
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
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn other_limits_hold_from_the_next_attempt_on() {
    on_both(|database| async move {
        let house = open(&database).await;
        exhaust(&house, "anna", here()).await;
        assert_eq!(
            code(log_in(&house, "anna", PASSWORD, here()).await),
            "too-many-requests"
        );
        house.access.reconfigure(&AccessSettings {
            attempts: AttemptLimits {
                per_account: 100,
                ..tight().attempts
            },
            ..tight()
        });
        // Too early by the old limits.
        house.pass(2);
        assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        house.close().await;
    })
    .await;
}
