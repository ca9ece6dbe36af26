//! What the endpoint is asked.
//!
//! The names that API Gateway's events for authorisers of the kind `REQUEST` have
//! (`methodArn`, `httpMethod`, `headers`, `requestContext`) stand beside our own, so that
//! a function written for those finds what it looks for.

use crate::permit::Permission;
use access::Asks;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use std::net::IpAddr;

/// A question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) asks: &'a Asks,
    pub(crate) address: IpAddr,
    pub(crate) bucket: &'a str,
    /// The path of the file, or what paths begin with.
    pub(crate) file: &'a str,
    pub(crate) permission: Permission,
}

#[derive(Serialize)]
struct Credentials<'a> {
    /// The scheme in lower case: `basic`, `bearer`.
    scheme: String,
    /// What stands after it.
    token: &'a str,
    /// The header as it came.
    authorization: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    source_ip: IpAddr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    http_method: &'a str,
    path: &'a str,
    identity: Identity,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    query: &'a [String],
    address: IpAddr,
    credentials: Option<Credentials<'a>>,
    bucket: &'a str,
    file: &'a str,
    permission: Permission,
    headers: Map<String, Value>,
    #[serde(rename = "methodArn")]
    method_arn: String,
    #[serde(rename = "httpMethod")]
    http_method: &'a str,
    #[serde(rename = "requestContext")]
    request_context: Context<'a>,
}

impl Question<'_> {
    /// Whether credentials came along.
    pub(crate) const fn has_credentials(&self) -> bool {
        self.asks.authorization.is_some()
    }

    /// What policies are about: `arn:aws:execute-api:local:0:longshore/BUCKET/GET/PATH`.
    pub(crate) fn arn(&self) -> String {
        format!(
            "arn:aws:execute-api:local:000000000000:longshore/{}/{}/{}",
            self.bucket,
            self.asks.method,
            self.asks.path.trim_start_matches('/')
        )
    }

    /// As it is sent.
    pub(crate) fn encoded(&self) -> Bytes {
        let asks = self.asks;
        let authorization = asks.authorization.as_deref();
        let credentials = authorization.map(|authorization| {
            let (scheme, token) = authorization
                .trim()
                .split_once(' ')
                .unwrap_or(("", authorization));
            Credentials {
                scheme: scheme.to_ascii_lowercase(),
                token: token.trim(),
                authorization,
            }
        });
        let named = |(name, value): &(String, String)| (name.clone(), Value::from(value.as_str()));
        let mut headers: Map<String, Value> = asks.headers.iter().map(named).collect();
        headers.insert("host".to_owned(), asks.host.as_str().into());
        if let Some(authorization) = authorization {
            headers.insert("authorization".to_owned(), authorization.into());
        }
        let body = Body {
            kind: "REQUEST",
            method: &asks.method,
            host: &asks.host,
            path: &asks.path,
            query: &asks.query,
            address: self.address,
            credentials,
            bucket: self.bucket,
            file: self.file,
            permission: self.permission,
            headers,
            method_arn: self.arn(),
            http_method: &asks.method,
            request_context: Context {
                http_method: &asks.method,
                path: &asks.path,
                identity: Identity {
                    source_ip: self.address,
                },
            },
        };
        // These types hold nothing that JSON cannot.
        serde_json::to_vec(&body).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::Ipv4Addr;

    #[test]
    fn a_question_says_all_that_a_decision_needs() {
        let asks = Asks {
            method: "GET".to_owned(),
            host: "files.localhost".to_owned(),
            path: "/covers/a%20b.jpg".to_owned(),
            query: vec!["download".to_owned()],
            authorization: Some("Bearer eyJhbGci".to_owned()),
            headers: vec![("x-api-key".to_owned(), "k".to_owned())],
        };
        let question = Question {
            asks: &asks,
            address: Ipv4Addr::new(203, 0, 113, 9).into(),
            bucket: "files",
            file: "covers/a b.jpg",
            permission: Permission::Read,
        };
        let said: Value = serde_json::from_slice(&question.encoded()).expect("JSON");
        assert_eq!(
            said,
            json!({
                "type": "REQUEST",
                "method": "GET",
                "host": "files.localhost",
                "path": "/covers/a%20b.jpg",
                "query": ["download"],
                "address": "203.0.113.9",
                "credentials": {
                    "scheme": "bearer", "token": "eyJhbGci", "authorization": "Bearer eyJhbGci",
                },
                "bucket": "files",
                "file": "covers/a b.jpg",
                "permission": "read",
                "headers": {
                    "x-api-key": "k", "host": "files.localhost", "authorization": "Bearer eyJhbGci",
                },
                "methodArn": "arn:aws:execute-api:local:000000000000:longshore/files/GET/covers/a%20b.jpg",
                "httpMethod": "GET",
                "requestContext": {
                    "httpMethod": "GET",
                    "path": "/covers/a%20b.jpg",
                    "identity": { "sourceIp": "203.0.113.9" },
                },
            })
        );
    }
}
