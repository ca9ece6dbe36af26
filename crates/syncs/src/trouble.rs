//! What the errors of the floors below mean for a delivery: whether it may go well later,
//! is refused for this file, or holds for all.

use crate::target::Trouble;
use storage::ObjectError;

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
}
