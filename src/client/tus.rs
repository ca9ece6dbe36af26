//! Uploads that go on where they broke off, by tus 1.0
//! (<https://tus.io/protocols/resumable-upload>).

use super::{Client, Error, Remote, Result, Way};
use data_encoding::BASE64;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode};

/// An upload that has begun: its address on the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Begun(String);

impl Begun {
    /// Its id.
    pub(crate) fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The upload of this id, where it can be one's.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let usable = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        usable.then(|| Self(format!("/tus/{id}")))
    }
}

impl Client {
    fn tus(&self, method: Method, path: &str) -> RequestBuilder {
        // Bodies may flow for long, so who sends one watches over it.
        let client = match method {
            Method::PATCH => &self.uploads,
            _ => &self.api,
        };
        self.request(client, method, path)
            .header("Tus-Resumable", "1.0.0")
    }

    /// Begins an upload of a known length; nothing where the server speaks no tus.
    pub(crate) async fn begin_upload(
        &self,
        to: &Remote,
        way: Way,
        length: u64,
    ) -> Result<Option<Begun>> {
        let pair = |key: &str, value: &str| format!("{key} {}", BASE64.encode(value.as_bytes()));
        let (bucket, path) = (to.bucket.as_str(), to.path.as_str());
        let metadata = format!("{},{}", pair("bucket", bucket), pair("path", path));
        let request = self
            .tus(Method::POST, "/tus")
            .headers(way.headers())
            .header(CONTENT_LENGTH, 0)
            .header("Upload-Length", length)
            .header("Upload-Metadata", metadata);
        let response = match self.answer(request).await {
            Ok(response) => response,
            Err(error) if is_no_route(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let begun = response
            .headers()
            .get(LOCATION)
            .and_then(|location| location.to_str().ok()?.rsplit('/').next())
            // Whatever host it names, the token goes to this server alone.
            .and_then(Begun::of_id)
            .ok_or_else(|| self.stranger("an upload without an address"))?;
        Ok(Some(begun))
    }

    /// How far an upload has come; nothing where there is none any more.
    pub(crate) async fn upload_offset(&self, upload: &Begun) -> Result<Option<u64>> {
        let request = self.tus(Method::HEAD, &upload.0);
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok(None);
        }
        let response = self.accept(response).await?;
        self.offset(&response).map(Some)
    }

    /// Sends what comes from a byte on; where the upload stands then.
    pub(crate) async fn append(
        &self,
        upload: &Begun,
        offset: u64,
        length: u64,
        body: Body,
    ) -> Result<u64> {
        let request = self
            .tus(Method::PATCH, &upload.0)
            .header("Upload-Offset", offset)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header(CONTENT_LENGTH, length);
        let response = self.answer(request.body(body)).await?;
        self.offset(&response)
    }

    /// Takes an upload back, with what came of it.
    pub(crate) async fn end_upload(&self, upload: &Begun) -> Result<()> {
        let request = self.tus(Method::DELETE, &upload.0);
        self.answer(request).await.map(drop)
    }

    fn offset(&self, response: &Response) -> Result<u64> {
        let offset = response.headers().get("Upload-Offset");
        offset
            .and_then(|offset| offset.to_str().ok()?.parse().ok())
            .ok_or_else(|| self.stranger("an upload that stands nowhere"))
    }
}

fn is_no_route(error: &Error) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
    )
}
