//! Ten million operations of two years.

use crate::Result;
use crate::fill::{self, Filling};
use crate::program::Program;
use std::path::Path;
use std::time::Duration;

/// $1 and $2 are the first and the last number, $3 is how many there will be.
///
/// The numbers are spread by multiplications (Knuth's constant and others) so that
/// columns are independent of each other; squares make some values frequent and some
/// rare, as people are. A row's id is its time in milliseconds (RFC 9562 §5.7) and its
/// number. One of six was started by the one before it.
const ROWS: &str = "
INSERT INTO operation (id, kind, title, state, subject, server, actor, trigger, exclusive_key,
    parent, attempt, created_at, run_at, started_at, ended_at, progress, error_code, error_text,
    outcome, log_last, log_bytes, changed)
WITH RECURSIVE
numbers(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2),
spread AS (SELECT n,
    (n * 2654435761) % 4294967296 / 4294967296.0 AS a,
    (n * 2246822519 + 7) % 4294967296 / 4294967296.0 AS b,
    (n * 3266489917 + 11) % 4294967296 / 4294967296.0 AS c,
    (n * 668265263 + 13) % 4294967296 / 4294967296.0 AS d,
    (n * 374761393 + 17) % 4294967296 / 4294967296.0 AS e,
    -- 2024-12-01 to 2026-11-20
    1733011200000000 + CAST(n * (62208000000000.0 / $3) AS INTEGER) AS at,
    1733011200000000 + CAST((n - 1) * (62208000000000.0 / $3) AS INTEGER) AS before
    FROM numbers),
chosen AS (SELECT *,
    CASE WHEN a < 0.30 THEN 'build' WHEN a < 0.50 THEN 'deploy' WHEN a < 0.65 THEN 'pull'
         WHEN a < 0.75 THEN 'push' WHEN a < 0.84 THEN 'sync' WHEN a < 0.90 THEN 'command'
         WHEN a < 0.95 THEN 'backup' WHEN a < 0.98 THEN 'prune' WHEN a < 0.99 THEN 'copy'
         WHEN a < 0.9999 THEN 'restore' ELSE 'format-disk' END AS kind,
    CASE WHEN n > $3 - 50 THEN 'queued' WHEN b < 0.93 THEN 'succeeded' WHEN b < 0.97 THEN 'failed'
         WHEN b < 0.99 THEN 'cancelled' ELSE 'interrupted' END AS state,
    CASE WHEN c < 0.15 THEN '' WHEN c < 0.9 THEN 'stack:app-' || CAST(((c - 0.15) / 0.75) * ((c - 0.15) / 0.75) * 300 AS INTEGER)
         ELSE 'file:cover-' || (n % 200000) END AS subject,
    CASE WHEN d < 0.35 THEN '' ELSE 'dock-' || CAST((d - 0.35) * (d - 0.35) / 0.4225 * 30 AS INTEGER) END AS server,
    CASE WHEN e < 0.6 THEN 'user:anna-' || CAST(e * e / 0.36 * 30 AS INTEGER)
         WHEN e < 0.8 THEN 'token:ci-' || (n % 5) ELSE 'schedule:nightly-' || (n % 12) END AS actor
    FROM spread)
SELECT unhex(printf('%012x7%03x8%015x', at / 1000, n % 4096, n)),
    kind,
    kind || ' ' || subject || ' #' || n || CASE WHEN n % 3 = 0 THEN ' for release' ELSE ' again' END,
    state, subject, server, actor,
    CASE WHEN n % 6 = 0 THEN 'operation' WHEN e < 0.4 THEN 'person' WHEN e < 0.6 THEN 'push'
         WHEN e < 0.8 THEN 'api' ELSE 'schedule' END,
    CASE WHEN kind = 'deploy' THEN subject ELSE '' END,
    CASE WHEN n % 6 = 0 THEN unhex(printf('%012x7%03x8%015x', before / 1000, (n - 1) % 4096, n - 1)) END,
    CASE WHEN state = 'queued' THEN 0 ELSE 1 END,
    at, at,
    CASE WHEN state <> 'queued' THEN at + 2000000 END,
    CASE WHEN state <> 'queued' THEN at + 2000000 + n % 900000000 END,
    CASE WHEN n % 4 = 0 THEN '{\"done\":12,\"total\":12,\"unit\":\"steps\",\"message\":\"Done\",\"transfers\":[]}' END,
    CASE WHEN state = 'failed' THEN 'exit-status' END,
    CASE WHEN state = 'failed' THEN 'The command ended with status ' || (n % 5 + 1)
        || CASE WHEN n % 50 = 0 THEN '; the registry did not answer.' ELSE '.' END END,
    CASE WHEN state = 'succeeded' THEN '{\"image\":\"sha256:' || printf('%016x', n * 40503) || '\"}' END,
    n % 500, (n % 500) * 80, n
FROM chosen";

/// Starts the server with so many operations, which are made where they are not there.
pub(super) async fn start(data: &Path, count: u64) -> Result<(Program, Duration)> {
    const OPERATIONS: Filling = Filling {
        tables: &[("operation", ROWS)],
        after: Some("UPDATE counter SET value = $1 WHERE name = 'operation_changed'"),
    };
    fill::start(data, count, &OPERATIONS).await
}
