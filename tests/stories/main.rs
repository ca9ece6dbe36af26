//! Stories: what a person would ask of Longshore, tried on the real binary with real
//! peers. Nothing here reaches inside the program; what it promises is looked at from
//! where its users stand. A module for each part of the promise, one binary for all,
//! because every link costs seconds.

mod archive;
mod desk;
mod program;

mod access;
mod arranging;
mod breaking;
mod cancelling;
mod command_line;
mod killed;
mod links;
mod live_limits;
mod live_poll;
mod live_socket;
mod many;
mod missing;
mod protocol_2020;
mod refusing;
mod schedules;
mod secrets;
mod showing;
mod speaking_http;
mod speaking_http_2;
mod starting;
mod stopping;
mod taking;
