-- Uploads that go on after a break (tus).

CREATE TABLE upload (
    id {uuid} PRIMARY KEY,
    -- Where it shall be put; nothing for a part that says nothing of it.
    bucket {uuid} REFERENCES bucket (id) ON DELETE CASCADE,
    path {text} NOT NULL,
    -- The bucket against whose limits its bytes count while it is open.
    counts_in {uuid},
    -- 'whole', 'part', or 'joined' of parts.
    kind {text} NOT NULL,
    -- 'open', or 'done': its bytes are a file's.
    state {text} NOT NULL,
    -- Its length in bytes, once it is known.
    length BIGINT,
    -- How many bytes are on the disk for good, where they are, and their hashes so far.
    received BIGINT NOT NULL,
    blob {uuid},
    hashes {bytes} NOT NULL,
    -- The bucket in whose store they are instead, in pieces.
    stored_in {uuid} REFERENCES bucket (id) ON DELETE CASCADE,
    -- What the file will be: its media type, its metadata, and what must be at its path.
    type {text} NOT NULL,
    metadata {text} NOT NULL,
    expect {text} NOT NULL,
    -- What the client said, as it reads it again: `Upload-Metadata`, `Upload-Concat`.
    said {text} NOT NULL,
    parts {text} NOT NULL,
    uploader {text} NOT NULL,
    account {uuid} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX upload_expiry ON upload (expires_at, id);
CREATE INDEX upload_of_account ON upload (account, state);
CREATE INDEX upload_counted ON upload (counts_in, account) WHERE state = 'open';
CREATE INDEX upload_by_bucket ON upload (bucket) WHERE bucket IS NOT NULL;
CREATE INDEX upload_blob ON upload (blob) WHERE blob IS NOT NULL;
CREATE INDEX upload_stored_in ON upload (stored_in) WHERE stored_in IS NOT NULL;

-- The bytes of an upload whose bucket lies in a store, as they came: any replica goes on.
CREATE TABLE upload_piece (
    upload {uuid} NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    -- Where it begins in the upload.
    starts BIGINT NOT NULL,
    size BIGINT NOT NULL,
    -- Under which name the store has it.
    piece {uuid} NOT NULL,
    PRIMARY KEY (upload, starts)
);
CREATE UNIQUE INDEX upload_piece_name ON upload_piece (piece);

-- What was begun in parts in the store of a bucket and is not whole yet.
CREATE TABLE store_upload (
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    -- The store's own id, and the key in it.
    id {text} NOT NULL,
    key {text} NOT NULL,
    begun_at BIGINT NOT NULL,
    PRIMARY KEY (bucket, id)
);
CREATE INDEX store_upload_begun ON store_upload (bucket, begun_at, id);

-- Who changes what lies at a path of a store at this moment, among all replicas.
CREATE TABLE store_claim (
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    path {text} NOT NULL,
    -- Made up anew for every turn.
    holder {uuid} NOT NULL,
    -- By the database's clock. Whoever comes after it takes it over.
    held_until BIGINT NOT NULL,
    PRIMARY KEY (bucket, path)
);
CREATE INDEX store_claim_until ON store_claim (held_until);

-- Room in a bucket with limits for a content on its way into the bucket's store. Who asks
-- whether more fits counts it, until the content is a file.
CREATE TABLE store_room (
    id {uuid} PRIMARY KEY,
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    account {uuid} NOT NULL,
    files BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    -- How many of its bytes its account did not have before.
    account_bytes BIGINT NOT NULL,
    -- By the database's clock. After it nobody counts it.
    held_until BIGINT NOT NULL
);
CREATE INDEX store_room_by_bucket ON store_room (bucket);
