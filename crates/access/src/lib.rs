//! People: users, sessions, tokens, secrets, audit.
