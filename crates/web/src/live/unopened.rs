//! Why sockets did not open: of each caller, which headers did not arrive with the last
//! request for one. A browser does not tell its page what became of that request, so who
//! polls instead is told by the server.

use access::{Caller, Proof};
use base::UserId;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many callers are remembered, those who asked last.
const MOST: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unopened(Mutex<VecDeque<Noted>>);

#[derive(Debug)]
struct Noted {
    user: UserId,
    proof: Proof,
    missing: Vec<&'static str>,
}

impl Unopened {
    /// What `caller`'s newest request for a socket lacked; nothing, where it was whole.
    pub(super) fn note(&self, caller: &Caller, missing: &[&'static str]) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|one| !one.is_of(caller));
        if missing.is_empty() {
            return;
        }
        if noted.len() == MOST {
            noted.pop_front();
        }
        noted.push_back(Noted {
            user: caller.user(),
            proof: caller.proof().clone(),
            missing: missing.to_vec(),
        });
    }

    /// What was noted of `caller`.
    pub(super) fn missing(&self, caller: &Caller) -> Vec<&'static str> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = noted.iter().find(|one| one.is_of(caller));
        one.map(|one| one.missing.clone()).unwrap_or_default()
    }
}

impl Noted {
    fn is_of(&self, caller: &Caller) -> bool {
        self.user == caller.user() && self.proof == *caller.proof()
    }
}
