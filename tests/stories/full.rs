//! How large a story is. The sizes that are promised take long and much of a disk, so that
//! they are tried only where somebody asks for them.

/// The variable that asks for the sizes that are promised.
pub(crate) const FULL: &str = "LONGSHORE_TEST_FULL";

/// Whether the sizes that are promised are asked for.
pub(crate) fn is_asked_for() -> bool {
    std::env::var(FULL).is_ok_and(|value| !matches!(value.as_str(), "" | "0"))
}

/// `promised` where it is asked for, or else `usual`.
pub(crate) fn size<T>(usual: T, promised: T) -> T {
    if is_asked_for() { promised } else { usual }
}
