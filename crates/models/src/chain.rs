//! The models that a job may ask, one after the other.
//!
//! Each link asks its own model, patiently if it is the last one and briefly if another can take over.

use std::fmt;

use agent::{Model, ModelError, Reply, Request};
use async_trait::async_trait;
use domain::Money;

use crate::bound;
use crate::call::{Adapter, Patience};

/// A model and those that may take over from it.
pub struct Chain {
    adapter: Adapter,
    instead_of: Option<(String, String)>,
    next: Option<Box<Chain>>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = self.next.as_deref();
        f.debug_struct("Chain").field("model", &self.adapter.name).field("next", &next).finish()
    }
}

impl Chain {
    /// `next` takes over from `adapter`, which is asked in place of a retired model if there is one.
    pub(crate) fn link(adapter: Adapter, instead_of: Option<(String, String)>, next: Option<Chain>) -> Chain {
        Chain { adapter, instead_of, next: next.map(Box::new) }
    }

    /// The names of all of them, in their order.
    pub fn names(&self) -> Vec<&str> {
        let links = std::iter::successors(Some(self), |link| link.next.as_deref());
        links.map(|link| link.adapter.name.as_str()).collect()
    }
}

#[async_trait]
impl Model for Chain {
    fn name(&self) -> &str {
        &self.adapter.name
    }

    fn input_bound(&self, request: &Request<'_>, known: Option<(usize, u64)>) -> u64 {
        bound::input(self.adapter.wire(), self.adapter.own(), request, known)
    }

    fn worst_case(&self, input: u64, output: u64) -> Money {
        self.adapter.info.worst_case(input, output)
    }

    fn max_output(&self) -> u64 {
        self.adapter.info.max_output_tokens
    }

    async fn ask(&self, request: Request<'_>) -> Result<Reply, ModelError> {
        let patience = if self.next.is_some() { Patience::SHORT } else { Patience::LAST };
        self.adapter.ask(request, patience).await
    }

    fn next(&self) -> Option<&dyn Model> {
        self.next.as_deref().map(|next| next as &dyn Model)
    }

    fn stands_in_for(&self) -> Option<(&str, String)> {
        self.instead_of.as_ref().map(|(named, why)| (named.as_str(), why.clone()))
    }
}
