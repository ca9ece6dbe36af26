//! What must not be shown is not shown.

use super::*;

#[test]
fn the_password_of_the_database_appears_nowhere() {
    let wrong = [
        file("database = \"mysql://u:hunter2@db/x\"")
            .unwrap_err()
            .to_string(),
        file("databse = \"postgres://u:hunter2@db/x\"")
            .unwrap_err()
            .to_string(),
        file("database = [\"postgres://u:hunter2@db/x\"]")
            .unwrap_err()
            .to_string(),
        file("database = \"postgres://u:hunter2@db/x")
            .unwrap_err()
            .to_string(),
        file("database = postgres://u:hunter2@db/x")
            .unwrap_err()
            .to_string(),
        environment(&[("LONGSHORE_DATABASE", "u:hunter2@db")])
            .unwrap_err()
            .to_string(),
    ];
    for message in wrong {
        assert!(!message.contains("hunter2"), "{message}");
    }
    let config = file("database = \"postgres://u:hunter2@db/x\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(
        config
            .shown()
            .all(|(_, value)| !value.unwrap_or_default().contains("hunter2"))
    );
    assert_eq!(
        config.database.unwrap().expose(),
        "postgres://u:hunter2@db/x"
    );
}

#[test]
fn a_secret_is_not_taken_from_the_command_line() {
    let flags = Overrides::default().assignment("--set", "database=postgres://u:geheim@h/d");
    let error = Config::load(None, [], &flags)
        .expect_err("refused")
        .to_string();
    assert!(error.contains("LONGSHORE_DATABASE"), "{error}");
    assert!(!error.contains("geheim"), "{error}");
}

#[test]
fn a_password_in_the_address_of_a_mail_server_is_refused_and_not_repeated() {
    let wrong = [
        file("[mail]\nsmtp = \"smtps://u:hunter2@mail\"").unwrap_err(),
        environment(&[("LONGSHORE_MAIL_SMTP", "smtps://u:hunter2@mail")]).unwrap_err(),
    ];
    for error in wrong {
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
