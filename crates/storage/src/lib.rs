//! The database (SQLite or Postgres), its migrations, blobs on disk, and the bus.
