//! What every operation in the API's description gets without being asked: how one
//! proves who one is, and the problems that the toolkit itself can answer.

use super::{BodyLimit, Requirement, RouteLimits};
use crate::problem::PROBLEM_JSON;
use http::Method;
use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, Content, Header, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
    SecurityRequirement, Type,
};

const SESSION: &str = "session";
const PASSWORD: &str = "password";
const TOKEN: &str = "token";

/// The problems of the toolkit: status, name among the components, meaning.
const PROBLEMS: [(u16, &str, &str); 11] = [
    (
        400,
        "InvalidRequest",
        "The request cannot be understood; `errors` says where.",
    ),
    (
        401,
        "Unauthenticated",
        "Nobody, or credentials that are not right.",
    ),
    (
        403,
        "Forbidden",
        "Identified, and not allowed; or a request made by another site.",
    ),
    (404, "NotFound", "There is no such thing, or it is gone."),
    (408, "RequestTimeout", "The body did not arrive in time."),
    (
        409,
        "Conflict",
        "It is understood, and the present state of things forbids it.",
    ),
    (
        413,
        "PayloadTooLarge",
        "The body is larger than this route takes.",
    ),
    (415, "UnsupportedMediaType", "The body is not JSON."),
    (
        429,
        "TooManyRequests",
        "Too many attempts; `Retry-After` says when the next may come.",
    ),
    (
        500,
        "Internal",
        "Longshore failed; its log has the cause under the request id.",
    ),
    (
        503,
        "Unavailable",
        "Too much to do, or something is missing; `Retry-After` says when to try again.",
    ),
];

/// What the server itself answers, before there is a request: it has no body.
const HEAD_TOO_LARGE: &str = "HeadTooLarge";

/// Completes one operation.
pub(super) fn complete(
    operation: &mut Operation,
    path: &str,
    method: &Method,
    requirement: Requirement,
    limits: RouteLimits,
) {
    operation.security = Some(security(requirement));
    operation.extensions = Some(requires(requirement));
    if matches!(requirement, Requirement::Signed(..)) {
        add_link_parameters(operation);
    }
    let mut statuses = vec![400, 500, 503];
    match requirement {
        Requirement::Public if method.is_safe() => {}
        Requirement::Public => statuses.push(403),
        _ => statuses.extend([401, 403, 429]),
    }
    if path.contains('{') {
        statuses.push(404);
    }
    if !method.is_safe() && requirement != Requirement::Public {
        statuses.push(409);
    }
    if operation.request_body.is_some() {
        statuses.extend([408, 413]);
        if limits.body != BodyLimit::Streamed {
            statuses.push(415);
        }
    }
    let too_long = RefOr::Ref(Ref::from_response_name(HEAD_TOO_LARGE));
    let responses = &mut operation.responses.responses;
    responses.entry("431".to_owned()).or_insert(too_long);
    for (status, name, _) in PROBLEMS {
        if statuses.contains(&status) {
            let reference = RefOr::Ref(Ref::from_response_name(name));
            let responses = &mut operation.responses.responses;
            responses.entry(status.to_string()).or_insert(reference);
        }
    }
}

/// What is required, for readers of the description.
fn requires(requirement: Requirement) -> Extensions {
    let kind = match requirement {
        Requirement::Public => "nothing",
        Requirement::Role(..) => "role",
        Requirement::Signed(..) => "signed",
        Requirement::SelfChecked { .. } => "handler",
    };
    let mut requires = json!({ "kind": kind });
    if let Some((role, scope)) = requirement.role() {
        requires["role"] = role.as_str().into();
        requires["scope"] = scope.as_str().into();
    }
    Extensions::builder().add("x-requires", requires).build()
}

fn security(requirement: Requirement) -> Vec<SecurityRequirement> {
    let ways =
        [SESSION, PASSWORD, TOKEN].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    match requirement {
        // An empty list: explicitly nothing.
        Requirement::Public => Vec::new(),
        Requirement::Role(..) => ways.into(),
        Requirement::Signed(..) | Requirement::SelfChecked { .. } => {
            let mut ways = Vec::from(ways);
            ways.push(SecurityRequirement::default());
            ways
        }
    }
}

fn add_link_parameters(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    for (name, kind, meaning) in [
        (
            "expires",
            Type::Integer,
            "Of a signed link: when it ends, in seconds since 1970.",
        ),
        (
            "signature",
            Type::String,
            "Of a signed link: what makes it valid.",
        ),
    ] {
        let known = parameters
            .iter()
            .any(|parameter| matches!(parameter, RefOr::T(known) if known.name == name));
        if !known {
            let mut parameter = Parameter::new(name);
            parameter.parameter_in = ParameterIn::Query;
            parameter.required = Required::False;
            parameter.description = Some(meaning.to_owned());
            parameter.schema = Some(ObjectBuilder::new().schema_type(kind).into());
            parameters.push(RefOr::T(parameter));
        }
    }
}

/// The responses and security schemes that [`complete`] refers to.
pub(super) fn components(components: &mut Components) {
    for (status, name, meaning) in PROBLEMS {
        components
            .responses
            .insert(name.to_owned(), RefOr::T(response(status, meaning)));
    }
    let meaning = "The address and the headers are longer than the server takes. No body.";
    components
        .responses
        .insert(HEAD_TOO_LARGE.to_owned(), RefOr::T(Response::new(meaning)));
    components.security_schemes.extend([
        (
            SESSION.to_owned(),
            RefOr::T(SecurityScheme::ApiKey(ApiKey::Cookie(
                ApiKeyValue::with_description(
                    "longshore_session",
                    "A console session. What changes something needs `X-CSRF-Token`, too.",
                ),
            ))),
        ),
        (
            PASSWORD.to_owned(),
            RefOr::T(SecurityScheme::Http(Http::new(HttpAuthScheme::Basic))),
        ),
        (
            TOKEN.to_owned(),
            RefOr::T(SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        ),
    ]);
}

fn response(status: u16, meaning: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description(meaning)
        .content(PROBLEM_JSON, content);
    if matches!(status, 429 | 503) {
        let mut header = Header::new(ObjectBuilder::new().schema_type(Type::Integer));
        header.description = Some("Seconds to wait.".to_owned());
        return response.header("Retry-After", header).build();
    }
    response.build()
}
