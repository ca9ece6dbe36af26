//! The stories of people, over HTTP, on both databases.

use crate::fixture::{call, get, post};
use crate::house::{OTHER, PASSWORD, cookie, in_house};
use ::access::Scope;
use axum::body::Body;
use base::Clock;
use http::Method;
use serde_json::json;
use std::time::Duration;
use web::{WalkTokens, walk};

const HOUR: Duration = Duration::from_secs(3600);

fn put(uri: &str, json: &str) -> crate::fixture::Call {
    let call = call(Method::PUT, uri).header("content-type", "application/json");
    call.body(Body::from(json.to_owned()))
}

fn patch(uri: &str, json: &str) -> crate::fixture::Call {
    let call = call(Method::PATCH, uri).header("content-type", "application/json");
    call.body(Body::from(json.to_owned()))
}

fn delete(uri: &str) -> crate::fixture::Call {
    call(Method::DELETE, uri)
}

fn field(answer: &crate::fixture::Answered) -> (String, String) {
    let error = &answer.json()["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("code"))
}

#[tokio::test]
async fn every_route_refuses_whom_it_must() {
    in_house(|house| async move {
        let expired = house
            .token("admin", &Scope::ALL, Duration::from_secs(1))
            .await;
        house.clock.advance(Duration::from_secs(2));
        let mut narrow = Vec::new();
        for scope in [Scope::OperationsRead, Scope::BundlesRead] {
            narrow.push((scope, house.token("admin", &[scope], HOUR).await));
        }
        let tokens = WalkTokens {
            expired,
            viewer: house.token("viewer", &Scope::ALL, HOUR).await,
            operator: house.token("operator", &Scope::ALL, HOUR).await,
            narrow,
        };
        let walked = walk(&house.site, &tokens).await;
        assert_eq!(walked.faults, Vec::<String>::new());
        assert!(walked.refusals > 50, "{}", walked.refusals);
    })
    .await;
}

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
async fn an_admin_makes_changes_and_deletes_a_user() {
    in_house(|house| async move {
        let made = house
            .admin(post("/api/v1/users", r#"{"name":"anna","role":"viewer"}"#))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.header("location"), "/api/v1/users/anna");
        let password = made.json()["password"]
            .as_str()
            .expect("made up")
            .to_owned();
        let anna = || get("/api/v1/session").basic("anna", &password);
        assert_eq!(house.call(anna()).await.json()["user"]["role"], "viewer");

        let changed = house
            .admin(patch("/api/v1/users/Anna", r#"{"role":"operator"}"#))
            .await;
        assert_eq!(changed.json()["role"], "operator");
        assert_eq!(house.call(anna()).await.json()["user"]["role"], "operator");
        assert_eq!(
            house.admin(get("/api/v1/users/anna")).await.json()["name"],
            "anna"
        );

        let list = house.admin(get("/api/v1/users")).await.json();
        let names: Vec<_> = list["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|user| user["name"].clone())
            .collect();
        assert_eq!(names, ["admin", "anna", "operator", "viewer"]);
        assert_eq!(list["next"], json!(null));

        assert_eq!(house.admin(delete("/api/v1/users/anna")).await.status, 204);
        assert_eq!(house.call(anna()).await.status, 401);
        assert_eq!(
            house.admin(get("/api/v1/users/anna")).await.problem(),
            (404, "not-found".into())
        );
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_done_to_a_user_is_said_by_field() {
    in_house(|house| async move {
        for (call, status, code, at) in [
            (
                post("/api/v1/users", r#"{"name":"Viewer","role":"viewer"}"#),
                409,
                "conflict",
                ("name", "conflict"),
            ),
            (
                post("/api/v1/users", r#"{"name":"a b","role":"viewer"}"#),
                400,
                "invalid-request",
                ("name", "invalid"),
            ),
            (
                post("/api/v1/users", r#"{"name":"ab","role":"king"}"#),
                400,
                "invalid-request",
                ("role", "invalid"),
            ),
            (
                post(
                    "/api/v1/users",
                    r#"{"name":"ab","role":"viewer","password":"short"}"#,
                ),
                400,
                "invalid-request",
                ("password", "weak-password"),
            ),
            (
                post("/api/v1/users", r#"{"name":"ab","role":"viewer","x":1}"#),
                400,
                "invalid-request",
                ("x", "invalid"),
            ),
            (
                patch("/api/v1/users/admin", r#"{"role":"viewer"}"#),
                409,
                "last-admin",
                ("", ""),
            ),
            (delete("/api/v1/users/admin"), 409, "last-admin", ("", "")),
        ] {
            let answer = house.admin(call).await;
            assert_eq!(answer.problem(), (status, code.into()), "{}", answer.text);
            assert_eq!(
                field(&answer),
                (at.0.into(), at.1.into()),
                "{}",
                answer.text
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_password_is_ones_own_to_change_and_an_admins_to_set() {
    in_house(|house| async move {
        let own =
            |json: &str| post("/api/v1/users/viewer/password", json).basic("viewer", PASSWORD);
        let with = format!(r#"{{"password":"{OTHER}","current":"{PASSWORD}"}}"#);
        let without = format!(r#"{{"password":"{OTHER}"}}"#);
        let wrong = format!(r#"{{"password":"{OTHER}","current":"not this one"}}"#);
        assert_eq!(
            field(&house.call(own(&without)).await),
            ("current".into(), "missing".into())
        );
        assert_eq!(
            field(&house.call(own(&wrong)).await),
            ("current".into(), "wrong-password".into())
        );
        let others = post("/api/v1/users/admin/password", &with).basic("viewer", PASSWORD);
        assert_eq!(
            house.call(others).await.problem(),
            (403, "forbidden".into())
        );
        let token = house.token("viewer", &[Scope::OperationsWrite], HOUR).await;
        let narrow = post("/api/v1/users/viewer/password", &with).bearer(&token);
        assert_eq!(
            house.call(narrow).await.problem(),
            (403, "forbidden".into())
        );
        assert_eq!(
            house
                .call(post("/api/v1/users/viewer/password", &with))
                .await
                .status,
            401
        );

        let (cookie, _) = house.log_in("viewer").await;
        assert_eq!(house.call(own(&with)).await.status, 204);
        assert!(!house.still_in(&cookie).await, "other sessions have ended");
        assert_eq!(
            house
                .call(get("/api/v1/session").basic("viewer", PASSWORD))
                .await
                .status,
            401
        );
        assert_eq!(
            house
                .call(get("/api/v1/session").basic("viewer", OTHER))
                .await
                .status,
            200
        );

        let set = format!(r#"{{"password":"{PASSWORD}"}}"#);
        assert_eq!(
            house
                .admin(post("/api/v1/users/viewer/password", &set))
                .await
                .status,
            204
        );
        assert_eq!(
            house
                .call(get("/api/v1/session").basic("viewer", PASSWORD))
                .await
                .status,
            200
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

#[tokio::test]
async fn a_token_is_told_once_works_and_is_gone_at_once() {
    in_house(|house| async move {
        let json = r#"{"name":"ci","scopes":["admin","bundles:read"],"expires_in":60}"#;
        let made = house
            .call(post("/api/v1/tokens", json).basic("viewer", PASSWORD))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
        let text = made.json()["token"].as_str().expect("told").to_owned();
        let id = made.json()["id"].as_str().expect("an id").to_owned();
        assert!(text.starts_with("lsh_"));
        assert_eq!(made.json()["owner"], "viewer");

        let list = house.call(get("/api/v1/tokens").bearer(&text)).await;
        assert_eq!(list.json()["items"][0]["name"], "ci");
        assert!(!list.text.contains(&text));
        // Everybody's are for admins; nobody else's can be deleted.
        assert_eq!(
            house
                .call(get("/api/v1/tokens?all=true").bearer(&text))
                .await
                .status,
            403
        );
        let all = house.admin(get("/api/v1/tokens?all=true")).await.json();
        assert_eq!(all["items"].as_array().expect("a list").len(), 1);
        assert_eq!(
            house.admin(get("/api/v1/tokens")).await.json()["items"],
            json!([])
        );
        let uri = format!("/api/v1/tokens/{id}");
        assert_eq!(
            house
                .call(delete(&uri).basic("operator", PASSWORD))
                .await
                .status,
            404
        );

        assert_eq!(house.call(delete(&uri).bearer(&text)).await.status, 204);
        assert_eq!(
            house.call(get("/api/v1/tokens").bearer(&text)).await.status,
            401
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_no_token_is_refused_by_field() {
    in_house(|house| async move {
        for (json, status, at) in [
            (r#"{"name":"ci","scopes":[]}"#, 400, "scopes"),
            (r#"{"name":"ci","scopes":["everything"]}"#, 400, "scopes[0]"),
            (
                r#"{"name":"ci","scopes":["admin"],"expires_in":0}"#,
                400,
                "expires_in",
            ),
            (
                r#"{"name":"ci","scopes":["admin"],"expires_in":-1}"#,
                400,
                "expires_in",
            ),
            (
                r#"{"name":"ci","scopes":["admin"],"expires_in":99999999999}"#,
                400,
                "expires_in",
            ),
        ] {
            let answer = house.admin(post("/api/v1/tokens", json)).await;
            assert_eq!(
                (answer.status, field(&answer).0),
                (status, at.into()),
                "{json}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_goes_in_and_never_comes_out() {
    in_house(|house| async move {
        const VALUE: &str = "s3cr3t-of-the-house";
        let json = format!(r#"{{"value":"{VALUE}"}}"#);
        assert_eq!(
            house
                .admin(put("/api/v1/secrets/DEPLOY_KEY", &json))
                .await
                .status,
            204
        );
        assert_eq!(
            house
                .admin(put("/api/v1/secrets/DEPLOY_KEY", &json))
                .await
                .status,
            204
        );
        let list = house.admin(get("/api/v1/secrets")).await;
        assert_eq!(list.json()["items"][0]["name"], "DEPLOY_KEY");
        assert_eq!(list.json()["items"][0]["version"], 2);
        assert_eq!(list.json()["items"][0]["changed_by"], "user:admin");
        for uri in ["/api/v1/secrets", "/api/v1/audit"] {
            assert!(!house.admin(get(uri)).await.text.contains(VALUE), "{uri}");
        }
        assert_eq!(
            field(
                &house
                    .admin(put("/api/v1/secrets/x", r#"{"value":"a"}"#))
                    .await
            )
            .0,
            "value"
        );
        assert_eq!(
            house
                .admin(put("/api/v1/secrets/a%20b", &json))
                .await
                .status,
            400
        );
        assert_eq!(
            house
                .admin(delete("/api/v1/secrets/DEPLOY_KEY"))
                .await
                .status,
            204
        );
        assert_eq!(
            house
                .admin(delete("/api/v1/secrets/DEPLOY_KEY"))
                .await
                .status,
            404
        );
    })
    .await;
}

#[tokio::test]
async fn who_did_what_is_there_page_by_page() {
    in_house(|house| async move {
        for name in ["a", "b", "c"] {
            let json = format!(r#"{{"name":"{name}","role":"viewer"}}"#);
            assert_eq!(house.admin(post("/api/v1/users", &json)).await.status, 201);
            house.clock.advance(Duration::from_secs(1));
        }
        let base = "/api/v1/audit?action=user.created&actor=user:admin&limit=2";
        let first = house.admin(get(base)).await.json();
        let next = first["next"].as_str().expect("more follow");
        let second = house
            .admin(get(&format!("{base}&cursor={next}")))
            .await
            .json();
        let subjects: Vec<_> = [&first, &second]
            .into_iter()
            .flat_map(|page| page["items"].as_array().expect("a list"))
            .map(|entry| entry["subject"].clone())
            .collect();
        assert_eq!(subjects, ["user:c", "user:b", "user:a"]);
        assert_eq!(second["next"], json!(null));
        assert_eq!(first["items"][0]["after"]["role"], "viewer");

        let now = house.clock.now();
        let later = house
            .admin(get(&format!("/api/v1/audit?from={now}")))
            .await
            .json();
        assert_eq!(later["items"], json!([]));
        for (query, at) in [
            ("from=today", "from"),
            ("cursor=x", "cursor"),
            ("limit=0", "limit"),
        ] {
            let answer = house.admin(get(&format!("/api/v1/audit?{query}"))).await;
            assert_eq!(
                (answer.status, field(&answer).0),
                (400, at.into()),
                "{query}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_running_is_told_to_users() {
    in_house(|house| async move {
        let about = house
            .call(get("/api/v1/about").basic("viewer", PASSWORD))
            .await
            .json();
        assert_eq!(about["version"], "0.0.0");
        assert!(["SQLite", "Postgres"].contains(&about["database"].as_str().expect("a name")));
    })
    .await;
}
