//! What is wanted of one service. Newer wishes replace older ones; each has a version, by which everybody can tell
//! whether what he knows still counts.

/// A number of workers, and the decision that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub target: u32,
    /// The owner's own number for it, given back in reports: with another one the same target is sent again.
    pub ticket: i64,
    /// Whether it was given by a process that led. Such an order ends with the leadership.
    pub led: bool,
}

/// The newest order for a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// None: nothing is wanted, so nothing is touched.
    pub order: Option<Order>,
    /// Grows whenever something has to be sent that was not asked for before. 0: never.
    pub version: u64,
}

impl Orders {
    /// Wants `order` from now on. False: it was wanted already.
    pub fn ask(&mut self, order: Order) -> bool {
        if self.order.is_some_and(|old| (old.target, old.ticket) == (order.target, order.ticket)) {
            return false;
        }
        self.order = Some(order);
        self.version += 1;
        true
    }

    /// Wants the order of `version` once more, unless there is a newer one.
    pub fn repeat(&mut self, version: u64) -> bool {
        let current = self.version == version && self.order.is_some();
        if current {
            self.version += 1;
        }
        current
    }

    /// Wants the order of `version` no more, unless there is a newer one.
    pub fn forget(&mut self, version: u64) -> bool {
        let current = self.version == version && self.order.is_some();
        if current {
            self.order = None;
            self.version += 1;
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(target: u32, ticket: i64) -> Order {
        Order { target, ticket, led: true }
    }

    #[test]
    fn the_same_order_is_asked_for_once() {
        let mut orders = Orders::default();
        assert!(orders.ask(order(3, 1)));
        assert!(!orders.ask(order(3, 1)));
        assert!(orders.ask(order(3, 2)), "another decision wants an answer of its own");
        assert!(orders.ask(order(4, 2)));
        assert_eq!(orders.version, 3);
    }

    #[test]
    fn only_the_newest_order_is_repeated() {
        let mut orders = Orders::default();
        assert!(!orders.repeat(0), "there is nothing to repeat");
        orders.ask(order(3, 1));
        assert!(orders.repeat(1));
        assert!(!orders.repeat(1), "that one is being sent again already");
        orders.ask(order(4, 2));
        assert!(!orders.repeat(2));
        assert_eq!(orders.order, Some(order(4, 2)));
    }

    #[test]
    fn a_newer_order_is_not_forgotten_with_the_old_one() {
        let mut orders = Orders::default();
        assert!(!orders.forget(0), "there is nothing to forget");
        orders.ask(order(3, 1));
        orders.ask(order(4, 2));
        assert!(!orders.forget(1));
        assert!(orders.forget(2));
        assert_eq!(orders.order, None);
        assert!(!orders.repeat(orders.version), "what is forgotten is not repeated");
    }
}
