use std::sync::Mutex;

use crate::accounts::Accounts;

#[derive(Default)]
pub struct Audit {
    pub entries: Mutex<Vec<(u32, u32, i64)>>,
}

impl Audit {
    /// Whether the balances are what the entries add up to.
    pub fn is_sound(&self, accounts: &Accounts) -> bool {
        let entries = self.entries.lock().unwrap();
        entries.iter().all(|(from, _, _)| {
            let spent: i64 = entries.iter().filter(|entry| entry.0 == *from).map(|entry| entry.2).sum();
            let got: i64 = entries.iter().filter(|entry| entry.1 == *from).map(|entry| entry.2).sum();
            accounts.balance(*from) == got - spent
        })
    }
}
