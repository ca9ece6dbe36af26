//! What goes wrong, as S3 says it: a word that clients know, a status, and a sentence.

use crate::error::sentence;
use crate::{Error, WrongPart};
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode, s3_error};
use web::RequestId;

/// What a verb answers, or why it does not.
pub(super) type Fault<T> = Result<T, S3Error>;

impl From<Error> for S3Error {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let code = match &error {
            Error::NoBucket(_) => S3ErrorCode::NoSuchBucket,
            Error::NoFile(_) => S3ErrorCode::NoSuchKey,
            Error::NothingToRestore | Error::NoGrant | Error::NoShare => S3ErrorCode::NoSuchVersion,
            Error::NoParted => S3ErrorCode::NoSuchUpload,
            Error::BucketExists(_) => S3ErrorCode::BucketAlreadyExists,
            Error::BucketName => S3ErrorCode::InvalidBucketName,
            Error::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            Error::BucketHolds => S3ErrorCode::InvalidBucketState,
            Error::Path(crate::InvalidPath::Long(_)) => S3ErrorCode::KeyTooLongError,
            Error::Path(_)
            | Error::Address(_)
            | Error::Hidden
            | Error::Header(_)
            | Error::Host(_)
            | Error::HostTaken(_)
            | Error::FileName
            | Error::Setting(_) => S3ErrorCode::InvalidArgument,
            Error::Precondition => S3ErrorCode::PreconditionFailed,
            Error::Forbidden { .. }
            | Error::Anonymous
            | Error::Undecided
            | Error::Held
            | Error::Link(_) => S3ErrorCode::AccessDenied,
            Error::ShareOver | Error::ShareLocked | Error::NoZips => S3ErrorCode::AccessDenied,
            Error::TooLarge { .. } => S3ErrorCode::EntityTooLarge,
            Error::Content("it is longer" | "it is shorter") => S3ErrorCode::IncompleteBody,
            Error::Content(_) => S3ErrorCode::BadDigest,
            Error::Metadata => S3ErrorCode::MetadataTooLarge,
            Error::Tags => S3ErrorCode::InvalidTag,
            Error::WrongPart(WrongPart::Order) => S3ErrorCode::InvalidPartOrder,
            Error::WrongPart(WrongPart::Small(_)) => S3ErrorCode::EntityTooSmall,
            Error::WrongPart(WrongPart::None) => S3ErrorCode::MalformedXML,
            Error::WrongPart(WrongPart::Number) => S3ErrorCode::InvalidArgument,
            Error::WrongPart(WrongPart::Missing(_)) => S3ErrorCode::InvalidPart,
            // Of that S3 has no word of its own.
            Error::WrongPart(WrongPart::Size { .. }) | Error::TooManyUploads { .. } => {
                S3ErrorCode::InvalidRequest
            }
            // Of hooks and resumable uploads, which no verb of S3 touches.
            Error::Hook(_)
            | Error::NoUpload
            | Error::UploadExpired
            | Error::Offset { .. }
            | Error::UploadLength
            | Error::BeyondLength { .. }
            | Error::UploadBusy
            | Error::Checksum
            | Error::ChecksumText
            | Error::Broken
            | Error::Silent
            | Error::JoinedUpload
            | Error::Unjoinable
            | Error::UploadDone => S3ErrorCode::InvalidRequest,
            // S3 has no quotas; a status that clients do not try again at.
            Error::Quota { .. } => {
                let mut error = Self::with_message(
                    S3ErrorCode::Custom("QuotaExceeded".into()),
                    sentence(&text),
                );
                error.set_status_code(StatusCode::FORBIDDEN);
                return error;
            }
            Error::Access(_) | Error::Operations(_) | Error::Storage(_) | Error::Store(_) => {
                return internal(&error);
            }
        };
        Self::with_message(code, sentence(&text))
    }
}

/// A mistake or a failure of ours: the log has it, the client a status at which it tries
/// again.
pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> S3Error {
    tracing::error!(error, "a request failed");
    s3_error!(
        InternalError,
        "Something went wrong here; the log of the server says what."
    )
}

/// An error as an answer.
pub(super) fn rendered(mut error: S3Error, id: Option<&RequestId>) -> Response {
    if let Some(id) = id {
        error.set_request_id(id.as_str());
    }
    if *error.code() == S3ErrorCode::AuthorizationHeaderMalformed {
        return with_region(&error);
    }
    match error.to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

/// An error that says for which region to sign: the library has no place for it.
fn with_region(error: &S3Error) -> Response {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message>\
         <Region>{}</Region><RequestId>{}</RequestId></Error>",
        error.code().as_str(),
        error.message().unwrap_or_default(),
        super::REGION,
        error.request_id().unwrap_or_default(),
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let xml = HeaderValue::from_static("application/xml");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, xml);
    response
}
