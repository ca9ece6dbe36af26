//! A server in a test, both databases, origins and peers.
