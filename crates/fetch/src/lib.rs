//! Outbound HTTP: the one guarded client.
