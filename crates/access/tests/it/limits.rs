//! Failed attempts to log in and what they lead to.

use crate::house::{House, PASSWORD, code, elsewhere, here, in_house, quiet};
use access::{AccessError, AccessSettings, AttemptLimits, Doer, MasterKeys, Role};
use secrecy::SecretString;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use testing::on_both;

/// One failure leaks out of the tight bucket every 20 seconds, of an address's every 10.
pub(crate) fn tight() -> AccessSettings {
    AccessSettings {
        attempts: AttemptLimits {
            per_account: 3,
            per_address: 6,
            window: Duration::from_secs(60),
        },
        ..quiet()
    }
}

/// A story in a house with tight limits, of which Anna is an operator.
pub(crate) async fn in_tight_house<F, Fut>(story: F)
where
    F: Fn(Arc<House>) -> Fut,
    Fut: Future<Output = ()>,
{
    in_house(tight(), |house| {
        let story = &story;
        async move {
            house.user("anna", Role::Operator).await;
            story(house).await;
        }
    })
    .await;
}

pub(crate) async fn log_in(
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
    in_tight_house(|house| async move {
        exhaust(&house, "anna", here()).await;
        let refused = log_in(&house, "anna", PASSWORD, here()).await;
        let Err(AccessError::RateLimited { retry_after }) = refused else {
            panic!("{refused:?}");
        };
        assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(20));
        assert!(log_in(&house, "anna", PASSWORD, elsewhere(1)).await.is_ok());
        house.clock.advance(retry_after);
        assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_success_forgets_the_failures_before_it() {
    in_tight_house(|house| async move {
        for _ in 0..2 {
            for _ in 0..2 {
                assert!(log_in(&house, "anna", "wrong", here()).await.is_err());
            }
            assert!(log_in(&house, "anna", PASSWORD, here()).await.is_ok());
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_names_are_limited_like_known_ones() {
    in_tight_house(|house| async move {
        exhaust(&house, "nobody", here()).await;
        assert_eq!(
            code(log_in(&house, "NOBODY", "wrong", here()).await),
            "too-many-requests"
        );
    })
    .await;
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_refused_for_all() {
    in_tight_house(|house| async move {
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
    })
    .await;
}

#[tokio::test]
async fn many_addresses_that_try_one_account_do_not_lock_its_user_out_at_home() {
    in_tight_house(|house| async move {
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
    })
    .await;
}

#[tokio::test]
async fn a_neighbour_behind_the_same_address_locks_nobody_out_at_home() {
    in_tight_house(|house| async move {
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
    })
    .await;
}

#[tokio::test]
async fn home_is_a_network_where_addresses_are_ipv6() {
    in_tight_house(|house| async move {
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
    in_tight_house(|house| async move {
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
    })
    .await;
}

#[tokio::test]
async fn other_limits_hold_from_the_next_attempt_on() {
    in_tight_house(|house| async move {
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
    })
    .await;
}
