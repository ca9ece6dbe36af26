//! Messages as SNS sends them, signed by the key of a certificate in the place of its own;
//! made with openssl.

pub(crate) const CERTIFICATE: &str = include_str!("samples/certificate.pem");
pub(crate) const CONFIRMATION: &str = include_str!("samples/confirmation.json");
/// Of the first version of the signature, and of the second.
pub(crate) const OF_VERSION_1: &str = include_str!("samples/notification-1.json");
pub(crate) const OF_VERSION_2: &str = include_str!("samples/notification-2.json");
