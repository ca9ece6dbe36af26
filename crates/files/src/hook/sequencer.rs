//! The order of the events of one key, as stores number them.

/// A number in hexadecimal digits. Of two of the same key, the greater one came later,
/// where the shorter one is filled up with zeros at its right end. Kept without those
/// zeros, such numbers are compared as texts, here and in the database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sequencer(String);

/// Stores send 16 to 34 digits.
const LONGEST: usize = 64;

impl Sequencer {
    /// Nothing where it is no such number: then there is no order.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = text.trim_end_matches('0').to_ascii_uppercase();
        let usable = digits && text.len() <= LONGEST && !number.is_empty();
        usable.then_some(Self(number))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_number_gives_no_order() {
        for text in ["", "0", "000", "xyz", "00 55", "-1", "é", &"1".repeat(65)] {
            assert_eq!(Sequencer::read(text), None, "{text}");
        }
        let number = Sequencer::read("0055aed6dcd90281e5").expect("a number");
        assert_eq!(number.as_str(), "0055AED6DCD90281E5");
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_texts_filled_up_with_zeros(
            left in "[0-9A-F]{1,40}", right in "[0-9A-F]{1,40}",
        ) {
            let filled = |text: &str| format!("{text:0<40}");
            let expected = filled(&left).cmp(&filled(&right));
            prop_assert_eq!(Sequencer::read(&left).cmp(&Sequencer::read(&right)), expected);
        }
    }
}
