-- What stores tell of their objects.

-- Where the store of a bucket tells it.
CREATE TABLE hook (
    bucket {uuid} PRIMARY KEY REFERENCES bucket (id) ON DELETE CASCADE,
    -- The SHA-256 of its secret.
    secret {bytes} NOT NULL,
    -- Whether an operation waits to begin that will look at what was told.
    waits BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL
);

-- The last event of each key: to be looked at, or kept for a while so that another copy of
-- it, or an older one, is known as such.
CREATE TABLE hook_event (
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    path {text} NOT NULL,
    -- Its number among the events of this key; '' where none was ever told.
    sequencer {text} NOT NULL,
    -- How many were noted, so that one that comes during the look is not lost.
    heard BIGINT NOT NULL,
    waiting BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (bucket, path)
);
CREATE INDEX hook_event_waiting ON hook_event (bucket, path) WHERE waiting;
CREATE INDEX hook_event_by_time ON hook_event (at);
