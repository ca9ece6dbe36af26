-- Grants, shares, and signatures that were used.

-- What somebody may do with paths of a bucket that begin with a prefix.
CREATE TABLE file_grant (
    id {uuid} PRIMARY KEY,
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    prefix {text} NOT NULL,
    -- 'user', 'token' or 'key', and which one. Ids are never used again, so what is left
    -- of somebody who is gone opens nothing.
    kind {text} NOT NULL,
    holder {uuid} NOT NULL,
    -- Verbs, with commas between them.
    permissions {text} NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL
);
CREATE INDEX file_grant_of_bucket ON file_grant (bucket, prefix, id);

-- A link to a file or a folder.
CREATE TABLE file_share (
    id {uuid} PRIMARY KEY,
    -- The SHA-256 of what stands in the link.
    token {bytes} NOT NULL,
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    -- A folder ends with '/'.
    path {text} NOT NULL,
    -- The hash of its password; nothing where there is none.
    password {text} NOT NULL DEFAULT '',
    expires_at BIGINT,
    max_downloads BIGINT,
    downloads BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL
);
CREATE UNIQUE INDEX file_share_token ON file_share (token);
CREATE INDEX file_share_of_bucket ON file_share (bucket, id);

-- From where a share was downloaded of late: who goes on with a download from there does
-- not begin another one.
CREATE TABLE file_share_place (
    share {uuid} NOT NULL REFERENCES file_share (id) ON DELETE CASCADE,
    -- A hash of the share and the address.
    place {bytes} NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (share, place)
);
CREATE INDEX file_share_place_by_time ON file_share_place (begun_at);

-- Signatures that may be used once, and were.
CREATE TABLE file_signature (
    id {uuid} PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX file_signature_by_time ON file_signature (expires_at);
