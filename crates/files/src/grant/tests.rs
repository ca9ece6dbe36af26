//! What grants open, and whom they hold.

use super::*;
use access::{Role, Scope};
use uuid::Uuid;

fn bucket() -> BucketId {
    Uuid::from_u128(1).into()
}

fn grant(holder: Holder, prefix: &str, permissions: &[Permission]) -> Grant {
    Grant {
        id: GrantId::new(),
        bucket: bucket(),
        prefix: prefix.to_owned(),
        holder,
        permissions: permissions.iter().copied().collect(),
        created_at: Timestamp::EPOCH,
        created_by: "host".to_owned(),
    }
}

fn with_token(id: TokenId) -> Caller {
    let proof = Proof::Token {
        id,
        name: "ci".to_owned(),
        scopes: vec![Scope::FilesRead, Scope::FilesWrite],
    };
    Caller::for_test("anna", Role::Viewer, proof)
}

#[test]
fn permissions_are_kept_by_their_words() {
    let some: Permissions = [Permission::Read, Permission::Share].into_iter().collect();
    assert_eq!(some.text(), "read,share");
    assert_eq!(Permissions::stored("share,read,fly"), some);
    assert!(Permissions::stored("").is_empty());
    assert!(!some.has(Permission::Write) && some.has(Permission::Share));
}

#[test]
fn a_users_grant_adds_below_its_prefix_alone() {
    let anna = Caller::for_test("anna", Role::Viewer, Proof::Password);
    let holder = Holder::User(anna.user());
    let grants = Grants::new(vec![grant(holder, "a/b/", &[Permission::Write])]);
    let may = |by_role, path, permission| grants.permit(&anna, by_role, bucket(), path, permission);
    assert!(may(false, "a/b/c", Permission::Write));
    assert!(may(false, "a/b/", Permission::Write));
    for other in ["a/b", "a/bc", "", "a/", "x/a/b/c", "A/b/c"] {
        assert!(!may(false, other, Permission::Write), "{other}");
    }
    assert!(!may(false, "a/b/c", Permission::Read));
    assert!(may(true, "x", Permission::Read), "roles stay");
    assert!(!grants.permit(
        &anna,
        false,
        Uuid::from_u128(2).into(),
        "a/b/c",
        Permission::Write
    ));
    let other = Caller::for_test("bert", Role::Viewer, Proof::Password);
    assert!(!grants.permit(&other, false, bucket(), "a/b/c", Permission::Write));
}

#[test]
fn a_token_with_grants_is_held_to_them_within_what_its_user_may() {
    let id = TokenId::new();
    let caller = with_token(id);
    let elsewhere = BucketId::new();
    let grants = Grants::new(vec![
        grant(
            Holder::Token(id),
            "in/",
            &[Permission::Write, Permission::Read],
        ),
        grant(
            Holder::User(caller.user()),
            "in/deep/",
            &[Permission::Write],
        ),
    ]);
    let may =
        |by_role, path, permission| grants.permit(&caller, by_role, bucket(), path, permission);
    assert!(
        may(true, "in/x", Permission::Read),
        "by role and by the grant"
    );
    assert!(!may(true, "out/x", Permission::Read), "held");
    assert!(!may(false, "in/x", Permission::Write), "its user may not");
    assert!(may(false, "in/deep/x", Permission::Write), "both may");
    assert!(!grants.permit(&caller, true, elsewhere, "in/x", Permission::Read));
    let free = with_token(TokenId::new());
    assert!(grants.permit(&free, true, bucket(), "out/x", Permission::Read));
}
