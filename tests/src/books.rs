//! Whether the books agree: the ledger's entries, the events, the job's own sums, and what a model's stand-in counted.

use domain::{Event, JobId, Money, Usage};
use rehearsal::Served;

use crate::{ModelServer, Team};

/// What a stand-in counted: answers that reached somebody, and their tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub answers: u64,
    pub usage: Usage,
}

impl From<&ModelServer> for Counted {
    fn from(model: &ModelServer) -> Counted {
        Counted { answers: u64::from(model.answered()), usage: model.usage() }
    }
}

impl From<Served> for Counted {
    fn from(served: Served) -> Counted {
        let Served { requests, uncached, cache_read, cache_write_5m, output, .. } = served;
        let usage = Usage { uncached, cache_read, cache_write_5m, output, ..Usage::default() };
        Counted { answers: requests, usage }
    }
}

impl Team {
    /// Holds the books of these jobs, which are all that the stand-in worked for, against each other: to the token and to the
    /// micro-dollar.
    pub async fn assert_books(&self, jobs: &[JobId], counted: impl Into<Counted>) {
        let mut sum = Counted::default();
        for &job in jobs {
            let of_job = self.agreed(job).await;
            sum = Counted { answers: sum.answers + of_job.answers, usage: sum.usage + of_job.usage };
        }
        assert_eq!(sum, counted.into(), "ledger and stand-in differ");
    }

    /// What the ledger, the events and the sums of one job say alike.
    async fn agreed(&self, job: JobId) -> Counted {
        let row = self.api.job(job).await.unwrap();
        let calls = self.api.calls(job).await.unwrap();
        let events = self.api.events(job, 0, 100_000).await.unwrap();
        let mut keys: Vec<_> = calls.iter().map(|call| (call.attempt, call.call)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), calls.len(), "no call stands in the ledger twice");

        let paid = calls.iter().filter(|call| call.basis == "reported");
        let mut paid: Vec<(u32, String, Usage, Money)> =
            paid.map(|call| (call.call as u32, call.model.clone(), call.usage, call.cost)).collect();
        paid.sort_by_key(|call| call.0);
        let told: Vec<_> = events
            .iter()
            .filter_map(|record| match &record.event {
                Event::ModelReplied { step, model, usage, cost, .. } => {
                    Some((*step, model.clone(), *usage, *cost))
                }
                _ => None,
            })
            .collect();
        assert_eq!(paid, told, "each answer is an event and a settled call, once");

        let usage = paid.iter().fold(Usage::default(), |sum, call| sum + call.2);
        let cost: Money = calls.iter().map(|call| call.cost).sum();
        assert_eq!((row.steps, row.usage, row.cost), (paid.len() as i64, usage, cost), "the job's own sums");
        let unbilled: Money =
            calls.iter().filter(|call| call.basis == "unbilled").map(|call| call.cost).sum();
        assert_eq!(unbilled, Money::ZERO);
        // A part of the output, which not every stand-in tells apart.
        Counted { answers: paid.len() as u64, usage: Usage { reasoning: 0, ..usage } }
    }
}
