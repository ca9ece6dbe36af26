//! What goes wrong with files, as HTTP says it.

use crate::Error;
use crate::error::sentence;
use crate::hook::HookError;
use crate::presign::LinkError;
use http::StatusCode;
use web::{Problem, ProblemDocument};

/// What a write is answered whose condition does not hold.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 412,
    description = "Something else is there.",
    content_type = "application/problem+json"
)]
pub(super) struct SomethingElse(
    #[allow(dead_code, reason = "it stands in the description of the API alone")] ProblemDocument,
);

/// What is answered to more than may be held.
#[derive(utoipa::IntoResponses)]
#[response(
    status = 507,
    description = "It is more than the quota allows.",
    content_type = "application/problem+json"
)]
pub(super) struct MoreThanTheQuota(
    #[allow(dead_code, reason = "it stands in the description of the API alone")] ProblemDocument,
);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NoBucket(_) => Self::not_found("bucket"),
            Error::NoFile(_) => Self::not_found("file"),
            Error::NothingToRestore => Self::not_found("deleted file or version"),
            Error::BucketExists(_)
            | Error::HostTaken(_)
            | Error::BucketNotEmpty
            | Error::BucketHolds => Self::conflict(sentence(&text)),
            Error::BucketName => Self::invalid("name", "invalid", text),
            Error::Host(_) => Self::invalid("hosts", "invalid", text),
            Error::Setting(_) => Self::invalid("settings", "invalid", text),
            Error::Address(_) => Self::invalid("url", "refused", text),
            Error::Path(_) => Self::invalid("path", "invalid", text),
            Error::Hidden => Self::invalid("path", "reserved", text),
            Error::Store(_) => Self::invalid("storage", "unusable", text),
            Error::FileName => Self::invalid("filename", "invalid", text),
            Error::Metadata => Self::invalid("metadata", "invalid", text),
            Error::Tags => Self::invalid("tags", "invalid", text),
            Error::NoParted => Self::not_found("upload"),
            Error::WrongPart(_) => Self::invalid("parts", "invalid", text),
            Error::Header(name) => Self::invalid(name, "invalid", text),
            Error::Precondition => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                sentence(&text),
            ),
            Error::Forbidden { .. } => Self::forbidden(sentence(&text)),
            Error::Undecided => Self::new(
                StatusCode::FORBIDDEN,
                "authoriser-unavailable",
                sentence(&text),
            ),
            Error::Held => Self::forbidden(sentence(&text)),
            Error::NoGrant => Self::not_found("grant"),
            Error::NoShare => Self::not_found("share"),
            Error::ShareOver => Self::new(StatusCode::GONE, "share-over", sentence(&text)),
            Error::ShareLocked => Self::new(StatusCode::FORBIDDEN, "share-locked", sentence(&text)),
            Error::NoZips => Self::unprocessable("no-archives", sentence(&text)),
            Error::Link(error) => link(&error),
            Error::Anonymous => Self::unauthenticated(),
            Error::Quota { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "quota-exceeded",
                sentence(&text),
            ),
            Error::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload-too-large",
                sentence(&text),
            ),
            Error::Content(_) => {
                Self::new(StatusCode::BAD_REQUEST, "content-mismatch", sentence(&text))
            }
            Error::NoUpload => Self::not_found("upload"),
            Error::UploadExpired => Self::new(StatusCode::GONE, "upload-expired", sentence(&text)),
            Error::Offset { .. } => {
                Self::new(StatusCode::CONFLICT, "offset-mismatch", sentence(&text))
            }
            Error::UploadLength => Self::invalid("upload-length", "invalid", text),
            Error::BeyondLength { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "beyond-length",
                sentence(&text),
            ),
            Error::UploadBusy => Self::new(StatusCode::LOCKED, "upload-busy", sentence(&text)),
            Error::Checksum => Self::new(checksum_mismatch(), "checksum-mismatch", sentence(&text)),
            Error::ChecksumText => Self::invalid("upload-checksum", "invalid", text),
            Error::Broken => Self::new(StatusCode::BAD_REQUEST, "body-incomplete", sentence(&text)),
            Error::Silent => Self::request_timeout(),
            Error::JoinedUpload => {
                Self::new(StatusCode::FORBIDDEN, "joined-upload", sentence(&text))
            }
            Error::Unjoinable => Self::invalid("upload-concat", "invalid", text),
            Error::UploadDone => Self::conflict(sentence(&text)),
            Error::TooManyUploads { .. } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-uploads",
                sentence(&text),
            ),
            Error::Hook(error) => hook(&error),
            Error::Access(error) => error.into(),
            Error::Operations(error) => error.into(),
            Error::Storage(error) => error.into(),
        }
    }
}

/// 460, which tus alone has.
fn checksum_mismatch() -> StatusCode {
    StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST)
}

fn hook(error: &HookError) -> Problem {
    let text = sentence(&error.to_string());
    match error {
        HookError::Closed => Problem::new(StatusCode::FORBIDDEN, "no-hook", text),
        HookError::NoEvent(_) => Problem::new(StatusCode::BAD_REQUEST, "no-event", text),
        HookError::Unsigned(_) => Problem::new(StatusCode::FORBIDDEN, "not-signed", text),
        HookError::Unverified(_) => Problem::new(StatusCode::BAD_GATEWAY, "unverified", text),
        HookError::Unconfirmed(_) => Problem::new(StatusCode::BAD_GATEWAY, "unconfirmed", text),
        HookError::OnDisk(_) => Problem::unprocessable("bucket-on-disk", text),
    }
}

fn link(error: &LinkError) -> Problem {
    let text = sentence(&error.to_string());
    let code = match error {
        LinkError::Unknown(name) => return Problem::invalid(name.clone(), "unknown", text),
        LinkError::Invalid | LinkError::Revoked => "link-invalid",
        LinkError::Expired => "link-expired",
        LinkError::Used => "link-used",
        LinkError::Length(_) | LinkError::Type(_) => "link-mismatch",
    };
    Problem::new(StatusCode::FORBIDDEN, code, text)
}
