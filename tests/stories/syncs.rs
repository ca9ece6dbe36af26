//! Syncs: rows of somebody's table and the objects that they name, delivered to where they
//! are served, by `longshore sync` on the host and by a server.

mod asking;
mod beside;
mod between;
mod blocked;
mod broken;
mod fed;
mod in_parts;
mod mailbox;
mod memory;
mod mending;
mod on_host;
mod on_server;
mod pace;
mod rows;
mod telling;
mod to_cloudflare;
mod world;
