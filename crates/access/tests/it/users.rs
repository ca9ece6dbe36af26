//! Users, roles and the last admin.

use crate::house::{House, OTHER, PASSWORD, code, here, quiet};
use access::{Doer, MasterKeys, NewUser, Role, Scope};
use testing::on_both;

#[tokio::test]
async fn the_first_start_makes_an_admin_and_the_second_changes_nothing() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let made = house.access.ensure_admin(None).await.unwrap();
        let password = made.expect("the first start tells its password");
        let caller = house.basic("admin", password.reveal()).await.unwrap();
        assert_eq!(caller.role(), Role::Admin);
        let again = house.access.ensure_admin(Some(OTHER.into())).await.unwrap();
        assert!(again.is_none());
        assert!(house.basic("admin", password.reveal()).await.is_ok());
        assert_eq!(code(house.basic("admin", OTHER).await), "unauthenticated");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_given_password_is_taken_and_never_told() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        assert_eq!(
            code(house.access.ensure_admin(Some("short".into())).await),
            "weak-password"
        );
        let told = house
            .access
            .ensure_admin(Some(PASSWORD.into()))
            .await
            .unwrap();
        assert!(told.is_none());
        assert!(house.basic("admin", PASSWORD).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn two_first_starts_at_once_make_one_admin() {
    on_both(|database| async move {
        let keys = MasterKeys::generate();
        let one = House::with(&database, &keys, quiet()).await;
        let two = House::with(&database, &keys, quiet()).await;
        let (first, second) =
            tokio::join!(one.access.ensure_admin(None), two.access.ensure_admin(None));
        let told = [first.unwrap(), second.unwrap()];
        assert_eq!(
            told.iter().flatten().count(),
            1,
            "one of them is told a password"
        );
        let password = told.into_iter().flatten().next().unwrap();
        assert!(two.basic("admin", password.reveal()).await.is_ok());
        assert_eq!(one.access.users().await.unwrap().len(), 1);
        one.close().await;
        two.close().await;
    })
    .await;
}

#[tokio::test]
async fn names_differ_by_more_than_case() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("Anna", Role::Viewer).await;
        let again = NewUser {
            name: "anna".parse().unwrap(),
            role: Role::Admin,
            password: None,
        };
        assert_eq!(
            code(house.access.create_user(&Doer::host(), again).await),
            "conflict"
        );
        assert_eq!(house.basic("ANNA", PASSWORD).await.unwrap().name(), "Anna");
        assert_eq!(house.access.user("anna").await.unwrap().name, "Anna");
        for nobody in ["bert", "", "a\0b", "a b"] {
            assert_eq!(code(house.access.user(nobody).await), "not-found");
        }
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_without_a_password_gets_one_that_is_told_once() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let new = NewUser {
            name: "anna".parse().unwrap(),
            role: Role::Operator,
            password: None,
        };
        let (user, told) = house.access.create_user(&Doer::host(), new).await.unwrap();
        assert_eq!(user.role, Role::Operator);
        let password = told.expect("it was made up");
        assert!(house.basic("anna", password.reveal()).await.is_ok());
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_last_admin_stays() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        let (access, by) = (&house.access, Doer::host());
        house.user("anna", Role::Admin).await;
        assert_eq!(code(access.delete_user(&by, "anna").await), "last-admin");
        assert_eq!(
            code(access.set_role(&by, "anna", Role::Viewer).await),
            "last-admin"
        );
        assert_eq!(
            access
                .set_role(&by, "anna", Role::Admin)
                .await
                .unwrap()
                .role,
            Role::Admin
        );
        house.user("bert", Role::Admin).await;
        access.set_role(&by, "anna", Role::Viewer).await.unwrap();
        assert_eq!(code(access.delete_user(&by, "bert").await), "last-admin");
        access.delete_user(&by, "anna").await.unwrap();
        assert_eq!(code(access.delete_user(&by, "anna").await), "not-found");
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn two_admins_who_delete_each_other_at_once_leave_one() {
    on_both(|database| async move {
        let keys = MasterKeys::generate();
        let one = House::with(&database, &keys, quiet()).await;
        let two = House::with(&database, &keys, quiet()).await;
        let by = Doer::host();
        for _ in 0..8 {
            for name in ["anna", "bert"] {
                if one.access.user(name).await.is_err() {
                    one.user(name, Role::Admin).await;
                }
            }
            let (first, second) = tokio::join!(
                one.access.delete_user(&by, "anna"),
                two.access.set_role(&by, "bert", Role::Viewer)
            );
            assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
            let users = one.access.users().await.unwrap();
            let admins = users.iter().filter(|user| user.role == Role::Admin).count();
            assert_eq!(admins, 1);
            if users
                .iter()
                .any(|user| user.name == "bert" && user.role == Role::Viewer)
            {
                one.access.delete_user(&by, "bert").await.unwrap();
            }
        }
        one.close().await;
        two.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_new_role_holds_at_once_for_whoever_is_remembered() {
    on_both(|database| async move {
        let house = House::open(&database).await;
        house.user("anna", Role::Admin).await;
        house.user("bert", Role::Admin).await;
        let cookie = house.log_in("anna").await.cookie;
        let identify = || async {
            use secrecy::ExposeSecret;
            let by_cookie = house
                .access
                .identify_session(cookie.expose_secret(), here())
                .await;
            (
                by_cookie.unwrap(),
                house.basic("anna", PASSWORD).await.unwrap(),
            )
        };
        let (session, basic) = identify().await;
        assert!(session.may(Role::Admin, Scope::Admin) && basic.may(Role::Admin, Scope::Admin));
        house
            .access
            .set_role(&Doer::host(), "anna", Role::Viewer)
            .await
            .unwrap();
        let (session, basic) = identify().await;
        assert_eq!((session.role(), basic.role()), (Role::Viewer, Role::Viewer));
        house.close().await;
    })
    .await;
}
