use std::collections::HashMap;
use std::sync::Mutex;

use crate::audit::Audit;

pub struct Accounts {
    pub balances: Mutex<HashMap<u32, i64>>,
}

impl Accounts {
    pub fn transfer(&self, audit: &Audit, from: u32, to: u32, cents: i64) {
        let mut balances = self.balances.lock().unwrap();
        *balances.entry(from).or_default() -= cents;
        *balances.entry(to).or_default() += cents;
        audit.entries.lock().unwrap().push((from, to, cents));
    }

    pub fn balance(&self, of: u32) -> i64 {
        self.balances.lock().unwrap().get(&of).copied().unwrap_or(0)
    }
}
