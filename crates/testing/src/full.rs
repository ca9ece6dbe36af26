//! How large a test is. The sizes that are promised take long and much of a disk, so that
//! they are tried only where somebody asks for them, and then have their time.

/// The variable that asks for the sizes that are promised.
const FULL: &str = "LONGSHORE_TEST_FULL";

/// Whether the sizes that are promised are asked for.
fn is_asked_for() -> bool {
    std::env::var(FULL).is_ok_and(|value| !matches!(value.as_str(), "" | "0"))
}

/// `promised` where `LONGSHORE_TEST_FULL` asks for it, or else `usual`.
#[must_use]
pub fn size<T>(usual: T, promised: T) -> T {
    if is_asked_for() { promised } else { usual }
}
