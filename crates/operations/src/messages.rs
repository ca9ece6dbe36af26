//! What replicas tell each other about operations. Each message is a hint: who
//! misses one finds the same in the database a little later.

use base::OperationId;
use storage::{Bus, BusEvent};

const TOPIC: &str = "operations";
/// Ids in one message, so that it fits.
const IDS: usize = 100;

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Something changed in the table of operations.
    Changed,
    /// There may be something to claim.
    Queued,
    /// Schedules changed.
    Schedules,
    /// Somebody asked for the end of this one.
    Cancel(OperationId),
    /// Lines of these were stored.
    Lines(Vec<OperationId>),
    /// Anything may have happened.
    Anything,
}

impl Heard {
    /// What an event of the bus means here, if anything.
    pub(crate) fn of(event: &BusEvent) -> Option<Self> {
        let BusEvent::Message { topic, text } = event else {
            return Some(Self::Anything);
        };
        if &**topic != TOPIC {
            return None;
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "changed" => Some(Self::Changed),
            "queued" => Some(Self::Queued),
            "schedules" => Some(Self::Schedules),
            "cancel" => rest.parse().ok().map(Self::Cancel),
            "lines" => Some(Self::Lines(
                rest.split(' ').filter_map(|id| id.parse().ok()).collect(),
            )),
            _ => None,
        }
    }
}

pub(crate) fn changed(bus: &Bus) {
    tell(bus, "changed");
}

pub(crate) fn queued(bus: &Bus) {
    tell(bus, "queued");
}

pub(crate) fn schedules(bus: &Bus) {
    tell(bus, "schedules");
}

pub(crate) fn cancel(bus: &Bus, id: OperationId) {
    tell(bus, &format!("cancel {id}"));
}

pub(crate) fn lines_stored(bus: &Bus, ids: &[OperationId]) {
    for ids in ids.chunks(IDS) {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        tell(bus, &format!("lines {}", ids.join(" ")));
    }
}

fn tell(bus: &Bus, text: &str) {
    bus.hint(TOPIC, text);
}
