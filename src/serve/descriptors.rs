//! How many files and connections the system lets the program have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use web::ServerLimits;

/// Left for the database, stored bytes, and connections to elsewhere.
const FOR_EVERYTHING_ELSE: u64 = 256;
/// So many connections there are, however little the system allows.
const FEWEST: usize = 16;

/// Takes as many as the system gives for the asking: the usual limit is for programs
/// that cannot count beyond 1024, and this one can.
pub(super) fn raise() {
    let now = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    if now.current != now.maximum
        && let Err(error) = setrlimit(Resource::Nofile, wanted)
    {
        tracing::warn!(%error, "the limit of open files stays as it was");
    }
}

/// The same limits, with no more connections than there can be.
pub(super) fn within(limits: ServerLimits) -> ServerLimits {
    let open = getrlimit(Resource::Nofile).current;
    let connections = connections(limits.connections, open);
    if connections < limits.connections {
        tracing::warn!(
            open,
            connections,
            wanted = limits.connections,
            "fewer connections than http.connections; raise the limit of open files (LimitNOFILE, ulimit -n)"
        );
    }
    ServerLimits {
        connections,
        ..limits
    }
}

fn connections(wanted: usize, open: Option<u64>) -> usize {
    let Some(open) = open else {
        return wanted;
    };
    let room = open.saturating_sub(FOR_EVERYTHING_ELSE);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    wanted.min(room.max(FEWEST))
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn there_are_no_more_connections_than_files_can_be_open() {
        assert_eq!(connections(8192, Some(1024)), 768);
        assert_eq!(connections(8192, Some(1 << 20)), 8192);
        assert_eq!(connections(8192, None), 8192);
        assert_eq!(connections(8192, Some(100)), 16);
        assert_eq!(connections(4, Some(100)), 4);
    }
}
