//! The toolkit from outside: a small site of every kind of route, called as a
//! client calls it.

extern crate longshore_web as web;

mod access;
mod answers;
mod api;
mod described;
mod fixture;
mod house;
mod probes;
mod wire;
