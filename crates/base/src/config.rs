//! The configuration: command line over environment over file over defaults,
//! every value of it in a type that carries its rules.
//!
//! Texts come in, values go out: nothing here reads a file or the environment.
//! No message, `Debug` or `Display` of it shows the database's password.

mod address;
mod declare;
mod document;
mod domain;
mod endpoint;
mod error;
mod kinds;
mod listen;
mod load;
mod log;
mod mail;
mod nearest;
mod reload;
mod settings;
mod value;

pub use address::{
    CacheUrl, DatabaseUrl, InvalidCacheUrl, InvalidDatabaseUrl, InvalidPublicUrl, PublicUrl,
};
pub use declare::Setting;
pub use document::reference;
pub use domain::{Domain, InvalidDomain};
pub use endpoint::{ConfiguredSecret, EndpointUrl, InvalidEndpointUrl, InvalidSecret};
pub use error::{ConfigError, UnknownVariable};
pub use listen::{InvalidListen, Listen};
pub use load::{Loaded, Overrides};
pub use log::{InvalidLogFilter, InvalidLogFormat, LogFilter, LogFormat};
pub use mail::{
    InvalidMailSender, InvalidMailServer, InvalidMailUser, MailEncryption, MailSender, MailServer,
    MailUser,
};
pub use reload::Changes;
pub use settings::{
    Access, Bundles, Config, Fetch, Http, Keep, Log, Mail, Metrics, Operations, Retention, Storage,
};
pub use value::PerKind;

impl Config {
    /// The console's address for people: `public_url`, or else where it listens,
    /// as seen from this machine.
    #[must_use]
    pub fn console_url(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.origin().to_owned();
        }
        let mut address = self.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("http://{address}")
    }
}

#[cfg(test)]
mod tests;
