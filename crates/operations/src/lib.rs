//! Long work: queued, run, logged, watched live, cancelled, retried, scheduled.
