//! Files by a form: `multipart/form-data`, as browsers and `curl -F` send it.
//!
//! Each file is stored by itself, all of it or nothing, while the form still comes; what
//! is refused of one is no reason to refuse the next. The answer tells of each.

mod parts;

use super::problem::{MoreThanTheQuota, SomethingElse};
use super::{domain, request};
use crate::bucket::Bucket;
use crate::expect::Expect;
use crate::file::File;
use crate::path::FilePath;
use crate::permit::{Permission, Writer};
use crate::put::NewFile;
use crate::{Error, Files};
use access::Caller;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use parts::{Form, FormError, Head};
use serde::Serialize;
use std::sync::Arc;
use web::{Admitted, Answer, By, Client, Json, Path, Problem, ProblemDocument};

/// The longest field that says something, in bytes: the longest path.
const LONGEST_FIELD: usize = FilePath::MAX;
/// The longest field that says nothing here, in bytes.
const LONGEST_OTHER: usize = 64 * 1024;

/// What became of a form.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct FormReport {
    /// The files that are there for good.
    stored: Vec<File>,
    /// What was not stored, and why.
    refused: Vec<RefusedFile>,
}

/// A file of a form that was not stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RefusedFile {
    /// The name that it came with; nothing where the form itself was at fault.
    name: String,
    /// What it alone would have been answered with.
    problem: ProblemDocument,
}

/// Put files by a form (`multipart/form-data`).
///
/// Every part with a `filename` is a file, whose path is `prefix` and that name. A field
/// `prefix` holds for the files after it; a field `path` names the whole path of the next
/// one. Each is stored by itself: all of it or nothing.
#[utoipa::path(
    post, path = "/api/v1/buckets/{bucket}/files", tag = "files",
    params(
        ("bucket" = String, Path, description = "The bucket's name."),
        ("If-Match" = Option<String>, Header, description = "What must be at each path."),
        ("If-None-Match" = Option<String>, Header, description = "What must not be there; `*` for anything."),
    ),
    request_body(content = Vec<u8>, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "All are there.", body = FormReport),
        (status = 207, description = "Some are there, and some are not.", body = FormReport),
        SomethingElse,
        (status = 413, description = "A file, a field or the number of parts is too large.", body = web::ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is no form.", body = web::ProblemDocument, content_type = "application/problem+json"),
        MoreThanTheQuota,
    )
)]
pub(super) async fn put_form(
    State(files): State<Files>,
    By(caller): By,
    Path(bucket): Path<String>,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let bucket = files.bucket(&bucket)?;
    Ok(take(&files, &bucket, &caller, admitted, &headers, body)
        .await?
        .into_response())
}

/// Put files by a form, on the host of a bucket.
#[utoipa::path(post, path = "/api/upload", responses((status = 201, description = "They are stored.")))]
pub(super) async fn upload_form(
    State(files): State<Files>,
    By(caller): By,
    client: Client,
    admitted: Admitted,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let bucket = domain::bucket(&files, &client)?;
    Ok(take(&files, &bucket, &caller, admitted, &headers, body)
        .await?
        .into_response())
}

impl IntoResponse for FormReport {
    fn into_response(self) -> Response {
        let status = if self.refused.is_empty() {
            StatusCode::CREATED
        } else {
            StatusCode::MULTI_STATUS
        };
        (status, Json(self)).into_response()
    }
}

/// Takes a form in. Where nothing of it was stored, why not.
pub(super) async fn take(
    files: &Files,
    bucket: &Arc<Bucket>,
    caller: &Caller,
    admitted: Admitted,
    headers: &HeaderMap,
    body: Body,
) -> Answer<FormReport> {
    let boundary = boundary(headers)?;
    let expect = request::expect(headers)?;
    // Whoever sends for long is no reason for others to wait.
    admitted.release();
    let silence = files.settings().silence;
    let mut taking = Taking {
        files,
        bucket,
        caller,
        expect,
        form: Form::new(&boundary, body.into_data_stream(), silence),
        prefix: String::new(),
        path: None,
        report: FormReport::default(),
        first: None,
    };
    if let Err(problem) = taking.all().await {
        taking.refuse(String::new(), problem);
    }
    let Taking { report, first, .. } = taking;
    match first {
        Some(problem) if report.stored.is_empty() => Err(problem),
        None if report.stored.is_empty() => Err(Problem::invalid(
            "file",
            "missing",
            "the form holds no file; a file is a part with a filename",
        )),
        _ => Ok(report),
    }
}

fn boundary(headers: &HeaderMap) -> Answer<String> {
    let said = headers.get(CONTENT_TYPE);
    let said = said.and_then(|value| value.to_str().ok());
    let said = said.unwrap_or_default();
    let kind = said.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Files are posted as `multipart/form-data`; to send one as it is, use PUT with its path.",
        ));
    }
    parts::boundary(said).ok_or_else(|| {
        let text = "it names no boundary, or none that can be one";
        Problem::invalid("content-type", "invalid", text)
    })
}

/// A form while it is taken in.
struct Taking<'a> {
    files: &'a Files,
    bucket: &'a Arc<Bucket>,
    caller: &'a Caller,
    expect: Expect,
    form: Form<BodyDataStream>,
    prefix: String,
    path: Option<String>,
    report: FormReport,
    /// Why the first one was refused.
    first: Option<Problem>,
}

impl Taking<'_> {
    async fn all(&mut self) -> Answer<()> {
        while let Some(head) = self.form.next_part().await? {
            match &head.filename {
                // A browser's field in which nobody chose a file.
                Some(name) if name.is_empty() => {}
                Some(name) => {
                    let name = name.clone();
                    match self.file(&head, &name).await {
                        Ok(file) => self.report.stored.push(file),
                        Err(Refusal::OfFile(problem)) => self.refuse(name, problem),
                        Err(Refusal::OfForm(error)) => {
                            self.refuse(name, error.into());
                            return Ok(());
                        }
                    }
                }
                None => self.field(&head).await?,
            }
        }
        Ok(())
    }

    fn refuse(&mut self, name: String, problem: Problem) {
        self.report.refused.push(RefusedFile {
            name,
            problem: problem.document(None),
        });
        self.first.get_or_insert(problem);
    }

    async fn field(&mut self, head: &Head) -> Answer<()> {
        let known = matches!(head.name.as_str(), "prefix" | "path");
        let longest = if known { LONGEST_FIELD } else { LONGEST_OTHER };
        let mut value = Vec::new();
        let mut length = 0;
        while let Some(piece) = self.form.chunk().await? {
            length += piece.len();
            if length > longest {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "field-too-long",
                    "A field of the form is too long; a file needs a filename.",
                ));
            }
            if known {
                value.extend_from_slice(&piece);
            }
        }
        if !known {
            return Ok(());
        }
        let value = String::from_utf8(value).map_err(|_| {
            Problem::invalid(head.name.clone(), "invalid", "this field is no UTF-8")
        })?;
        if head.name == "prefix" {
            self.prefix = value;
        } else {
            self.path = Some(value);
        }
        Ok(())
    }

    async fn file(&mut self, head: &Head, name: &str) -> Result<File, Refusal> {
        let path = self.place(name)?;
        self.files
            .permit(
                Some(self.caller),
                self.bucket,
                path.as_str(),
                Permission::Write,
            )
            .await?;
        let new = NewFile {
            media_type: head.media_type.clone(),
            expect: self.expect.clone(),
            ..NewFile::at(path)
        };
        let by = Writer::from(self.caller);
        let mut incoming = self.files.put(self.bucket, by, new).await?;
        while let Some(piece) = self.form.chunk().await? {
            incoming.write(piece).await?;
        }
        Ok(incoming.finish().await?)
    }

    /// The path of the next file: as was said, or by its name.
    fn place(&mut self, name: &str) -> Result<FilePath, Error> {
        if let Some(path) = self.path.take() {
            return Ok(path.parse()?);
        }
        // A name of another machine's file system is no path here.
        if name.contains('\\') || name.starts_with('/') {
            return Err(Error::FileName);
        }
        // Each is one by itself: a prefix cannot take dots of a name in.
        name.parse::<FilePath>()?;
        Ok(format!("{}{name}", self.prefix).parse()?)
    }
}

/// Why a file was not stored.
enum Refusal {
    /// It alone is refused.
    OfFile(Problem),
    /// Nothing more of the form can be read.
    OfForm(FormError),
}

impl From<FormError> for Refusal {
    fn from(error: FormError) -> Self {
        Self::OfForm(error)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::OfFile(error.into())
    }
}

impl From<FormError> for Problem {
    fn from(error: FormError) -> Self {
        let text = crate::error::sentence(&error.to_string());
        match error {
            FormError::Broken => Self::new(StatusCode::BAD_REQUEST, "body-incomplete", text),
            FormError::Silent => Self::request_timeout(),
            FormError::Malformed(_) => Self::new(StatusCode::BAD_REQUEST, "invalid-form", text),
            FormError::TooMany => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-parts", text),
        }
    }
}
