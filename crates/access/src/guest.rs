//! Somebody whom this program does not know and does not check: another one, outside of
//! it, is asked what a guest may do.
//!
//! A guest carries what that one is asked about. It may nothing by itself: whoever takes
//! one in asks for each thing that it wants to do, and notes here whom it was said to be.

use std::fmt;
use std::sync::OnceLock;
use uuid::Uuid;

/// What of a request is told to whoever decides.
#[derive(Clone, PartialEq, Eq)]
pub struct Asks {
    /// The method: `GET`.
    pub method: String,
    /// The host that was asked for, with its port where it has one of its own.
    pub host: String,
    /// The path of the address, as it came.
    pub path: String,
    /// The names of the query's parameters; their values may be secret.
    pub query: Vec<String>,
    /// The `Authorization` header, as it came.
    pub authorization: Option<String>,
    /// Some further headers, by their names in lower case.
    pub headers: Vec<(String, String)>,
}

/// Shows no credentials.
impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asks")
            .field("method", &self.method)
            .field("host", &self.host)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Whom somebody was said to be, by one who may say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name, where one was said.
    pub name: Option<String>,
    /// What stands for it in the place of a user's id.
    pub account: Uuid,
}

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub struct Guest {
    asks: Option<Asks>,
    identity: OnceLock<Identity>,
}

impl Guest {
    pub(crate) const fn asking(asks: Asks) -> Self {
        Self {
            asks: Some(asks),
            identity: OnceLock::new(),
        }
    }

    pub(crate) fn vouched(identity: Identity) -> Self {
        Self {
            asks: None,
            identity: OnceLock::from(identity),
        }
    }

    /// What whoever decides is asked about; nothing for one who was let in earlier and
    /// comes back by something that was signed then.
    #[must_use]
    pub const fn asks(&self) -> Option<&Asks> {
        self.asks.as_ref()
    }

    /// Whom it was said to be, once somebody was asked.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }

    /// Notes whom it is said to be. Whether that is what was said before, if anything was.
    #[must_use]
    pub fn introduce(&self, identity: Identity) -> bool {
        self.identity.get_or_init(|| identity.clone()) == &identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, Role, Scope};
    use std::net::{IpAddr, Ipv4Addr};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn asks() -> Asks {
        Asks {
            method: "GET".to_owned(),
            host: "files.localhost".to_owned(),
            path: "/a".to_owned(),
            query: Vec::new(),
            authorization: Some("Bearer hunter2".to_owned()),
            headers: vec![("x-api-key".to_owned(), "hunter2".to_owned())],
        }
    }

    #[test]
    fn a_guest_passes_where_files_ask_for_it_and_nowhere_else() {
        let guest = Caller::guest(asks(), HERE);
        for scope in Scope::ALL {
            let files = matches!(scope, Scope::FilesRead | Scope::FilesWrite);
            assert_eq!(guest.may(Role::Viewer, scope), files, "{scope:?}");
            assert!(!guest.may(Role::Operator, scope), "{scope:?}");
        }
    }

    #[test]
    fn a_guest_is_recorded_as_whom_it_was_said_to_be_first() {
        let caller = Caller::guest(asks(), HERE);
        assert_eq!(caller.actor().as_str(), "authoriser");
        let guest = caller.as_guest().expect("a guest");
        let anna = Identity {
            name: Some("anna".to_owned()),
            account: Uuid::from_u128(1),
        };
        assert!(guest.introduce(anna.clone()));
        assert!(guest.introduce(anna.clone()));
        let bert = Identity {
            name: Some("bert".to_owned()),
            account: Uuid::from_u128(2),
        };
        assert!(!guest.introduce(bert));
        assert_eq!(caller.actor().as_str(), "authoriser:anna");
    }

    #[test]
    fn no_text_of_a_guest_shows_its_credentials() {
        let caller = Caller::guest(asks(), HERE);
        assert!(!format!("{caller:?}").contains("hunter2"));
    }
}
