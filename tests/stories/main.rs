//! Stories: what a person would ask of Longshore, tried on the real binary with real
//! peers. Nothing here reaches inside the program; what it promises is looked at from
//! where its users stand. A module for each part of the promise, one binary for all,
//! because every link costs seconds.

mod afloat;
mod archive;
mod desk;
mod program;
mod stored;
mod told;

mod access;
mod ahead;
mod arranging;
mod authorising;
mod breaking;
mod cancelling;
mod command_line;
mod durable;
mod file_commands;
mod file_events;
mod file_forms;
mod file_watching;
mod files;
mod files_in_store;
mod hooks;
mod key_grants;
mod killed;
mod limited;
mod links;
mod listing;
mod live_limits;
mod live_poll;
mod live_socket;
mod many;
mod missing;
mod odd_requests;
mod offered;
mod overwriting;
mod past;
mod protocol_2020;
mod quotas;
mod readme;
mod recorded;
mod refusing;
mod s3;
mod schedules;
mod secrets;
mod shared_cache;
mod sharing;
mod sharing_bundles;
mod sharing_grants;
mod sharing_links;
mod sharing_over;
mod showing;
mod speaking_http;
mod speaking_http_2;
mod starting;
mod stopping;
mod sweeping;
mod syncs;
mod taking;
mod tus;
