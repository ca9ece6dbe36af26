//! Access decides who somebody is.

use super::{Identify, Refused};
use access::{Access, AccessError, Caller, Proof};
use async_trait::async_trait;
use secrecy::SecretString;
use std::net::IpAddr;

#[async_trait]
impl Identify for Access {
    async fn by_cookie(&self, cookie: &str, from: IpAddr) -> Result<Caller, Refused> {
        Ok(self.identify_session(cookie, from).await?)
    }

    fn csrf_matches(&self, caller: &Caller, token: &str) -> bool {
        match caller.proof() {
            Proof::Session(session) => Self::csrf_matches(self, *session, token),
            Proof::Password | Proof::Token { .. } | Proof::AccessKey { .. } | Proof::Guest(_) => {
                false
            }
        }
    }

    async fn by_basic(&self, name: &str, password: &str, from: IpAddr) -> Result<Caller, Refused> {
        let password = SecretString::from(password);
        Ok(self.identify_password(name, &password, from).await?)
    }

    async fn by_bearer(&self, token: &str, from: IpAddr) -> Result<Caller, Refused> {
        Ok(self.identify_token(token, from).await?)
    }
}

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unauthenticated => Self::Unknown,
            AccessError::Expired => Self::Expired,
            AccessError::RateLimited { retry_after } => Self::TooMany { retry_after },
            AccessError::Busy => Self::Busy,
            other => Self::Unavailable(Box::new(other)),
        }
    }
}
