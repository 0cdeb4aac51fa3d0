//! `costs`: what the newest jobs cost, by model and by repository, from the ledger.

use std::collections::BTreeMap;

use domain::{Money, Usage};
use serde::Serialize;
use store::{CallRow, JobFilter, JobRow};

use crate::args::CostsArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::number::count;
use crate::view::table::table;
use crate::view::text::{address, one_line};

pub async fn execute(context: &Context, args: CostsArgs) -> Result<(), CliError> {
    Access::with(context, "costs", Absent::Refuse, async |access| {
        let mut costs = Costs::default();
        for job in access.database.jobs(JobFilter::default(), args.limit).await? {
            costs.add(&job, &access.database.calls(job.id).await?);
        }
        if context.json {
            out::json(&costs);
        } else {
            out::line(&costs.shown());
        }
        Ok(())
    })
    .await
}

/// One line of a sum.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Sum {
    jobs: u64,
    calls: u64,
    tokens: Usage,
    /// Calls that are not settled yet stand in it with their worst case.
    cost_micros: Money,
}

#[derive(Debug, Default, Serialize)]
struct Costs {
    total: Sum,
    by_model: BTreeMap<String, Sum>,
    by_repo: BTreeMap<String, Sum>,
}

impl Sum {
    fn add<'a>(&mut self, calls: impl IntoIterator<Item = &'a CallRow>) {
        self.jobs += 1;
        for call in calls {
            self.calls += 1;
            self.tokens += call.usage;
            self.cost_micros += call.cost;
        }
    }
}

impl Costs {
    fn add(&mut self, job: &JobRow, calls: &[CallRow]) {
        self.total.add(calls);
        self.by_repo.entry(address(&job.repo)).or_default().add(calls);
        let mut by_model: BTreeMap<&str, Vec<&CallRow>> = BTreeMap::new();
        for call in calls {
            by_model.entry(&call.model).or_default().push(call);
        }
        for (model, calls) in by_model {
            self.by_model.entry(model.to_owned()).or_default().add(calls);
        }
    }

    fn shown(&self) -> String {
        let row = |name: &str, sum: &Sum| {
            let Sum { jobs, calls, tokens, cost_micros } = sum;
            let (input, output) = (count(tokens.input()), count(tokens.output));
            let cached = count(tokens.cache_read);
            let name = one_line(name, 60);
            vec![name, jobs.to_string(), calls.to_string(), input, cached, output, cost_micros.to_string()]
        };
        let of = |heading: &str, sums: &BTreeMap<String, Sum>| {
            let total = std::iter::once(row("total", &self.total));
            let rows = sums.iter().map(|(name, sum)| row(name, sum)).chain(total);
            let headings = [heading, "jobs", "calls", "input", "of it cached", "output", "cost"];
            table(&headings, &[1, 2, 3, 4, 5, 6], rows)
        };
        format!("{}\n\n{}", of("model", &self.by_model), of("repository", &self.by_repo))
    }
}
