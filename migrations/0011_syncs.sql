-- Syncs: what is delivered from where to where, and how far every file of it is.

CREATE TABLE sync (
    id {uuid} PRIMARY KEY,
    name {text} NOT NULL,
    -- What it says, in JSON, with the names of secrets and no value of one.
    rule {text} NOT NULL,
    -- Where it comes from: '' where people made it, 'environment' where variables did.
    origin {text} NOT NULL DEFAULT '',
    paused BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    changed_at BIGINT NOT NULL,
    -- Of one that a bucket feeds: the number of the change of files up to which all is noted.
    heard BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX sync_name ON sync (name);
-- The number of the change of files up to which all is noted of every sync that a bucket feeds.
INSERT INTO counter (name, value) VALUES ('syncs_heard', 0);

-- A file under a sync.
CREATE TABLE delivery (
    id {uuid} PRIMARY KEY,
    sync {uuid} NOT NULL REFERENCES sync (id) ON DELETE CASCADE,
    -- What names it in its source: the id of a row, or a path.
    item {text} NOT NULL,
    -- Where its content is there.
    place {text} NOT NULL,
    name {text} NOT NULL,
    media_type {text} NOT NULL,
    -- Not known before it is looked at.
    size BIGINT,
    -- What tells its content from another's; '' where nothing does.
    content {text} NOT NULL DEFAULT '',
    -- Where a source names no content: what changes when that, or what is said of it, may
    -- have changed.
    seen {text} NOT NULL DEFAULT '',
    metadata {text} NOT NULL DEFAULT '',
    -- Who made it, as its source says; '' where that is not known.
    creator {text} NOT NULL DEFAULT '',
    -- Which of the rule's targets has it.
    target {text} NOT NULL DEFAULT '',
    -- 'pending', 'intended', 'created', 'uploaded', 'working', 'again', 'verified', and at
    -- the end 'marked', 'skipped', 'failed' or 'removed'.
    state {text} NOT NULL,
    -- What its target wants to know of it after a crash, in JSON.
    known {text} NOT NULL DEFAULT '',
    -- How far it is there by that: '', 'intended', 'created' or 'uploaded'.
    reached {text} NOT NULL DEFAULT '',
    remote_id {text} NOT NULL DEFAULT '',
    -- The ids that its source was told, or was about to be told, in JSON, the newest last:
    -- whatever holds one of them was marked by this sync.
    told {text} NOT NULL DEFAULT '',
    thumbnail {text} NOT NULL DEFAULT '',
    -- Since when its target works on what it has now, where it does.
    working_since BIGINT,
    -- What was heard of it while it is under way, since its source was looked at: 1 where it
    -- was put there anew, 2 where that was with another content.
    stirred BIGINT NOT NULL DEFAULT 0,
    -- How often it was claimed: the number of the one who may write.
    attempt BIGINT NOT NULL DEFAULT 0,
    -- How many attempts went wrong, and how often its target asked to wait.
    failures BIGINT NOT NULL DEFAULT 0,
    waits BIGINT NOT NULL DEFAULT 0,
    -- Why it is where it is, in a sentence.
    reason {text} NOT NULL DEFAULT '',
    -- When it may be claimed.
    run_at BIGINT NOT NULL,
    worker {text} NOT NULL DEFAULT '',
    -- By the database's clock.
    lease_until BIGINT NOT NULL DEFAULT 0,
    -- The pass that had it last.
    operation {uuid},
    found_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE UNIQUE INDEX delivery_item ON delivery (sync, item);
CREATE INDEX delivery_due ON delivery (sync, run_at, id) WHERE ended_at IS NULL;
CREATE INDEX delivery_by_change ON delivery (sync, changed_at, id);
CREATE INDEX delivery_by_state ON delivery (sync, state, changed_at, id);

-- How a pass went, for what is shown of many of them.
CREATE TABLE sync_pass (
    -- The operation that it was.
    id {uuid} PRIMARY KEY,
    sync {uuid} NOT NULL REFERENCES sync (id) ON DELETE CASCADE,
    started_at BIGINT NOT NULL,
    -- When it came to an end of its own: not while it runs, nor where it was cut off.
    ended_at BIGINT,
    -- Why it failed as a whole; '' where it did not.
    failure {text} NOT NULL DEFAULT '',
    -- When somebody was told that it failed as a whole, where anybody was.
    told_at BIGINT,
    delivered BIGINT NOT NULL DEFAULT 0,
    working BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    retried BIGINT NOT NULL DEFAULT 0,
    removed BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sync_pass_by_time ON sync_pass (sync, started_at, id);
