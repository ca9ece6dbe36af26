//! What `sync check` says of an account.

use super::{client, images, images_settings, settings, stream};
use crate::syncs::target::Target;
use crate::syncs::target::cloudflare::{Accounts, Images};
use testing::{Cloudflare, Fault, Step};

#[tokio::test]
async fn an_account_that_is_right_lacks_nothing() {
    let cloudflare = Cloudflare::start().await;
    let both = [
        images(&cloudflare).check().await,
        stream(&cloudflare).check().await,
    ];
    let looked: Vec<_> = both.iter().flatten().map(|one| one.what.as_str()).collect();
    let expected = [
        "Cloudflare token",
        "Cloudflare Images",
        "Cloudflare token",
        "Cloudflare Stream",
    ];
    assert_eq!(looked, expected);
    assert!(
        both.iter().flatten().all(|one| one.missing.is_none()),
        "{both:?}"
    );
}

#[tokio::test]
async fn a_token_of_a_user_is_one_too() {
    let cloudflare = Cloudflare::start().await;
    cloudflare.fail(
        Step::VerifyToken,
        Fault::said(401, 1000, "Invalid API Token"),
    );
    let checked = images(&cloudflare).check().await;
    assert!(
        checked.iter().all(|one| one.missing.is_none()),
        "{checked:?}"
    );
    assert_eq!(cloudflare.count(Step::VerifyToken), 2);
}

#[tokio::test]
async fn what_is_missing_is_said_with_what_to_do() {
    let cloudflare = Cloudflare::start().await;
    let mut wrong = settings(&cloudflare);
    wrong.token = "another-secret".to_owned().into();
    let account = Accounts::default().open(wrong, &client()).unwrap();
    let checked = Images::new(account, images_settings()).check().await;
    for one in checked {
        let missing = one.missing.unwrap();
        assert!(missing.contains("give a token that may edit"), "{missing}");
        assert!(!missing.contains("another-secret"));
    }
    let mut elsewhere = settings(&cloudflare);
    elsewhere.account = "another".to_owned();
    let account = Accounts::default().open(elsewhere, &client()).unwrap();
    let checked = Images::new(account, images_settings()).check().await;
    let missing = checked[1].missing.as_deref().unwrap();
    assert!(missing.contains("correct the account's id"), "{missing}");
}
