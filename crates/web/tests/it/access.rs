//! Who gets in.

use crate::fixture::{NOW, call, get, links, post, site};
use ::access::Scope;
use http::Method;
use std::time::Duration;
use web::{WalkTokens, walk};

const THINGS: &str = "/api/v1/things";
const THING: &str = r#"{"name":"a","count":1}"#;
const ARCHIVE: &str = "/api/v1/things/01890a5d-ac96-774b-bcce-b302099a8057/archive";

fn tokens() -> WalkTokens {
    WalkTokens {
        expired: "expired".into(),
        viewer: "viewer".into(),
        operator: "operator".into(),
        narrow: vec![
            (Scope::OperationsRead, "only-operations:read".into()),
            (Scope::BundlesRead, "only-bundles:read".into()),
        ],
        expired_session: "expired".into(),
        session: "admin".into(),
    }
}

#[tokio::test]
async fn every_route_refuses_nobody_the_expired_and_the_too_low_role() {
    let walked = walk(&site(), &tokens()).await;
    assert_eq!(walked.faults, Vec::<String>::new());
    // Things: list, make, delete, take; me: see, change; the socket. What is read is
    // asked for by HEAD, too.
    let refusals = [
        2 * 5 + 1,
        6 + 1,
        7 + 1,
        2 * 6 + 1,
        2 * 2 + 1,
        2 + 1,
        2 * 5 + 1,
    ];
    assert_eq!(walked.refusals, refusals.iter().sum::<usize>());
}

#[tokio::test]
async fn the_walk_notices_a_door_that_lets_too_many_in() {
    let mut tokens = tokens();
    tokens.expired = "admin".into();
    let walked = walk(&site(), &tokens).await;
    assert!(
        walked
            .faults
            .iter()
            .any(|fault| fault.contains("GET /api/v1/things answers 200")),
        "{:?}",
        walked.faults
    );
}

#[tokio::test]
async fn each_proof_lets_its_caller_in() {
    let site = site();
    for call in [
        get(THINGS).bearer("viewer"),
        get(THINGS).basic("viewer", "right"),
        get(THINGS).cookie("viewer"),
    ] {
        let answer = call.to(&site).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()[0]["name"], "viewer");
    }
}

#[tokio::test]
async fn the_header_decides_and_not_a_cookie_beside_it() {
    let answer = get(THINGS)
        .bearer("wrong")
        .cookie("admin")
        .to(&site())
        .await;
    assert_eq!(answer.problem(), (401, "unauthenticated".into()));
}

#[tokio::test]
async fn a_401_names_the_ways_in_and_offers_a_page_no_dialog() {
    let site = site();
    let challenges = |answer: &crate::fixture::Answered| {
        let values = answer.headers.get_all("www-authenticate").iter();
        values
            .map(|value| value.to_str().expect("text")[..5].to_owned())
            .collect::<Vec<_>>()
    };
    let answer = get(THINGS).to(&site).await;
    assert_eq!(challenges(&answer), ["Beare", "Basic"]);
    for (name, value) in [
        ("user-agent", "Mozilla/5.0 (X11)"),
        ("sec-fetch-mode", "cors"),
        ("origin", "http://a"),
        ("cookie", "a=b"),
    ] {
        let answer = get(THINGS).header(name, value).to(&site).await;
        assert_eq!(answer.status, 401);
        assert_eq!(challenges(&answer), ["Beare"], "{name}");
    }
}

#[tokio::test]
async fn refusals_of_who_identifies_keep_their_meaning() {
    let site = site();
    for (password, status, code, wait) in [
        ("wrong", 401, "unauthenticated", ""),
        ("often", 429, "too-many-requests", "30"),
        ("down", 503, "storage-unavailable", "1"),
    ] {
        let answer = get(THINGS).basic("admin", password).to(&site).await;
        assert_eq!(answer.problem(), (status, code.into()));
        assert_eq!(answer.header("retry-after"), wait);
    }
    let answer = get(THINGS).bearer("expired").to(&site).await;
    assert_eq!(answer.problem(), (401, "expired".into()));
}

#[tokio::test]
async fn a_session_changes_nothing_without_its_own_token() {
    let site = site();
    let with = |csrf: &str| {
        let call = post(THINGS, THING).cookie("operator");
        if csrf.is_empty() {
            call
        } else {
            call.header("x-csrf-token", csrf)
        }
    };
    for csrf in ["", "csrf-of-admin", "csrf-of-operato", "csrf-of-operatorx"] {
        let answer = with(csrf).to(&site).await;
        assert_eq!(answer.problem(), (403, "csrf".into()), "{csrf:?}");
    }
    assert_eq!(with("csrf-of-operator").to(&site).await.status, 201);
    // What is no session needs none.
    assert_eq!(
        post(THINGS, THING)
            .bearer("operator")
            .to(&site)
            .await
            .status,
        201
    );
    assert_eq!(
        post(THINGS, THING)
            .basic("operator", "right")
            .to(&site)
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn another_site_cannot_use_what_the_browser_sends_by_itself() {
    let site = site();
    let cross = |call: crate::fixture::Call| call.header("sec-fetch-site", "cross-site");
    let session = || {
        post(THINGS, THING)
            .cookie("operator")
            .header("x-csrf-token", "csrf-of-operator")
    };
    let password = || {
        post(THINGS, THING)
            .basic("operator", "right")
            .header("host", "here:8011")
    };
    for call in [
        cross(session()),
        cross(password()),
        password().header("origin", "https://evil.example"),
        password().header("origin", "null"),
        cross(post("/api/v1/open", THING)),
        cross(call(Method::POST, "/api/v1/me")),
    ] {
        assert_eq!(call.to(&site).await.problem(), (403, "cross-site".into()));
    }
    for call in [
        session()
            .header("sec-fetch-site", "same-origin")
            .header("origin", "http://here"),
        password().header("origin", "http://here:8011"),
        password().header("origin", "http://HERE:8011"),
    ] {
        assert_eq!(call.to(&site).await.status, 201);
    }
    // A token is sent by a program that means it; reading is the browser's to guard.
    assert_eq!(
        cross(post(THINGS, THING).bearer("operator"))
            .to(&site)
            .await
            .status,
        201
    );
    assert_eq!(cross(get("/api/v1/from")).to(&site).await.status, 200);
}

#[tokio::test]
async fn a_socket_with_a_cookie_needs_its_own_origin() {
    let site = site();
    let upgrade = || {
        get("/socket")
            .header("upgrade", "websocket")
            .header("host", "here:8011")
    };
    for call in [
        upgrade().cookie("viewer"),
        upgrade()
            .cookie("viewer")
            .header("origin", "http://there:8011"),
        upgrade().cookie("viewer").header("origin", "http://here"),
        upgrade()
            .basic("viewer", "right")
            .header("origin", "http://there"),
    ] {
        assert_eq!(call.to(&site).await.problem(), (403, "cross-site".into()));
    }
    // Past the gate; that the handshake itself is incomplete is the handler's word.
    for call in [
        upgrade()
            .cookie("viewer")
            .header("origin", "http://here:8011"),
        upgrade().basic("viewer", "right"),
        upgrade().bearer("viewer").header("origin", "http://there"),
    ] {
        let status = call.to(&site).await.status;
        assert!(!matches!(status, 401 | 403), "{status}");
    }
}

#[tokio::test]
async fn where_nobody_will_do_an_old_cookie_is_nobody_and_a_wrong_password_is_not() {
    let site = site();
    assert_eq!(get("/api/v1/me").to(&site).await.text, "nobody");
    assert_eq!(
        get("/api/v1/me").cookie("expired").to(&site).await.text,
        "nobody"
    );
    assert_eq!(
        get("/api/v1/me").cookie("viewer").to(&site).await.text,
        "viewer"
    );
    assert_eq!(
        get("/api/v1/me")
            .basic("viewer", "wrong")
            .to(&site)
            .await
            .status,
        401
    );
    let change = call(Method::POST, "/api/v1/me")
        .cookie("viewer")
        .to(&site)
        .await;
    assert_eq!(change.problem(), (403, "csrf".into()));
}

#[tokio::test]
async fn a_signed_link_opens_one_address_without_anybody() {
    let site = site();
    let link = format!(
        "{ARCHIVE}?{}",
        links().sign(ARCHIVE, NOW.plus(Duration::from_secs(1)))
    );
    let answer = get(&link).to(&site).await;
    assert_eq!(
        (answer.status, answer.text.ends_with("by a link")),
        (200, true)
    );
    assert!(
        get(ARCHIVE)
            .bearer("viewer")
            .to(&site)
            .await
            .text
            .ends_with("by viewer")
    );
    let expired = format!("{ARCHIVE}?{}", links().sign(ARCHIVE, NOW));
    assert_eq!(
        get(&expired).to(&site).await.problem(),
        (403, "link-expired".into())
    );
    let other = link.replace("8057", "8058");
    assert_eq!(
        get(&other).to(&site).await.problem(),
        (403, "link-invalid".into())
    );
    // A wrong link is not saved by a right password.
    assert_eq!(get(&other).bearer("admin").to(&site).await.status, 403);
    // And a link opens no route that does not ask for one.
    let list = format!(
        "{THINGS}?{}",
        links().sign(THINGS, NOW.plus(Duration::from_secs(9)))
    );
    assert_eq!(get(&list).to(&site).await.status, 401);
}
