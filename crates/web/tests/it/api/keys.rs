//! Tokens and secrets.

use super::{delete, field, put};
use crate::fixture::{get, post};
use crate::house::{PASSWORD, in_house};
use serde_json::json;

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
