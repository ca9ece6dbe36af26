//! Logging in, who one is, sessions.

use super::{HOUR, delete};
use crate::fixture::{get, post};
use crate::house::{PASSWORD, cookie, in_house};
use ::access::Scope;
use serde_json::json;

#[tokio::test]
async fn a_person_logs_in_works_and_logs_out() {
    in_house(|house| async move {
        let answer = house
            .call(post(
                "/api/v1/session",
                &format!(r#"{{"name":"OPERATOR","password":"{PASSWORD}"}}"#),
            ))
            .await;
        let set = answer.header("set-cookie").to_owned();
        for part in ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=7776000"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(!set.contains("Secure"));
        let session = answer.json();
        assert_eq!(session["user"]["name"], "operator");
        assert_eq!(session["user"]["role"], "operator");
        let (cookie, csrf) = (
            cookie(&answer),
            session["csrf"].as_str().expect("a token").to_owned(),
        );

        let again = house
            .call(get("/api/v1/session").cookie(&cookie))
            .await
            .json();
        assert_eq!(again["csrf"], csrf);
        assert_eq!(again["expires_at"], session["expires_at"]);

        let forged = house.call(delete("/api/v1/session").cookie(&cookie)).await;
        assert_eq!(forged.problem(), (403, "csrf".into()));
        assert!(house.still_in(&cookie).await);

        let out = house
            .call(
                delete("/api/v1/session")
                    .cookie(&cookie)
                    .header("x-csrf-token", &csrf),
            )
            .await;
        assert_eq!(out.status, 204);
        assert!(
            out.header("set-cookie").contains("longshore_session=; ")
                && out.header("set-cookie").contains("Max-Age=0")
        );
        assert!(!house.still_in(&cookie).await);
        // Who is out already may ask once more.
        assert_eq!(
            house
                .call(delete("/api/v1/session").cookie(&cookie))
                .await
                .status,
            204
        );
    })
    .await;
}

#[tokio::test]
async fn where_the_public_address_is_https_a_cookie_never_goes_out_without() {
    in_house(|house| async move {
        house.settings.send_modify(|settings| {
            let mut changed = web::Settings::clone(settings);
            changed.public_url = "https://longshore.example.org".parse().ok();
            *settings = changed.into();
        });
        let json = format!(r#"{{"name":"viewer","password":"{PASSWORD}"}}"#);
        let answer = house.call(post("/api/v1/session", &json)).await;
        let set = answer.header("set-cookie");
        assert!(set.ends_with("; Secure"), "{set}");
    })
    .await;
}

#[tokio::test]
async fn a_cookie_set_over_https_never_goes_out_without() {
    in_house(|house| async move {
        let json = format!(r#"{{"name":"viewer","password":"{PASSWORD}"}}"#);
        let call = post("/api/v1/session", &json)
            .header("x-forwarded-for", "192.0.2.7")
            .header("x-forwarded-proto", "https");
        assert!(
            house
                .call(call)
                .await
                .header("set-cookie")
                .ends_with("; Secure")
        );
    })
    .await;
}

#[tokio::test]
async fn a_wrong_log_in_tells_nothing_and_too_many_must_wait() {
    in_house(|house| async move {
        let attempt = |name: &str| {
            let json = format!(r#"{{"name":"{name}","password":"wrong password"}}"#);
            house.call(post("/api/v1/session", &json))
        };
        let (known, unknown) = (attempt("viewer").await, attempt("nobody").await);
        assert_eq!(known.problem(), (401, "unauthenticated".into()));
        assert_eq!(known.json()["detail"], unknown.json()["detail"]);
        assert_eq!(
            known.header("www-authenticate"),
            "Bearer realm=\"longshore\""
        );
        let mut last = attempt("viewer").await;
        for _ in 0..20 {
            last = attempt("viewer").await;
        }
        assert_eq!(last.problem(), (429, "too-many-requests".into()));
        assert!(last.header("retry-after").parse::<u64>().expect("seconds") > 0);
    })
    .await;
}

#[tokio::test]
async fn whoever_somebody_is_may_know_it() {
    in_house(|house| async move {
        let token = house.token("viewer", &[Scope::BundlesRead], HOUR).await;
        for call in [
            get("/api/v1/session").bearer(&token),
            get("/api/v1/session").basic("viewer", PASSWORD),
        ] {
            let session = house.call(call).await.json();
            assert_eq!(session["user"]["name"], "viewer");
            assert_eq!(
                (&session["csrf"], &session["expires_at"]),
                (&json!(""), &json!(null))
            );
        }
        assert_eq!(
            house.call(get("/api/v1/session")).await.problem(),
            (401, "unauthenticated".into())
        );
    })
    .await;
}

#[tokio::test]
async fn sessions_are_seen_and_ended_by_their_user_and_by_admins() {
    in_house(|house| async move {
        let (here, csrf) = house.log_in("operator").await;
        let (there, _) = house.log_in("operator").await;
        let uri = "/api/v1/users/operator/sessions";
        let list = house.call(get(uri).cookie(&here)).await.json();
        let items = list["items"].as_array().expect("a list");
        assert_eq!(items.len(), 2);
        let (mine, other): (Vec<_>, Vec<_>) =
            items.iter().partition(|item| item["current"] == true);
        assert_eq!((mine.len(), other.len()), (1, 1));

        let id = |item: &serde_json::Value| item["id"].as_str().expect("an id").to_owned();
        let end = delete(&format!("{uri}/{}", id(other[0])))
            .cookie(&here)
            .header("x-csrf-token", &csrf);
        assert_eq!(house.call(end).await.status, 204);
        assert!(house.still_in(&here).await && !house.still_in(&there).await);

        let stranger = get(uri).basic("viewer", PASSWORD);
        assert_eq!(
            house.call(stranger).await.problem(),
            (403, "forbidden".into())
        );
        assert_eq!(
            house
                .admin(delete(&format!("{uri}/{}", id(mine[0]))))
                .await
                .status,
            204
        );
        assert!(!house.still_in(&here).await);
        assert_eq!(
            house
                .admin(delete(&format!("{uri}/{}", id(mine[0]))))
                .await
                .status,
            404
        );
        assert_eq!(house.admin(delete(&format!("{uri}/x"))).await.status, 400);
    })
    .await;
}
