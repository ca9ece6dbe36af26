-- Bundles. A bundle's id is the id of the operation that makes it.
CREATE TABLE bundle (
    id {uuid} PRIMARY KEY,
    name {text} NOT NULL,
    kept BOOLEAN NOT NULL,
    -- The state it ended in, where that is known here; else its operation knows.
    ended {text},
    sources BIGINT NOT NULL,
    done BIGINT NOT NULL DEFAULT 0,
    failed BIGINT NOT NULL DEFAULT 0,
    -- The numbers of the sources that are missing, with commas between them.
    missing {text} NOT NULL DEFAULT '',
    bytes BIGINT NOT NULL DEFAULT 0,
    blob {uuid},
    size BIGINT,
    sha256 {bytes},
    created_by {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX bundle_expiry ON bundle (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX bundle_blob ON bundle (blob) WHERE blob IS NOT NULL;
