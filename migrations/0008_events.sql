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
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL
);
CREATE INDEX webhook_by_bucket ON webhook (bucket, id);

-- What it was not told yet, in JSON.
CREATE TABLE file_event (
    id {uuid} PRIMARY KEY,
    webhook {uuid} NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    body {text} NOT NULL
);
CREATE INDEX file_event_by_webhook ON file_event (webhook, id);
