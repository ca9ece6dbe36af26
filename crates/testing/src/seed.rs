//! What users of the copier from Spaces to Cloudflare bring along.

/// The statement that makes their table of files, under a name as it stands in SQL.
#[must_use]
pub fn files_table(name: &str) -> String {
    format!(
        r#"CREATE TABLE {name} (
            id TEXT PRIMARY KEY,
            "fileName" TEXT NOT NULL,
            "fileType" TEXT NOT NULL,
            path TEXT NOT NULL,
            "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
            "dateTaken" TIMESTAMP(3),
            "gpsLatitude" DOUBLE PRECISION,
            "gpsLongitude" DOUBLE PRECISION,
            "copiedToCloudflare" BOOLEAN NOT NULL DEFAULT FALSE,
            "cloudflareId" TEXT,
            status TEXT,
            thumbnail TEXT
        )"#
    )
}
