-- Keys of S3 clients, and uploads in parts.

-- What S3 clients sign their requests with.
CREATE TABLE access_key (
    id {uuid} PRIMARY KEY,
    account {uuid} NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    -- By which a request says whose it is.
    key {text} NOT NULL,
    -- Its secret, sealed with the master key and bound to `key`.
    sealed {bytes} NOT NULL,
    -- Words with spaces between them.
    scopes {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE UNIQUE INDEX access_key_key ON access_key (key);
CREATE UNIQUE INDEX access_key_name ON access_key (account, name);

-- A file that comes in parts.
CREATE TABLE parted (
    id {uuid} PRIMARY KEY,
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    path {text} NOT NULL,
    -- What was said of it when it was begun: JSON.
    described {text} NOT NULL,
    -- Against whose quota its bytes count until it is a file, and how many have come.
    account {uuid} NOT NULL,
    bytes BIGINT NOT NULL,
    begun_by {text} NOT NULL,
    begun_at BIGINT NOT NULL
);
CREATE INDEX parted_at ON parted (bucket, path, id);
CREATE INDEX parted_of_account ON parted (account);
CREATE INDEX parted_begun ON parted (begun_at, id);

-- One of its parts.
CREATE TABLE part (
    parted {uuid} NOT NULL REFERENCES parted (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    size BIGINT NOT NULL,
    md5 {text} NOT NULL,
    -- The name of its bytes: on the disk, or in the store of its bucket.
    blob {uuid} NOT NULL,
    came_at BIGINT NOT NULL,
    PRIMARY KEY (parted, number)
);
CREATE INDEX part_blob ON part (blob);
