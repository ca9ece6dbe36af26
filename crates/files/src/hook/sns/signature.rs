//! The signature of a message of SNS.
//!
//! SNS signs a text that is made of some fields in a fixed order, with the key of a
//! certificate that it gives over https at its own host. Which host that is, is all that
//! makes the certificate one of SNS: docs/decisions/0018 says why that is enough.

use super::address_of_sns;
use crate::Files;
use crate::hook::{CONFIRMING, HookError};
use data_encoding::BASE64;
use fetch::ExtraHeaders;
use moka::sync::Cache;
use pki_types::pem::PemObject;
use pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use serde::Deserialize;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use webpki::EndEntityCert;

/// The longest certificate in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// How many certificates are remembered, and for how long: there is one a region.
const MOST: u64 = 64;
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Certificates by their addresses.
#[derive(Debug)]
pub(crate) struct Certificates(Cache<String, CertificateDer<'static>>);

impl Default for Certificates {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST)
                .time_to_live(REMEMBERED)
                .build(),
        )
    }
}

/// A message that says that it is of SNS: what is signed of it, and how.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Signed {
    r#type: String,
    message: Option<String>,
    message_id: Option<String>,
    subject: Option<String>,
    timestamp: Option<String>,
    token: Option<String>,
    topic_arn: Option<String>,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    signature_version: Option<String>,
    signature: Option<String>,
    #[serde(rename = "SigningCertURL")]
    certificate: Option<String>,
}

impl Signed {
    /// Nothing where it is a message of another kind: SNS with raw delivery, a store itself.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The text that is signed.
    fn text(&self) -> Option<String> {
        let first = [("Message", &self.message), ("MessageId", &self.message_id)];
        let last = ("TopicArn", &self.topic_arn);
        let of_kind: &[(&str, &Option<String>)] = match self.r#type.as_str() {
            // The only one that may be absent.
            "Notification" if self.subject.is_none() => &[("Timestamp", &self.timestamp)],
            "Notification" => &[("Subject", &self.subject), ("Timestamp", &self.timestamp)],
            "SubscriptionConfirmation" | "UnsubscribeConfirmation" => &[
                ("SubscribeURL", &self.subscribe_url),
                ("Timestamp", &self.timestamp),
                ("Token", &self.token),
            ],
            _ => return None,
        };
        let mut text = String::new();
        for (name, value) in first.iter().chain(of_kind).chain([&last]) {
            text.push_str(&format!("{name}\n{}\n", value.as_ref()?));
        }
        text.push_str(&format!("Type\n{}\n", self.r#type));
        Some(text)
    }

    /// Whether the key of this certificate has signed it.
    fn is_signed_by(&self, certificate: &CertificateDer<'_>) -> Result<(), &'static str> {
        let algorithm = match self.signature_version.as_deref() {
            Some("1") => &SHA_1,
            Some("2") => &SHA_256,
            _ => return Err("its version is neither 1 nor 2"),
        };
        let text = self.text().ok_or("a field that is signed is missing")?;
        let signature = self.signature.as_deref().unwrap_or_default();
        let signature = BASE64.decode(signature.as_bytes());
        let signature = signature.map_err(|_| "it is not written in Base64")?;
        let certificate = EndEntityCert::try_from(certificate);
        let certificate = certificate.map_err(|_| "its certificate cannot be read")?;
        certificate
            .verify_signature(algorithm, text.as_bytes(), &signature)
            .map_err(|_| "it is of another message or of another key")
    }
}

impl Files {
    /// Looks whether SNS has signed a message.
    ///
    /// # Errors
    /// [`HookError::Unsigned`]; [`HookError::Unverified`] where the certificate cannot be
    /// had.
    pub(crate) async fn is_of_sns(&self, signed: &Signed) -> Result<(), HookError> {
        let address = signed.certificate.as_deref().and_then(address_of_sns);
        // A query would give one certificate as many names as anybody likes.
        let address = address.filter(|url| url.path().ends_with(".pem") && url.query().is_none());
        let address = address.ok_or(HookError::Unsigned(
            "its certificate is not at https://sns.<region>.amazonaws.com",
        ))?;
        let certificate = self.certificate(address.as_str()).await?;
        signed
            .is_signed_by(&certificate)
            .map_err(HookError::Unsigned)
    }

    async fn certificate(&self, address: &str) -> Result<CertificateDer<'static>, HookError> {
        let known = &self.certificates().0;
        if let Some(certificate) = known.get(address) {
            return Ok(certificate);
        }
        let fetching = self.fetch_certificate(address);
        let fetched = tokio::time::timeout(CONFIRMING, fetching).await;
        let fetched = fetched.unwrap_or_else(|_| Err("it did not come in time".to_owned()));
        let certificate = fetched.map_err(HookError::Unverified)?;
        known.insert(address.to_owned(), certificate.clone());
        Ok(certificate)
    }

    async fn fetch_certificate(&self, address: &str) -> Result<CertificateDer<'static>, String> {
        let client = self.client();
        let url = client
            .check(address)
            .map_err(|refused| refused.to_string())?;
        let cancel = CancellationToken::new();
        // Elsewhere, it would be anybody's.
        let request = fetch::Request::get(url).headers(ExtraHeaders::none());
        let answer = client.send(request.without_redirects(), &cancel).await;
        let mut answer = answer.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("SNS answered {}", answer.status()));
        }
        let pem = answer.read_all(MOST_BYTES).await;
        let pem = pem.map_err(|error| error.to_string())?;
        CertificateDer::from_pem_slice(&pem).map_err(|_| "it is none in PEM".to_owned())
    }
}

/// RSA with PKCS #1 v1.5, over one digest or another. Version 1 of the signature is with
/// SHA-1, and still what a topic has unless it is told otherwise.
#[derive(Debug)]
struct Rsa {
    parameters: &'static RsaParameters,
    /// As certificates name it.
    id: AlgorithmIdentifier,
}

static SHA_1: Rsa = Rsa {
    parameters: &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
    // 1.2.840.113549.1.1.5 with NULL: sha1WithRSAEncryption.
    id: AlgorithmIdentifier::from_slice(&[
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00,
    ]),
};

static SHA_256: Rsa = Rsa {
    parameters: &RSA_PKCS1_2048_8192_SHA256,
    id: alg_id::RSA_PKCS1_SHA256,
};

impl SignatureVerificationAlgorithm for Rsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.parameters, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.id
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use serde_json::{Value, json};

    fn judged(message: &Value) -> Result<(), &'static str> {
        let certificate = CertificateDer::from_pem_slice(samples::CERTIFICATE.as_bytes());
        let signed = Signed::read(message.to_string().as_bytes()).expect("it says so");
        signed.is_signed_by(&certificate.expect("a certificate"))
    }

    fn read(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn what_sns_signed_is_known_as_such_in_both_versions() {
        for text in [
            samples::CONFIRMATION,
            samples::OF_VERSION_1,
            samples::OF_VERSION_2,
        ] {
            assert_eq!(judged(&read(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_signed_can_be_changed() {
        for (text, fields) in [
            (
                samples::OF_VERSION_1,
                &["Message", "MessageId", "Subject", "Timestamp", "TopicArn"][..],
            ),
            (samples::OF_VERSION_2, &["Message", "Subject", "TopicArn"]),
            (
                samples::CONFIRMATION,
                &["Message", "SubscribeURL", "Token", "TopicArn"],
            ),
        ] {
            for field in fields {
                let mut changed = read(text);
                changed[*field] = json!("another");
                judged(&changed).expect_err(field);
                let mut without = read(text);
                without.as_object_mut().expect("an object").remove(*field);
                judged(&without).expect_err(field);
            }
            for (field, value) in [
                ("Type", "UnsubscribeConfirmation"),
                ("Signature", "EXAMPLE=="),
                ("Signature", ""),
                ("SignatureVersion", "3"),
            ] {
                let mut changed = read(text);
                changed[field] = json!(value);
                judged(&changed).expect_err(field);
            }
        }
        // The digest of one version is not that of the other.
        let mut changed = read(samples::OF_VERSION_1);
        changed["SignatureVersion"] = json!("2");
        judged(&changed).expect_err("another digest");
    }

    #[test]
    fn no_more_certificates_are_remembered_than_there_is_room_for() {
        let Certificates(known) = Certificates::default();
        for number in 0..4 * MOST {
            let address = format!("https://sns.region-{number}.amazonaws.com/a.pem");
            known.insert(address, CertificateDer::from(vec![0; MOST_BYTES]));
        }
        known.run_pending_tasks();
        let count = known.entry_count();
        assert!((1..=MOST).contains(&count), "{count}");
    }

    #[test]
    fn what_is_not_of_sns_says_nothing_of_a_signature() {
        for text in ["", "[]", "{}", r#"{"Records":[]}"#, r#"{"Type":7}"#] {
            assert!(Signed::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
