-- Operations: the record of every piece of work that takes time.
-- Absent texts are '' and not NULL, so that paging by any of them is one comparison.

CREATE TABLE operation (
    id {uuid} PRIMARY KEY,
    kind {text} NOT NULL,
    title {text} NOT NULL,
    state {text} NOT NULL,
    subject {text} NOT NULL DEFAULT '',
    server {text} NOT NULL DEFAULT '',
    actor {text} NOT NULL,
    trigger {text} NOT NULL,
    exclusive_key {text} NOT NULL DEFAULT '',
    -- The only worker that may take it, where it is bound to a connection there.
    pinned {text} NOT NULL DEFAULT '',
    parent {uuid},
    retry_of {uuid},
    attempt BIGINT NOT NULL DEFAULT 0,
    -- How many attempts failed, and how many ended because their worker was lost.
    failures BIGINT NOT NULL DEFAULT 0,
    losses BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    worker {text} NOT NULL DEFAULT '',
    -- By the database's clock. Of a waiting one that is pinned: of its process.
    lease_until BIGINT NOT NULL DEFAULT 0,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    -- Who asked for the end, in words.
    cancel_reason {text} NOT NULL DEFAULT '',
    progress {text},
    error_code {text},
    error_text {text},
    outcome {text},
    log_first BIGINT NOT NULL DEFAULT 1,
    log_last BIGINT NOT NULL DEFAULT 0,
    log_bytes BIGINT NOT NULL DEFAULT 0,
    -- The number of its last change, counted over all operations.
    changed BIGINT NOT NULL
);

CREATE UNIQUE INDEX operation_changed ON operation (changed);
CREATE INDEX operation_by_kind ON operation (kind, id);
-- Removing what is old asks for the age of a kind's ended operations.
CREATE INDEX operation_by_end ON operation (kind, ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX operation_by_state ON operation (state, id);
CREATE INDEX operation_by_subject ON operation (subject, id);
CREATE INDEX operation_by_server ON operation (server, id);
CREATE INDEX operation_by_actor ON operation (actor, id);
CREATE INDEX operation_by_trigger ON operation (trigger, id);
CREATE INDEX operation_by_parent ON operation (parent, id) WHERE parent IS NOT NULL;
CREATE INDEX operation_unfinished_children ON operation (parent)
    WHERE parent IS NOT NULL AND ended_at IS NULL;
CREATE INDEX operation_pinned ON operation (pinned) WHERE state = 'queued' AND pinned <> '';
CREATE INDEX operation_queue ON operation (kind, run_at, id) WHERE state = 'queued';
CREATE INDEX operation_leases ON operation (lease_until) WHERE state = 'running';
-- Two running operations under one key cannot be stored.
CREATE UNIQUE INDEX operation_key_running ON operation (exclusive_key)
    WHERE state = 'running' AND exclusive_key <> '';
CREATE INDEX operation_key_waiting ON operation (exclusive_key, id)
    WHERE state = 'queued' AND exclusive_key <> '';

-- Apart from the operation, for it may be megabytes and never changes.
CREATE TABLE operation_input (
    operation {uuid} PRIMARY KEY REFERENCES operation (id) ON DELETE CASCADE,
    input {text} NOT NULL
);

CREATE TABLE operation_checkpoint (
    operation {uuid} PRIMARY KEY REFERENCES operation (id) ON DELETE CASCADE,
    attempt BIGINT NOT NULL,
    saved {text} NOT NULL
);

CREATE TABLE operation_transition (
    operation {uuid} NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    state {text} NOT NULL,
    reason {text} NOT NULL,
    PRIMARY KEY (operation, number)
);

-- A row is a segment: many lines, compressed.
CREATE TABLE operation_log (
    operation {uuid} NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    chunk {bytes} NOT NULL,
    PRIMARY KEY (operation, first_seq)
);

CREATE TABLE counter (
    name {text} PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('operation_changed', 0);

-- On which server the replicas share their cache, '' for none, how often that changed, and
-- what the keys there begin with.
CREATE TABLE shared_cache (
    one BIGINT PRIMARY KEY,
    number BIGINT NOT NULL,
    word {text} NOT NULL,
    server {text} NOT NULL
);
INSERT INTO shared_cache (one, number, word, server) VALUES (1, 0, '', '');

CREATE TABLE schedule (
    id {uuid} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    kind {text} NOT NULL,
    title {text} NOT NULL,
    input {text} NOT NULL,
    cron {text} NOT NULL,
    zone {text} NOT NULL,
    missed {text} NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_by {text} NOT NULL,
    created_at BIGINT NOT NULL,
    next_run BIGINT,
    last_run BIGINT,
    last_operation {uuid}
);
CREATE INDEX schedule_due ON schedule (next_run) WHERE enabled = TRUE;
