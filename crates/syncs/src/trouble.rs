//! What the errors of the floors below mean for a delivery: whether it may go well later,
//! is refused for this file, or holds for all.

use crate::target::Trouble;
use storage::ObjectError;

/// Of Postgres' SQLSTATE the classes that may pass by themselves: connections, transactions
/// in each other's way, resources, and what the one who runs it does to it.
const PASSING: [&str; 4] = ["08", "40", "53", "57"];
/// A lock that was not to be had in time.
const LOCKED: &str = "55P03";
/// And those that are of a row alone: its data, constraints, the condition of a view, and
/// what triggers raise.
const OF_A_ROW: [&str; 4] = ["22", "23", "44", "P0"];
/// The longest words of somebody's database that are passed on.
const MOST_WORDS: usize = 300;

/// Another content lies there than the one that was looked at.
pub(crate) fn changed() -> Trouble {
    Trouble::Later {
        reason: "its content changed while it was read; it is looked at again".to_owned(),
        after: None,
    }
}

/// Of the store of a source.
pub(crate) fn of_source(error: &ObjectError) -> Trouble {
    match error {
        ObjectError::NoObject => Trouble::Refused {
            reason: "its content is not in the store; put it there, or correct its path".to_owned(),
        },
        ObjectError::Changed => changed(),
        error => of_store(error),
    }
}

/// Of any store.
pub(crate) fn of_store(error: &ObjectError) -> Trouble {
    let reason = error.to_string();
    match error {
        error if error.is_passing() => Trouble::Later {
            reason,
            after: match error {
                ObjectError::Refused { after, .. } => *after,
                _ => None,
            },
        },
        ObjectError::Refused { status, code, .. } => {
            // A 403 by itself may be for one object alone.
            let of_all = *status == 401
                || matches!(
                    code.as_str(),
                    "NoSuchBucket"
                        | "InvalidAccessKeyId"
                        | "SignatureDoesNotMatch"
                        | "RequestTimeTooSkewed"
                        | "PermanentRedirect"
                        | "AuthorizationHeaderMalformed"
                );
            if of_all {
                Trouble::Everything { reason }
            } else {
                Trouble::Refused { reason }
            }
        }
        ObjectError::Settings(_) | ObjectError::Unreachable(_) => Trouble::Everything { reason },
        _ => Trouble::Refused { reason },
    }
}

/// Of somebody else's database. Its own words may name a table, never a password.
pub(crate) fn of_foreign(error: &storage::Error) -> Trouble {
    if let Some(said) = error.no_entry() {
        return Trouble::Everything {
            reason: format!(
                "the database of the rows lets nobody in by this address: {said}; correct the role, the password and the name of the database in it"
            ),
        };
    }
    if error
        .refusal()
        .is_some_and(|refusal| meaning(&refusal.code) == Meaning::Passing)
    {
        return Trouble::Later {
            reason: format!("the database of the rows: {}", words(error)),
            after: None,
        };
    }
    let text = error.to_string();
    let reason = text.replacen("the database", "the database of the rows", 1);
    match error {
        storage::Error::Busy | storage::Error::Stopped => Trouble::Later {
            reason: format!("the database of the rows: {text}"),
            after: None,
        },
        storage::Error::Unreachable { .. } => Trouble::Later {
            reason: reason.replace(
                "check that it runs and that `database` is right",
                "check that it runs and that its address is right",
            ),
            after: None,
        },
        _ => Trouble::Everything {
            reason: format!("the database of the rows: {text}"),
        },
    }
}

/// Of somebody else's database when a row is marked: one that it refuses to mark is no reason
/// to leave the others alone.
pub(crate) fn of_mark(error: &storage::Error) -> Trouble {
    let of_a_row = match error {
        storage::Error::Conflict { .. } | storage::Error::Reference => true,
        error => error
            .refusal()
            .is_some_and(|refusal| meaning(&refusal.code) == Meaning::OfARow),
    };
    if !of_a_row {
        return of_foreign(error);
    }
    Trouble::Refused {
        reason: format!(
            "it is at its target, and the database of the rows refuses to mark its row: {}; mend that and retry it",
            words(error)
        ),
    }
}

/// What somebody else's database says, in its own words where it has some.
pub(crate) fn words(error: &storage::Error) -> String {
    let Some(refusal) = error.refusal() else {
        return error.to_string();
    };
    let words = refusal.message.trim().trim_end_matches('.');
    let words = words.chars().filter(|letter| !letter.is_control());
    words.take(MOST_WORDS).collect()
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// This moment.
    Passing,
    /// One row.
    OfARow,
    /// Every row: a right, a name or a type is another than is said.
    OfAll,
}

/// What the SQLSTATE of a refusal says.
fn meaning(code: &str) -> Meaning {
    let class = code.get(..2).unwrap_or_default();
    if PASSING.contains(&class) || code == LOCKED {
        Meaning::Passing
    } else if OF_A_ROW.contains(&class) {
        Meaning::OfARow
    } else {
        Meaning::OfAll
    }
}

/// Of our own database: it may answer again.
pub(crate) fn of_own(error: &storage::Error) -> Trouble {
    Trouble::Later {
        reason: error.to_string(),
        after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn refused(status: u16, code: &str) -> ObjectError {
        ObjectError::Refused {
            status,
            code: code.to_owned(),
            message: String::new(),
            remedy: String::new(),
            after: Some(Duration::from_secs(7)),
        }
    }

    #[test]
    fn what_holds_for_all_is_told_from_what_holds_for_one() {
        let everything = |error| matches!(of_source(&error), Trouble::Everything { .. });
        assert!(everything(refused(403, "SignatureDoesNotMatch")));
        assert!(everything(refused(404, "NoSuchBucket")));
        assert!(matches!(
            of_source(&refused(503, "SlowDown")),
            Trouble::Later { after: Some(after), .. } if after == Duration::from_secs(7)
        ));
        assert!(matches!(
            of_source(&refused(400, "RequestTimeout")),
            Trouble::Later { .. }
        ));
        assert!(matches!(
            of_source(&refused(400, "InvalidRange")),
            Trouble::Refused { .. }
        ));
        assert!(matches!(
            of_source(&ObjectError::NoObject),
            Trouble::Refused { .. }
        ));
    }

    #[test]
    fn a_refusal_of_their_database_is_of_a_moment_of_a_row_or_of_all() {
        use Meaning::{OfARow, OfAll, Passing};
        for (code, expected) in [
            // The server is shut down, starts, is full, or cancels what takes too long.
            ("57P01", Passing),
            ("57P03", Passing),
            ("53300", Passing),
            ("57014", Passing),
            ("08006", Passing),
            ("40001", Passing),
            ("55P03", Passing),
            // Too long, no word of an enum, a check, a second one, raised by a trigger.
            ("22001", OfARow),
            ("22P02", OfARow),
            ("23514", OfARow),
            ("23505", OfARow),
            ("44000", OfARow),
            ("P0001", OfARow),
            // No right, no such column, another type, a state that does not fit; none.
            ("42501", OfAll),
            ("42703", OfAll),
            ("42804", OfAll),
            ("55000", OfAll),
            ("", OfAll),
            ("5", OfAll),
        ] {
            assert_eq!(meaning(code), expected, "{code}");
        }
    }

    #[test]
    fn only_a_mark_is_refused_for_one_row() {
        let twice = storage::Error::Conflict {
            constraint: "file_remote".to_owned(),
        };
        let refused = of_mark(&twice);
        assert!(matches!(refused, Trouble::Refused { .. }), "{refused:?}");
        assert!(refused.to_string().contains("file_remote"), "{refused}");
        let read = of_foreign(&twice);
        assert!(matches!(read, Trouble::Everything { .. }), "{read:?}");
        let busy = of_mark(&storage::Error::Busy);
        assert!(matches!(busy, Trouble::Later { .. }), "{busy:?}");
    }
}
