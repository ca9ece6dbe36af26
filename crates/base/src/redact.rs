//! Takes secrets out of texts before anybody sees them.

/// What stands where a secret stood.
pub const MARK: &str = "[redacted]";
