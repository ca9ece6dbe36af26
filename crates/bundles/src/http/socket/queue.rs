//! The orders of one socket that wait for their turn. Bounded by their number, and by
//! the sources and bytes of all of them together.

use super::LONGEST;
use crate::request::Order;
use std::collections::VecDeque;

/// Orders that wait, at most.
const MOST: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Queue {
    orders: VecDeque<Order>,
}

impl Queue {
    /// Puts an order at the end, unless there is no room for it beside the others.
    /// `most` sources may wait in all.
    pub(super) fn push(&mut self, order: Order, most: usize) -> Result<(), Full> {
        let sum = |of: fn(&Order) -> usize| self.orders.iter().map(of).sum::<usize>();
        let sources = sum(|order| order.sources.len()) + order.sources.len();
        let bytes = sum(|order| order.bytes) + order.bytes;
        let beside = !self.orders.is_empty();
        if beside && (self.orders.len() >= MOST || sources > most || bytes > LONGEST) {
            return Err(Full);
        }
        self.orders.push_back(order);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// Those that shall be made also when the socket is closed.
    pub(super) fn kept(self) -> impl Iterator<Item = Order> {
        self.orders.into_iter().filter(|order| order.keep)
    }
}

/// There is no room.
#[derive(Debug)]
pub(super) struct Full;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceRequest;

    fn order(sources: usize, bytes: usize) -> Order {
        Order {
            sources: vec![SourceRequest::Url(String::new()); sources],
            keep: false,
            bytes,
        }
    }

    #[test]
    fn what_waits_is_bounded_by_number_sources_and_bytes() {
        let full = |orders: Vec<Order>| {
            let mut queue = Queue::default();
            orders
                .into_iter()
                .position(|order| queue.push(order, 100).is_err())
        };
        assert_eq!(full(vec![order(200, 10)]), None, "one alone always fits");
        assert_eq!(full(vec![order(60, 10), order(40, 10)]), None);
        assert_eq!(full(vec![order(60, 10), order(41, 10)]), Some(1));
        assert_eq!(full(vec![order(1, 1), order(1, LONGEST)]), Some(1));
        let many = (0..MOST + 1).map(|_| order(1, 1)).collect();
        assert_eq!(full(many), Some(MOST));
    }
}
