//! Console sessions: their life, their end and their CSRF token.

use crate::house::{House, OTHER, PASSWORD, code, elsewhere, here};
use access::{Doer, LoggedIn, Proof, Role};
use secrecy::ExposeSecret;
use testing::on_both;

async fn who(house: &House, session: &LoggedIn) -> Result<String, &'static str> {
    let cookie = session.cookie.expose_secret();
    match house.access.identify_session(cookie, here()).await {
        Ok(caller) => Ok(caller.name().to_owned()),
        Err(error) => Err(error.code()),
    }
}

const DAY: u64 = 24 * 3600;

#[tokio::test]
async fn a_session_proves_its_user_until_it_is_ended() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Operator).await;
        let session = house.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        let caller = house
            .access
            .identify_session(cookie, elsewhere(1))
            .await
            .unwrap();
        assert_eq!(caller.proof(), &Proof::Session(session.session.id));
        assert_eq!(
            (caller.role(), caller.address()),
            (Role::Operator, elsewhere(1))
        );
        assert_eq!(session.user.last_login_at, Some(session.session.created_at));
        house.access.log_out(&caller).await.unwrap();
        assert_eq!(who(&house, &session).await, Err("unauthenticated"));
        house
            .access
            .log_out(&caller)
            .await
            .expect("a second time changes nothing");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_cookie_that_is_none_proves_nothing() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let session = house.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        for nonsense in ["", "x", "a\0b", &cookie[1..], &cookie.to_lowercase()] {
            let outcome = house.access.identify_session(nonsense, here()).await;
            assert_eq!(code(outcome), "unauthenticated");
        }
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_unused_session_expires_and_a_used_one_lives_on() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let (used, unused) = (house.log_in("anna").await, house.log_in("anna").await);
        for _ in 0..3 {
            house.pass(6 * DAY);
            assert_eq!(who(&house, &used).await, Ok("anna".to_owned()));
            house.access.flush().await.unwrap();
        }
        assert_eq!(who(&house, &unused).await, Err("expired"));
        let left = house.access.sessions("anna").await.unwrap();
        assert_eq!(
            left.iter().map(|one| one.id).collect::<Vec<_>>(),
            [used.session.id]
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn no_session_lives_longer_than_its_lifetime() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let session = house.log_in("anna").await;
        for _ in 0..8 {
            house.pass(11 * DAY);
            assert_eq!(who(&house, &session).await, Ok("anna".to_owned()));
            house.access.flush().await.unwrap();
        }
        let (_, end) = house.access.session(session.session.id).await.unwrap();
        assert_eq!(end, session.session.expires_at);
        house.pass(2 * DAY);
        assert_eq!(who(&house, &session).await, Err("expired"));
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_remembered_does_not_outlive_the_session() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let session = house.log_in("anna").await;
        house.pass(14 * DAY - 1);
        assert_eq!(who(&house, &session).await, Ok("anna".to_owned()));
        house.access.reconfigure(&access::AccessSettings {
            session_ttl: std::time::Duration::from_secs(60),
            ..crate::house::quiet()
        });
        assert_eq!(who(&house, &session).await, Err("expired"));
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_ends_one_session_or_all() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        house.user("bert", Role::Viewer).await;
        let (one, two) = (house.log_in("anna").await, house.log_in("anna").await);
        let foreign = house.log_in("bert").await;
        for session in [&one, &two, &foreign] {
            who(&house, session).await.unwrap();
        }
        let by = Doer::from(&one.caller);
        let wrong = house
            .access
            .end_session(&by, "anna", foreign.session.id)
            .await;
        assert_eq!(code(wrong), "not-found");
        house
            .access
            .end_session(&by, "anna", one.session.id)
            .await
            .unwrap();
        assert_eq!(who(&house, &one).await, Err("unauthenticated"));
        assert!(who(&house, &two).await.is_ok());
        assert_eq!(house.access.end_sessions(&by, "anna").await.unwrap(), 1);
        assert_eq!(who(&house, &two).await, Err("unauthenticated"));
        assert!(who(&house, &foreign).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let (mine, other) = (house.log_in("anna").await, house.log_in("anna").await);
        who(&house, &other).await.unwrap();
        let change = |current: &str| {
            let (current, new) = (current.into(), OTHER.into());
            let (access, caller) = (house.access.clone(), mine.caller.clone());
            async move { access.change_password(&caller, &current, &new).await }
        };
        assert_eq!(code(change("not the password").await), "wrong-password");
        assert!(who(&house, &other).await.is_ok());
        change(PASSWORD).await.unwrap();
        assert!(who(&house, &mine).await.is_ok());
        assert_eq!(who(&house, &other).await, Err("unauthenticated"));
        house
            .access
            .set_password(&Doer::host(), "anna", &PASSWORD.into())
            .await
            .unwrap();
        assert_eq!(who(&house, &mine).await, Err("unauthenticated"));
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_csrf_token_fits_its_session_only() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let (one, two) = (house.log_in("anna").await, house.log_in("anna").await);
        let access = &house.access;
        assert!(access.csrf_matches(one.session.id, &one.csrf));
        assert!(!access.csrf_matches(two.session.id, &one.csrf));
        for wrong in ["", &one.csrf[1..], &two.csrf] {
            assert!(!access.csrf_matches(one.session.id, wrong));
        }
        assert_eq!(access.csrf_token(one.session.id), one.csrf);
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_cookie_or_password_stands_in_the_database_or_in_debug() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        let session = house.log_in("anna").await;
        let cookie = session.cookie.expose_secret();
        let shown = format!("{session:?} {:?}", house.access);
        assert!(
            !shown.contains(cookie) && !shown.contains(PASSWORD),
            "{shown}"
        );
        let rows = house
            .db
            .all("SELECT password FROM account", vec![])
            .await
            .unwrap();
        let stored: String = rows[0].get("password").unwrap();
        assert!(stored.starts_with("$argon2id$") && !stored.contains(PASSWORD));
        let rows = house
            .db
            .all("SELECT hash FROM session", vec![])
            .await
            .unwrap();
        let hash: Vec<u8> = rows[0].get("hash").unwrap();
        assert_eq!(hash.len(), 32);
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_hundred_and_first_session_ends_the_one_unused_the_longest() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let user = house.user("anna", Role::Viewer).await;
        let first = house.log_in("anna").await;
        // As many more as a hundred log-ins would have made, without their argon2.
        for number in 0..99_i64 {
            let values = storage::values![
                uuid::Uuid::now_v7(),
                user.id.uuid(),
                number.to_be_bytes().to_vec(),
                first.session.seen_at,
                first.session.seen_at.plus(std::time::Duration::from_secs(1)),
                first.session.expires_at,
            ];
            let sql = "INSERT INTO session (id, account, hash, created_at, seen_at, expires_at, address, agent)
                VALUES ($1, $2, $3, $4, $5, $6, '', '')";
            house.db.execute(sql, values).await.unwrap();
        }
        assert!(who(&house, &first).await.is_ok());
        house.pass(2);
        let newest = house.log_in("anna").await;
        assert!(who(&house, &newest).await.is_ok());
        assert_eq!(who(&house, &first).await, Err("unauthenticated"));
        assert_eq!(house.access.sessions("anna").await.unwrap().len(), 100);
        house.close().await;
    })
    .await;
}
