//! The record of who did what.

use crate::house::{House, OTHER, PASSWORD, code, here};
use access::{AuditEntry, AuditFilter, AuditRecord, Doer, NewToken, Role, Scope};
use serde_json::json;
use std::time::Duration;
use testing::on_both;

async fn entries(house: &House, filter: AuditFilter) -> Vec<AuditRecord> {
    house
        .access
        .audit_entries(&filter, None, 200)
        .await
        .unwrap()
        .items
}

#[tokio::test]
async fn whatever_people_do_is_recorded() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let access = &house.access;
        access.ensure_admin(Some(PASSWORD.into())).await.unwrap();
        let admin = house.log_in("admin").await;
        let by = Doer::from(&admin.caller);
        house.user("anna", Role::Viewer).await;
        access.set_role(&by, "anna", Role::Operator).await.unwrap();
        let _ = house.basic("anna", "wrong").await.unwrap_err();
        let _ = house.basic("hunter2", "wrong").await.unwrap_err();
        let new = NewToken {
            name: "ci".parse().unwrap(),
            scopes: vec![Scope::BundlesRead],
            expires_in: None,
        };
        let (_, token) = access.create_token(&admin.caller, new).await.unwrap();
        access.delete_token(&admin.caller, token.id).await.unwrap();
        access
            .put_secret(&by, &"git".parse().unwrap(), &"a value".into())
            .await
            .unwrap();
        access.delete_secret(&by, "git").await.unwrap();
        access
            .set_password(&by, "anna", &OTHER.into())
            .await
            .unwrap();
        access.delete_user(&by, "anna").await.unwrap();
        access.log_out(&admin.caller).await.unwrap();

        let all = entries(&house, AuditFilter::default()).await;
        let told: Vec<String> = all
            .iter()
            .rev()
            .map(|entry| format!("{} {} {}", entry.actor, entry.action, entry.subject))
            .collect();
        assert_eq!(
            told,
            [
                "system user.created user:admin",
                "user:admin login.ok user:admin",
                "host user.created user:anna",
                "user:admin user.role user:anna",
                "anonymous login.failed user:anna",
                "anonymous login.failed unknown",
                "user:admin token.created token:admin/ci",
                "user:admin token.deleted token:admin/ci",
                "user:admin secret.put secret:git",
                "user:admin secret.deleted secret:git",
                "user:admin user.password user:anna",
                "user:admin user.deleted user:anna",
                "user:admin logout user:admin",
            ]
        );
        let role = all
            .iter()
            .find(|entry| entry.action == "user.role")
            .unwrap();
        assert_eq!(role.before, Some(json!({ "role": "viewer" })));
        assert_eq!(role.after, Some(json!({ "role": "operator" })));
        assert_eq!(role.address, here().to_string());
        let text = format!("{all:?}");
        assert!(
            !text.contains("hunter2"),
            "a name that nobody has may be a password"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_log_in_with_each_request_is_recorded_when_it_is_verified() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        for seconds in [0, 1, 61] {
            house.pass(seconds);
            house.basic("anna", PASSWORD).await.unwrap();
        }
        let filter = AuditFilter {
            action: Some("login.ok".to_owned()),
            ..AuditFilter::default()
        };
        let found = entries(&house, filter).await;
        let told: Vec<_> = found
            .iter()
            .map(|entry| (entry.actor.to_string(), entry.after.clone()))
            .collect();
        assert_eq!(
            told,
            [("user:anna".to_owned(), Some(json!({ "by": "password" })))]
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_changed_configuration_is_recorded_once_with_before_and_after() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let note = async |place: &str, value: &str| {
            let shown = json!({ "fetch.concurrent": value, "listen": "x" });
            let shown = shown.as_object().unwrap().clone();
            let by = Doer::host();
            house
                .access
                .note_configuration(&by, "configuration.changed", place, &shown)
                .await
                .unwrap();
        };
        for value in ["1", "1", "2", "2"] {
            note("/data", value).await;
            note("/other", "9").await;
        }
        let filter = AuditFilter {
            action: Some("configuration.changed".to_owned()),
            ..AuditFilter::default()
        };
        let found = entries(&house, filter).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].before, Some(json!({ "fetch.concurrent": "1" })));
        assert_eq!(found[0].after, Some(json!({ "fetch.concurrent": "2" })));
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_limited_account_is_recorded_once_and_not_at_each_refusal() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        for number in 0..20 {
            let _ = house
                .basic("anna", &format!("wrong {number}"))
                .await
                .unwrap_err();
        }
        let of = |action: &str| AuditFilter {
            action: Some(action.to_owned()),
            ..AuditFilter::default()
        };
        assert_eq!(entries(&house, of("login.failed")).await.len(), 10);
        assert_eq!(entries(&house, of("login.limited")).await.len(), 1);
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn entries_are_found_by_what_they_say_and_paged_without_gap_or_repeat() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let start = base::Clock::now(&*house.clock);
        for number in 0..10 {
            let who = if number % 2 == 0 {
                Doer::host()
            } else {
                Doer::system()
            };
            let entry = AuditEntry::new(&who, "config.changed", format!("key{number}"))
                .before(json!({ "value": number }))
                .after(json!({ "value": number + 1 }));
            house.access.audit(entry).await.unwrap();
            if number % 3 == 0 {
                house.pass(1);
            }
        }
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let filter = AuditFilter::default();
            let page = house
                .access
                .audit_entries(&filter, cursor.as_deref(), 3)
                .await
                .unwrap();
            assert!(page.items.len() <= 3);
            seen.extend(page.items.into_iter().map(|entry| entry.subject));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (0..10).rev().map(|number| format!("key{number}")).collect();
        assert_eq!(seen, expected);
        let filter = |change: &dyn Fn(&mut AuditFilter)| {
            let mut filter = AuditFilter::default();
            change(&mut filter);
            filter
        };
        let by_host = filter(&|filter| filter.actor = Some("host".to_owned()));
        assert_eq!(entries(&house, by_host).await.len(), 5);
        let of_one = filter(&|filter| filter.subject = Some("key7".to_owned()));
        assert_eq!(
            entries(&house, of_one).await[0].after,
            Some(json!({ "value": 8 }))
        );
        let second = start.plus(Duration::from_secs(1));
        let late = filter(&|filter| filter.from = Some(second));
        let early = filter(&|filter| filter.to = Some(second));
        assert_eq!(
            (
                entries(&house, late).await.len(),
                entries(&house, early).await.len()
            ),
            (9, 1)
        );
        let none = filter(&|filter| filter.action = Some("a\0b".to_owned()));
        assert!(entries(&house, none).await.is_empty());
        let bad = house
            .access
            .audit_entries(&AuditFilter::default(), Some("x"), 3)
            .await;
        assert_eq!(code(bad), "invalid-request");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_an_undone_transaction_was_never_made() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let entry = |subject: &str| AuditEntry::new(&Doer::host(), "config.changed", subject);
        let mut undone = house.db.begin().await.unwrap();
        house
            .access
            .audit_in(&mut undone, entry("undone"))
            .await
            .unwrap();
        drop(undone);
        let mut done = house.db.begin().await.unwrap();
        house
            .access
            .audit_in(&mut done, entry("done"))
            .await
            .unwrap();
        done.commit().await.unwrap();
        let all = entries(&house, AuditFilter::default()).await;
        assert_eq!(
            all.iter()
                .map(|entry| entry.subject.as_str())
                .collect::<Vec<_>>(),
            ["done"]
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_slips_into_an_entry_is_taken_out() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let value = "s3cr3t-value";
        let by = Doer::host();
        house
            .access
            .put_secret(&by, &"git".parse().unwrap(), &value.into())
            .await
            .unwrap();
        let entry = AuditEntry::new(&by, "config.changed", "remote")
            .after(json!({ "url": format!("https://x:{value}@example.org") }));
        house.access.audit(entry).await.unwrap();
        let text = format!("{:?}", entries(&house, AuditFilter::default()).await);
        assert!(
            text.contains("[redacted]") && !text.contains(value),
            "{text}"
        );
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn old_entries_and_dead_sessions_go() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Viewer).await;
        house.log_in("anna").await;
        let _ = house.basic("anna", "wrong").await.unwrap_err();
        house.pass(100 * 24 * 3600);
        house.log_in("anna").await;
        house.access.sweep().await.unwrap();
        let count = |table: &'static str| {
            let db = house.db.clone();
            async move { db.all(table, vec![]).await.unwrap().len() }
        };
        assert_eq!(count("SELECT id FROM session").await, 1);
        assert_eq!(count("SELECT bucket FROM attempt").await, 0);
        assert_eq!(count("SELECT id FROM audit").await, 4);
        house.pass(700 * 24 * 3600);
        house.access.sweep().await.unwrap();
        assert_eq!(count("SELECT id FROM audit").await, 1);
        house.close().await;
    })
    .await;
}
