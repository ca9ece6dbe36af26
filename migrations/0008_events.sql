-- What happens to files, told to others and heard from others.

-- Who is told of it.
CREATE TABLE webhook (
    id {uuid} PRIMARY KEY,
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    url {text} NOT NULL,
    -- What the paths begin with of which it is told.
    prefix {text} NOT NULL,
    -- Sealed: the key of the signatures.
    secret {bytes} NOT NULL,
    enabled BOOLEAN NOT NULL,
    -- Whether an operation waits to begin that will tell it what was noted.
    waits BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL
);
CREATE INDEX webhook_by_bucket ON webhook (bucket, id);

-- What it was not told yet, in JSON.
CREATE TABLE file_event (
    id {uuid} PRIMARY KEY,
    webhook {uuid} NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    -- Given while the path is locked: its events are in order, whatever clocks ids are made by.
    turn {turn},
    at BIGINT NOT NULL,
    body {text} NOT NULL
);
CREATE INDEX file_event_by_webhook ON file_event (webhook, turn, id);

-- What happened lately, for those who watch.
CREATE TABLE file_change (
    id {uuid} PRIMARY KEY,
    -- Given after it is committed: without a gap below, in the order of turns.
    number BIGINT,
    turn {turn},
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    -- 'file.put', 'file.described', 'file.moved' or 'file.deleted'.
    happened {text} NOT NULL,
    path {text} NOT NULL,
    -- Where it was, when it moved within its bucket.
    came_from {text} NOT NULL DEFAULT '',
    actor {text} NOT NULL,
    -- The file as it was then, in JSON.
    file {text} NOT NULL
);
CREATE UNIQUE INDEX file_change_by_number ON file_change (number) WHERE number IS NOT NULL;
CREATE INDEX file_change_unnumbered ON file_change (turn, id) WHERE number IS NULL;
CREATE INDEX file_change_by_bucket ON file_change (bucket);

-- The highest number, and the one up to which some are not kept any more.
INSERT INTO counter (name, value) VALUES ('file_changes', 0);
INSERT INTO counter (name, value) VALUES ('file_changes_forgotten', 0);
