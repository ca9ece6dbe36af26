//! The HTTP toolkit: what every part of Longshore that answers requests is built of.
//!
//! A route exists only through [`Routes::add`], with what it requires; a handler
//! gets its caller from [`By`], reads with [`Json`], [`Path`] and [`Query`], and
//! answers a value or a [`Problem`]. This crate knows no feature: it never touches
//! SQL, and nothing in it decides who somebody is ([`Identify`] does).

mod activity;
pub mod api;
mod client;
mod console;
mod docs;
mod download;
mod extract;
mod foreign;
mod front;
mod identify;
mod links;
mod live;
mod paging;
mod probes;
mod problem;
mod request_id;
mod routes;
mod server;
mod settings;
mod upgrade;
mod walk;

pub use activity::{Starting, routes as activity_routes};
pub use client::{Client, Origin};
pub use console::console_page;
pub use download::{Download, Wants, attachment};
pub use extract::{Json, JsonText, Path, Query, whole};
pub use foreign::{Protocol, Refusal};
pub use identify::{By, Identify, Refused};
pub use links::{Links, Signed, whole_seconds};
pub use live::{
    FileEvent, FileFeed, FileNews, FollowFiles, FollowedFiles, LiveLimits, NotFollowed,
    routes as live_routes,
};
pub use paging::{Page, Paging};
pub use probes::{Check, Probes};
pub use problem::{Answer, FieldProblem, PROBLEM_JSON, Problem, ProblemDocument};
pub use request_id::RequestId;
#[doc(hidden)]
pub use routes::described;
pub use routes::{
    Admission, Admitted, AnswerTime, AskedFor, BodyLimit, DESCRIBES, Described, Elsewhere, Entry,
    Erased, Gate, Handlers, Hosted, KnowsHost, Requirement, RouteLimits, RouteTable, Routes, Site,
};
pub use server::{ServeError, ServerLimits, serve, serve_sites};
pub use settings::{Settings, SettingsSource};
pub use upgrade::{FrameSocket, FrameUpgrade, Upgrade};
pub use walk::{WalkTokens, Walked, walk};
