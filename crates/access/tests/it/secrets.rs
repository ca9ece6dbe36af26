//! Secrets: in, never out, and unreadable without the master key.

use crate::house::{House, code, quiet};
use access::{AccessError, Doer, MasterKeys};
use base::Name;
use secrecy::ExposeSecret;
use storage::values;
use testing::on_both;

const VALUE: &str = "s3cr3t-value";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

async fn put(house: &House, secret: &str, value: &str) {
    let by = Doer::host();
    house
        .access
        .put_secret(&by, &name(secret), &value.into())
        .await
        .unwrap();
}

async fn reveal(house: &House, secret: &str) -> Result<String, AccessError> {
    let value = house.access.reveal(&name(secret)).await?;
    Ok(value.expose_secret().to_owned())
}

#[tokio::test]
async fn a_secret_is_listed_without_its_value_and_revealed_to_operations() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        put(&house, "git", VALUE).await;
        let made = house.access.secrets().await.unwrap();
        house.pass(5);
        put(&house, "git", "its next value").await;
        put(&house, "cdn", VALUE).await;
        let listed = house.access.secrets().await.unwrap();
        assert_eq!(
            listed
                .iter()
                .map(|one| one.name.as_str())
                .collect::<Vec<_>>(),
            ["cdn", "git"]
        );
        assert_eq!(
            (listed[1].version, listed[1].created_at),
            (2, made[0].created_at)
        );
        assert!(listed[1].changed_at > made[0].changed_at);
        assert_eq!(listed[1].changed_by.as_str(), "host");
        assert_eq!(reveal(&house, "git").await.unwrap(), "its next value");
        house
            .access
            .delete_secret(&Doer::host(), "git")
            .await
            .unwrap();
        assert_eq!(code(reveal(&house, "git").await), "not-found");
        for nothing in ["git", "", "a\0b"] {
            let gone = house.access.delete_secret(&Doer::host(), nothing).await;
            assert_eq!(code(gone), "not-found");
        }
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn no_value_stands_in_the_database_the_record_or_debug() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        put(&house, "git", VALUE).await;
        let rows = house
            .db
            .all("SELECT sealed FROM secret", values![])
            .await
            .unwrap();
        let sealed: Vec<u8> = rows[0].get("sealed").unwrap();
        assert!(
            !sealed
                .windows(VALUE.len())
                .any(|some| some == VALUE.as_bytes())
        );
        let page = house
            .access
            .audit_entries(&Default::default(), None, 200)
            .await
            .unwrap();
        let record = format!("{page:?} {:?}", house.access);
        assert!(
            record.contains("secret.put") && !record.contains(VALUE),
            "{record}"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_row_that_was_moved_or_changed_does_not_open() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        put(&house, "git", VALUE).await;
        put(&house, "cdn", "something else").await;
        let swap = "UPDATE secret SET sealed = (SELECT other.sealed FROM secret other WHERE other.name = 'git')
            WHERE name = 'cdn'";
        house.db.execute(swap, values![]).await.unwrap();
        assert_eq!(code(reveal(&house, "cdn").await), "unsealable");
        assert_eq!(reveal(&house, "git").await.unwrap(), VALUE);
        let back = "UPDATE secret SET version = version + 1 WHERE name = 'git'";
        house.db.execute(back, values![]).await.unwrap();
        assert_eq!(code(reveal(&house, "git").await), "unsealable");
        house.db.execute("DELETE FROM secret", values![]).await.unwrap();
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn logs_are_rid_of_every_secret_as_soon_as_it_is_put() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let mut renewed = house.access.redactors();
        renewed.mark_unchanged();
        put(&house, "git", VALUE).await;
        assert!(renewed.has_changed().unwrap());
        let line = format!("cloning with {VALUE}");
        assert!(!house.access.redactor().redact(&line).contains(VALUE));
        put(&house, "git", "its next value").await;
        let both = format!("{VALUE} its next value");
        let seen = renewed.borrow_and_update().redact(&both).into_owned();
        assert!(!seen.contains(VALUE) && !seen.contains("next"), "{seen}");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_value_that_could_not_be_found_in_logs_is_refused() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        for value in ["", "abc", &"x".repeat(64 * 1024 + 1)] {
            let outcome = house
                .access
                .put_secret(&Doer::host(), &name("a"), &value.into())
                .await;
            assert_eq!(code(outcome), "invalid-request");
        }
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn another_master_key_is_refused_at_start_in_one_line() {
    on_both(|database| async move {
        let keys = MasterKeys::generate();
        House::with(&database, &keys, quiet()).await.close().await;
        let other = House::try_with(&database, &MasterKeys::generate(), quiet()).await;
        let error = other.err().expect("these are other keys");
        assert_eq!(error.code(), "master-key-mismatch");
        let text = error.to_string();
        assert!(
            text.contains("master key") && !text.contains('\n'),
            "{text}"
        );
        let read = MasterKeys::parse(&keys.file()).unwrap();
        House::with(&database, &read, quiet()).await.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_master_key_is_rotated_without_losing_a_secret() {
    on_both(|database| async move {
        let old = MasterKeys::generate();
        let house = House::with(&database, &old, quiet()).await;
        put(&house, "git", VALUE).await;
        put(&house, "cdn", "another value").await;
        let boxed = house.access.seal("bundle.headers", b"bearer x");
        let (csrf, session) = {
            house.user("anna", access::Role::Admin).await;
            let session = house.log_in("anna").await;
            (session.csrf, session.session.id)
        };
        house.close().await;

        let both = old.with_new_key();
        let house = House::with(&database, &both, quiet()).await;
        assert_eq!(reveal(&house, "git").await.unwrap(), VALUE);
        put(&house, "new", "sealed with the new key").await;
        assert_eq!(house.access.rotate(&Doer::host()).await.unwrap(), 2);
        assert_eq!(house.access.rotate(&Doer::host()).await.unwrap(), 0);
        let plain = house.access.unseal("bundle.headers", &boxed).unwrap();
        assert_eq!(plain.expose_secret(), b"bearer x");
        assert!(
            house.access.csrf_matches(session, &csrf),
            "who is logged in stays so"
        );
        let links = house.access.verifying_keys("links");
        assert_eq!(links.len(), 2);
        assert_eq!(
            links[0].expose(),
            house.access.signing_key("links").expose()
        );
        house.close().await;

        let house = House::with(&database, &both.newest_alone(), quiet()).await;
        assert_eq!(reveal(&house, "git").await.unwrap(), VALUE);
        assert_eq!(
            code(house.access.unseal("bundle.headers", &boxed)),
            "unsealable"
        );
        house.close().await;
        let error = House::try_with(&database, &old, quiet()).await.err();
        assert_eq!(error.map(|error| error.code()), Some("master-key-mismatch"));
    })
    .await;
}

#[tokio::test]
async fn a_box_is_opened_for_its_own_purpose_only() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let boxed = house.access.seal("bundle.headers", b"bearer x");
        assert_eq!(code(house.access.unseal("links", &boxed)), "unsealable");
        assert_ne!(
            house.access.signing_key("links").expose(),
            house.access.signing_key("csrf").expose()
        );
        house.close().await;
    })
    .await;
}
