//! Outbound HTTP: the one guarded client.
//!
//! Longshore fetches what people ask it to, from wherever they say, so everything that
//! leaves the machine goes through here. [`Client::check`] turns text into a
//! [`CheckedUrl`]; [`Client::get`] fetches one, under the [`Policy`] (who may be asked)
//! and the [`Limits`] (how much, how long, how often); [`Client::upload`] sends a body that
//! comes while it is sent.
//!
//! What holds, whatever a URL, a name server or a server says:
//!
//! - A socket is opened only to an address that the policy admitted a moment before,
//!   from the one look-up of that connection; literals and redirects are no exception.
//! - No proxy is taken from the environment.
//! - A caller's headers go to the origin they were given for and nowhere else.
//! - Nothing waits without a limit, and every wait ends with the caller's token.
//! - A body that broke off is an error, never an end.
//! - No error and no log line holds credentials, queries or header values.

mod address;
mod body;
mod builder;
mod client;
mod connect;
mod decode;
mod error;
mod gate;
mod headers;
mod limits;
mod policy;
pub mod properties;
mod range;
mod redirect;
mod request;
mod resolve;
mod response;
mod retry;
mod streamed;
mod url;
mod wire;

pub use address::{AddressClass, classify, nat64_inner};
pub use builder::ClientBuilder;
pub use client::Client;
pub use connect::{Dial, Roots, TcpDialer};
pub use error::{FetchError, Refused};
pub use headers::ExtraHeaders;
pub use limits::{Limits, RetryLimits};
pub use policy::{InvalidNetwork, Policy, PortPolicy, parse_networks};
pub use range::Validator;
pub use request::{Request, USER_AGENT};
pub use resolve::{Resolve, ResolveError, SystemResolver};
pub use response::{Response, Resumed};
pub use streamed::Streamed;
pub use url::{CheckedUrl, HostKey, MAX_URL_BYTES, for_log};
pub use wire::READ_AHEAD;
