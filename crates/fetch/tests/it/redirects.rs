//! Following redirects without telling one host what was meant for another.

use super::origin::{Origin, ok, redirect};
use super::{get, get_text, local, quick};
use crate::fetch::{Client, ExtraHeaders, FetchError, Request};
use http::Method;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_loop_ends_after_five_redirects() {
    let origin = Origin::start(|seen| async move { redirect(302, &seen.path) }).await;
    let error = get(&local(), &origin.url("/loop")).await.unwrap_err();
    assert!(
        matches!(error, FetchError::TooManyRedirects { limit: 5, .. }),
        "{error:?}"
    );
    assert_eq!(origin.requests().len(), 6);
}

#[tokio::test]
async fn five_redirects_are_followed() {
    let origin = Origin::start(|seen| async move {
        match seen.number {
            5 => ok("it"),
            n => redirect([301, 302, 303, 307, 308][n], &format!("/{n}?key=secret")),
        }
    })
    .await;
    let response = get(&local(), &origin.url("/")).await.unwrap();
    assert_eq!(response.final_url().expose(), origin.url("/4?key=secret"));
    assert!(!format!("{response:?}").contains("secret"));
}

#[tokio::test]
async fn a_callers_headers_stay_with_the_origin_they_were_given_for() {
    let away = Origin::start(|seen| async move {
        let back = seen.path.strip_prefix("/via?").unwrap().to_owned();
        redirect(302, &back)
    })
    .await;
    let away_url = away.url("/via?");
    let home = Origin::start(move |seen| {
        let away = away_url.clone();
        async move {
            match seen.path.as_str() {
                "/start" => redirect(302, "/same"),
                "/same" => redirect(307, &format!("{away}http://{}/end", seen.host)),
                _ => ok("it"),
            }
        }
    })
    .await;
    let headers = [
        ("Authorization", "Bearer s"),
        ("Cookie", "c=1"),
        ("X-Own", "o"),
    ];
    let headers = ExtraHeaders::parse(headers).unwrap();
    let client = local();
    let url = client.check(&home.url("/start")).unwrap();

    client
        .get(&url, &headers, &CancellationToken::new())
        .await
        .unwrap();

    let own = |seen: &super::origin::Seen| {
        ["authorization", "cookie", "x-own"].map(|name| seen.header(name).is_some())
    };
    let at_home = home.requests();
    let paths: Vec<_> = at_home.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/start", "/same", "/end"]);
    assert_eq!(own(&at_home[0]), [true; 3]);
    assert_eq!(own(&at_home[1]), [true; 3]);
    assert_eq!(own(&away.requests()[0]), [false; 3]);
    assert_eq!(own(&at_home[2]), [false; 3], "an excursion forfeits them");
}

#[tokio::test]
async fn every_request_says_who_asks_and_wants_plain_bytes() {
    let origin = Origin::start(|_| async { ok("it") }).await;
    get_text(&local(), &origin.url("/")).await.unwrap();
    let seen = &origin.requests()[0];
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        seen.header("user-agent").unwrap(),
        format!("longshore/{version}")
    );
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("referer"), None);
    assert_eq!(seen.host, origin.address.to_string());
}

#[tokio::test]
async fn a_redirect_to_a_closed_address_names_both_ends() {
    let origin = Origin::start(|_| async { redirect(302, "http://10.0.0.1/?key=secret") }).await;
    let error = get(&local(), &origin.url("/?key=secret"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "refused-address");
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("10.0.0.1") && text.contains("127.0.0.1"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_request_with_a_body_is_not_redirected() {
    let origin = Origin::start(|_| async { redirect(307, "/elsewhere") }).await;
    let client = Client::new(super::local_policy(), quick());
    let url = client.check(&origin.url("/")).unwrap();
    let request = Request::new(Method::PUT, url).body("x".into());
    let answer = client
        .send(request, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(answer.status(), 307);
    assert_eq!(origin.requests().len(), 1);
}

#[tokio::test]
async fn head_gives_the_length_and_no_body() {
    let origin = Origin::start(|seen| async move {
        assert_eq!(seen.method, Method::HEAD);
        ok("five!")
    })
    .await;
    let client = local();
    let url = client.check(&origin.url("/")).unwrap();
    let none = ExtraHeaders::none();
    let mut head = client
        .head(&url, &none, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.next_chunk().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_signed_for_one_address_is_sent_to_no_other() {
    let origin = Origin::start(|_| async move { redirect(307, "/elsewhere") }).await;
    let client = local();
    let url = client.check(&origin.url("/here")).unwrap();
    let request = Request::get(url).without_redirects();
    let cancel = CancellationToken::new();
    let response = client.send(request, &cancel).await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(origin.requests().len(), 1);
}
