//! Every statement of this crate.

pub(crate) mod bucket;
pub(crate) mod claim;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod file;
pub(crate) mod grant;
pub(crate) mod hook;
pub(crate) mod list;
pub(crate) mod parted;
pub(crate) mod room;
pub(crate) mod share;
pub(crate) mod signature;
pub(crate) mod unfinished;
pub(crate) mod upload;
pub(crate) mod usage;
pub(crate) mod word;

use std::fmt::Write as _;

/// The most rows of one statement.
const MOST: usize = 32;

/// Rows as statements take them: as many at once as a power of two says, so that there are
/// few texts, which are prepared once.
pub(crate) fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let power = rows.len().checked_ilog2()?;
        let (portion, rest) = rows.split_at((1 << power).min(MOST));
        rows = rest;
        Some(portion)
    })
}

/// `($2, $3), ($4, $5)`: the places of so many rows of so many values, after the first `$`
/// places.
pub(crate) fn places(rows: usize, columns: usize, after: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 5);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            // Writing to a String does not fail.
            let _ = write!(text, "{comma}${}", after + row * columns + column + 1);
        }
        text.push(')');
    }
    text
}

/// `$2, $3`: the places of so many values.
pub(crate) fn list(values: usize, after: usize) -> String {
    let row = places(1, values, after);
    row[1..row.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_in_few_sizes_and_none_is_left_out() {
        for count in 0..100_usize {
            let rows: Vec<usize> = (0..count).collect();
            let sizes: Vec<usize> = portions(&rows).map(<[usize]>::len).collect();
            assert!(
                sizes
                    .iter()
                    .all(|size| size.is_power_of_two() && *size <= MOST)
            );
            assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        }
        assert_eq!(places(2, 2, 1), "($2, $3), ($4, $5)");
        assert_eq!(list(3, 0), "$1, $2, $3");
    }
}
