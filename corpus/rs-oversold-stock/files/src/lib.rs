//! The stock of one article.

use std::sync::Mutex;

pub struct Stock {
    pieces: Mutex<u32>,
}

#[derive(Debug, PartialEq)]
pub enum Refused {
    SoldOut,
    NotPaid,
}

impl Stock {
    pub fn of(pieces: u32) -> Stock {
        Stock { pieces: Mutex::new(pieces) }
    }

    pub fn pieces(&self) -> u32 {
        *self.pieces.lock().unwrap()
    }

    /// Sells one piece to whoever pays. `pay` may take long: other calls go on meanwhile.
    pub fn reserve(&self, pay: impl FnOnce() -> bool) -> Result<(), Refused> {
        if self.pieces() == 0 {
            return Err(Refused::SoldOut);
        }
        if !pay() {
            return Err(Refused::NotPaid);
        }
        let mut pieces = self.pieces.lock().unwrap();
        *pieces = pieces.saturating_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread::scope;
    use std::time::Duration;

    #[test]
    fn the_last_piece_is_sold_once() {
        let stock = Stock::of(1);
        let (first_pays, wait_for_first) = channel();
        let (second_is_done, wait_for_second) = channel();
        let (first, second) = scope(|scope| {
            let stock = &stock;
            let first = scope.spawn(move || {
                stock.reserve(|| {
                    first_pays.send(()).unwrap();
                    // The second buyer comes and goes while the first one pays.
                    wait_for_second.recv_timeout(Duration::from_secs(5)).is_ok()
                })
            });
            wait_for_first.recv().unwrap();
            let second = stock.reserve(|| true);
            second_is_done.send(()).unwrap();
            (first.join().unwrap(), second)
        });
        assert_eq!((first, second), (Ok(()), Err(Refused::SoldOut)));
        assert_eq!(stock.pieces(), 0);
    }

    #[test]
    fn who_does_not_pay_leaves_the_piece() {
        let stock = Stock::of(1);
        assert_eq!(stock.reserve(|| false), Err(Refused::NotPaid));
        assert_eq!(stock.pieces(), 1);
        assert_eq!(stock.reserve(|| true), Ok(()));
        assert_eq!(stock.reserve(|| true), Err(Refused::SoldOut));
    }
}
