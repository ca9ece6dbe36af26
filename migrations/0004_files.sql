-- Files. Absent texts are '' and not NULL.

CREATE TABLE bucket (
    id {uuid} PRIMARY KEY,
    name {text} NOT NULL,
    -- Where its bytes lie, in JSON.
    storage {text} NOT NULL,
    -- Whether what is overwritten or deleted stays as a version.
    versions BOOLEAN NOT NULL,
    -- Whether anybody may read it.
    public_read BOOLEAN NOT NULL,
    -- Whether roles open it, or grants alone.
    by_role BOOLEAN NOT NULL,
    -- Who decides about those whom Longshore does not know: 'builtin' (nobody) or 'endpoint'.
    authoriser {text} NOT NULL DEFAULT 'builtin',
    -- Seconds that a deleted file stays in the trash; 0 is not at all.
    trash BIGINT NOT NULL,
    quota_bytes BIGINT,
    quota_files BIGINT,
    user_quota_bytes BIGINT,
    -- Files of so many bytes are answered by a redirect to a signed address.
    redirect_above BIGINT,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL
);
CREATE UNIQUE INDEX bucket_name ON bucket (name);

-- The host names on which a bucket answers by itself.
CREATE TABLE bucket_host (
    host {text} PRIMARY KEY,
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE
);
CREATE INDEX bucket_host_by_bucket ON bucket_host (bucket);

-- A content that is or was at a path.
CREATE TABLE file (
    id {uuid} PRIMARY KEY,
    bucket {uuid} NOT NULL REFERENCES bucket (id),
    path {text} NOT NULL,
    -- The path up to its last '/', with it.
    folder {text} NOT NULL,
    -- 'current', 'old' (a version), or 'trash'.
    standing {text} NOT NULL,
    size BIGINT NOT NULL,
    -- Its media type as it is answered, and as its first bytes look.
    type {text} NOT NULL,
    sniffed {text} NOT NULL,
    sha256 {bytes},
    etag {text} NOT NULL,
    -- Since when there is a file at this path.
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    -- When it stopped being current, and by whom.
    removed_at BIGINT,
    removed_by {text} NOT NULL DEFAULT '',
    uploader {text} NOT NULL,
    -- Whose quota it counts against.
    account {uuid},
    -- Headers to be answered with it, what its uploader says of it, and its tags: JSON.
    headers {text} NOT NULL DEFAULT '',
    metadata {text} NOT NULL DEFAULT '',
    tags {text} NOT NULL DEFAULT '',
    -- What an image or a video says of itself. Positions are millionths of a degree.
    taken_at BIGINT,
    latitude BIGINT,
    longitude BIGINT,
    width BIGINT,
    height BIGINT,
    -- Its bytes on the disk.
    blob {uuid},
    -- Or else in the bucket's store: under this key, or under the path where it is '', and
    -- with this ETag there.
    object {text} NOT NULL DEFAULT '',
    store_etag {text}
);
CREATE UNIQUE INDEX file_at ON file (bucket, path) WHERE standing = 'current';
CREATE INDEX file_in_folder ON file (bucket, folder, path) WHERE standing = 'current';
CREATE INDEX file_in_folder_by_size ON file (bucket, folder, size, path) WHERE standing = 'current';
CREATE INDEX file_in_folder_by_date ON file (bucket, folder, modified_at, path) WHERE standing = 'current';
CREATE INDEX file_by_size ON file (bucket, size, path) WHERE standing = 'current';
CREATE INDEX file_by_date ON file (bucket, modified_at, path) WHERE standing = 'current';
CREATE INDEX file_past ON file (bucket, standing, path, id DESC) WHERE standing <> 'current';
CREATE INDEX file_removed ON file (removed_at, id) WHERE removed_at IS NOT NULL;
CREATE INDEX file_blob ON file (blob) WHERE blob IS NOT NULL;

-- How much a bucket holds, of whom. Several rows each, so that writers do not wait for
-- one another; a sum says how much.
CREATE TABLE file_usage (
    bucket {uuid} NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    account {uuid} NOT NULL,
    shard BIGINT NOT NULL,
    files BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (bucket, account, shard)
);

-- Counts the changes of buckets, after which what replicas remember of them is old.
INSERT INTO counter (name, value) VALUES ('buckets_changed', 0);
