//! Users and their passwords.

use super::{HOUR, delete, field, patch};
use crate::fixture::{get, post};
use crate::house::{OTHER, PASSWORD, in_house};
use ::access::Scope;
use serde_json::json;

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
