//! `costs`: what everything cost, by model and by repository, from the ledger.

use serde_json::json;
use store::CostRow;

use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::number::count;
use crate::view::table::table;
use crate::view::text::{address, one_line};

pub async fn execute(context: &Context) -> Result<(), CliError> {
    Access::with(context, "costs", Absent::Refuse, async |access| {
        let mut costs = access.database.costs().await?;
        for cost in &mut costs {
            // A password in a repository's URL is nobody's business here.
            cost.name = address(&cost.name);
        }
        if context.json {
            out::json(&json!({"costs": costs}));
        } else {
            out::line(&format!("{}\n\n{}", shown("model", &costs), shown("repository", &costs)));
        }
        Ok(())
    })
    .await
}

fn shown(of: &str, costs: &[CostRow]) -> String {
    let row = |cost: &CostRow| {
        let name = if cost.of == "total" { "total".to_owned() } else { one_line(&cost.name, 60) };
        let (input, cached) = (count(cost.usage.input()), count(cost.usage.cache_read));
        let (jobs, calls) = (cost.jobs.to_string(), cost.calls.to_string());
        vec![name, jobs, calls, input, cached, count(cost.usage.output), cost.cost.to_string()]
    };
    let parts = costs.iter().filter(|cost| cost.of == of);
    let rows = parts.chain(costs.iter().filter(|cost| cost.of == "total")).map(row);
    let headings = [of, "jobs", "calls", "input", "of it cached", "output", "cost"];
    table(&headings, &[1, 2, 3, 4, 5, 6], rows)
}
