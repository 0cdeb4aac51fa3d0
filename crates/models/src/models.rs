//! All models that a process can ask, and which of them a job gets.

use std::sync::Arc;

use domain::Mode;
use jiff::civil::Date;

use crate::account::Account;
use crate::call::Adapter;
use crate::catalogue::{self, Current, Provider};
use crate::chain::Chain;
use crate::setup::{Outside, Settings, SetupError, Unlisted};

/// Which models a job wants.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The names to choose from, best first: the job's own, or the settings'. Empty: the mode's.
    pub names: Vec<&'a str>,
    /// Whose models are meant when none is named.
    pub mode: Mode,
    /// The model that the job asked last, if it is resumed.
    pub last: Option<&'a str>,
    /// Today, which decides who is retired.
    pub today: Date,
}

/// The accounts of a process. Jobs come and go; rate limits, breakers and connections stay.
pub struct Models {
    accounts: [Arc<Account>; 3],
    unlisted: Unlisted,
    outside: Outside,
}

impl Models {
    /// Checks addresses and keys; sends nothing. A TLS provider must be installed before the first chain is made.
    pub fn new(settings: Settings, outside: Outside) -> Result<Models, SetupError> {
        let Settings { anthropic_base_url, openai_base_url, gemini_base_url, keys, .. } = settings;
        let account = |provider, base: &str, key| {
            Account::new(provider, base, key, settings.requests_per_minute).map(Arc::new)
        };
        let accounts = [
            account(Provider::Openai, &openai_base_url, keys.openai)?,
            account(Provider::Anthropic, &anthropic_base_url, keys.anthropic)?,
            account(Provider::Google, &gemini_base_url, keys.google)?,
        ];
        Ok(Models { accounts, unlisted: settings.unlisted, outside })
    }

    /// The models for one job, in the order in which they are asked. Those without a key are left out; it is an error when
    /// none is left. A job that is resumed goes on with the model that it asked last, if that is one of them.
    pub fn chain(&self, wish: &Wish<'_>) -> Result<Chain, SetupError> {
        let mut chosen = self.choose(wish)?;
        let last = wish.last.and_then(|last| chosen.iter().position(|current| current.name == last));
        chosen.rotate_left(last.unwrap_or(0));
        let mut chain = None;
        for Current { name, info, instead_of } in chosen.into_iter().rev() {
            let account = self.account(info.provider);
            let adapter = Adapter::new(name, info, account, self.outside.clone())?;
            chain = Some(Chain::link(adapter, instead_of, chain));
        }
        chain.ok_or(SetupError::NoKey { mode: wish.mode })
    }

    fn choose(&self, wish: &Wish<'_>) -> Result<Vec<Current>, SetupError> {
        let mut chosen: Vec<Current> = Vec::new();
        let mut refused = None;
        let preferred: Vec<&str> = match wish.names.is_empty() {
            true => catalogue::preferred(wish.mode)?.iter().map(String::as_str).collect(),
            false => wish.names.clone(),
        };
        for name in preferred {
            let current = match catalogue::current(name, wish.today, &self.unlisted) {
                Ok(current) => current,
                // Of a list another may do.
                Err(error @ catalogue::LookupError::Retired { .. }) => {
                    refused = refused.or(Some(SetupError::Model(error)));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let account = self.account(current.info.provider);
            if account.key().is_none() && !current.info.needs_no_key() {
                let error = SetupError::NoKeyFor { model: current.name, key: account.names().key };
                refused = refused.or(Some(error));
            } else if !chosen.iter().any(|other| other.name == current.name) {
                chosen.push(current);
            }
        }
        match refused {
            Some(error) if chosen.is_empty() && !wish.names.is_empty() => Err(error),
            _ => Ok(chosen),
        }
    }

    fn account(&self, provider: Provider) -> Arc<Account> {
        let found = self.accounts.iter().find(|account| account.provider == provider);
        found.unwrap_or(&self.accounts[0]).clone()
    }
}
