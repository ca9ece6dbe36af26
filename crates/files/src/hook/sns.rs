//! What SNS sends: how it asks whether it may send events, and how it signs.
//!
//! Who knows the secret of a hook could make up any message, so an address in one is
//! asked only where it is one of SNS: over https, at a host of that service; and what says
//! that it is of SNS has to bear its signature ([`signature`]).

#[cfg(test)]
pub(super) mod samples;
mod signature;

pub(crate) use signature::{Certificates, Signed};

use std::fmt;
use url::Url;

/// An address of SNS that confirms a subscription. It holds the token that does so, and
/// is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SubscribeUrl(String);

impl SubscribeUrl {
    /// Nothing where it is an address of somebody else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let url = address_of_sns(text)?;
        let asked = url.path() == "/"
            && url
                .query_pairs()
                .any(|(name, value)| name == "Action" && value == "ConfirmSubscription");
        asked.then(|| Self(url.into()))
    }

    /// The address itself, for sending.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SubscribeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubscribeUrl")
    }
}

/// An address at a host of SNS, over https and without anything odd.
fn address_of_sns(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.fragment().is_none();
    let here = url.scheme() == "https" && url.host_str().is_some_and(is_sns);
    (plain && here).then_some(url)
}

/// `sns.<region>.amazonaws.com`, or the same in China.
fn is_sns(host: &str) -> bool {
    let service = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"));
    let Some(region) = service.and_then(|service| service.strip_prefix("sns.")) else {
        return false;
    };
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !region.is_empty() && region.bytes().all(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_confirmed_at_sns_and_nowhere_else() {
        const ASK: &str = "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:x&Token=2336";
        for host in [
            "https://sns.eu-central-1.amazonaws.com",
            "https://sns.us-gov-west-1.amazonaws.com",
            "https://sns.cn-north-1.amazonaws.com.cn",
            "https://SNS.us-east-1.amazonaws.com:443",
        ] {
            let url = format!("{host}{ASK}");
            assert!(SubscribeUrl::read(&url).is_some(), "{url}");
        }
        for host in [
            "http://sns.eu-central-1.amazonaws.com",
            "https://sns.eu-central-1.amazonaws.com:8443",
            "https://sns.eu-central-1.amazonaws.com.example.org",
            "https://example.org/sns.eu-central-1.amazonaws.com",
            "https://sns.evil.example.amazonaws.com",
            "https://sns.amazonaws.com",
            "https://sns..amazonaws.com",
            "https://xsns.eu-central-1.amazonaws.com",
            "https://s3.eu-central-1.amazonaws.com",
            "https://bucket.s3.amazonaws.com",
            "https://sns.eu-central-1.amazonaws.com@example.org",
            "https://example.org@sns.eu-central-1.amazonaws.com",
            "https://sns.eu-central-1.amazonaws.com.",
            "https://169.254.169.254",
            "nonsense",
        ] {
            let url = format!("{host}{ASK}");
            assert_eq!(SubscribeUrl::read(&url), None, "{url}");
        }
        for rest in [
            "",
            "/",
            "/?Action=Publish",
            "/other?Action=ConfirmSubscription",
        ] {
            let url = format!("https://sns.eu-central-1.amazonaws.com{rest}");
            assert_eq!(SubscribeUrl::read(&url), None, "{url}");
        }
    }
}
