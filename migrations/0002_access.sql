-- People and what they may do.
-- Absent texts are '' and not NULL, as in the tables of operations.

-- What the whole installation remembers of itself, by name.
CREATE TABLE setting (
    name {text} PRIMARY KEY,
    value {text} NOT NULL
);

-- A user. (`user` is a reserved word in Postgres.)
CREATE TABLE account (
    id {uuid} PRIMARY KEY,
    name {text} NOT NULL,
    role {text} NOT NULL,
    -- An argon2id hash with its parameters and salt, in PHC form.
    password {text} NOT NULL,
    -- Counts the passwords that there have been, so that a remembered one is known to be old.
    credential BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    password_at BIGINT NOT NULL,
    login_at BIGINT
);
-- Names differ by more than case.
CREATE UNIQUE INDEX account_name ON account (lower(name));
CREATE INDEX account_by_role ON account (role);

CREATE TABLE session (
    id {uuid} PRIMARY KEY,
    account {uuid} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie's value.
    hash {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address {text} NOT NULL,
    agent {text} NOT NULL
);
CREATE UNIQUE INDEX session_hash ON session (hash);
CREATE INDEX session_by_account ON session (account, seen_at);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE token (
    id {uuid} PRIMARY KEY,
    account {uuid} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    -- SHA-256 of the token.
    hash {bytes} NOT NULL,
    -- Its last characters, by which its owner knows it again.
    ending {text} NOT NULL,
    -- Words with spaces between them.
    scopes {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE UNIQUE INDEX token_name ON token (account, name);

-- Failed attempts: a leaky bucket a row, empty again at `empty_at`.
CREATE TABLE attempt (
    -- A keyed hash of what is counted: nobody's typing error is kept in clear.
    bucket {bytes} PRIMARY KEY,
    -- A keyed hash of the account's name, or nothing.
    account {bytes} NOT NULL,
    empty_at BIGINT NOT NULL
);
CREATE INDEX attempt_by_account ON attempt (account);
CREATE INDEX attempt_empty ON attempt (empty_at);

CREATE TABLE secret (
    name {text} PRIMARY KEY,
    -- Counts the values that there have been; the sealed value is bound to it and to the name.
    version BIGINT NOT NULL,
    sealed {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by {text} NOT NULL
);

-- Who did what.
CREATE TABLE audit (
    id {uuid} PRIMARY KEY,
    at BIGINT NOT NULL,
    actor {text} NOT NULL,
    action {text} NOT NULL,
    subject {text} NOT NULL,
    address {text} NOT NULL,
    before {text},
    after {text}
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_by_actor ON audit (actor, at, id);
CREATE INDEX audit_by_action ON audit (action, at, id);
CREATE INDEX audit_by_subject ON audit (subject, at, id);

-- Counts the changes after which what replicas remember of users and secrets is old.
INSERT INTO counter (name, value) VALUES ('access_changed', 0);
