//! `budget`: lists, sets and clears what may be spent.

use jiff::Timestamp;
use serde_json::json;
use store::{Budget, Database, Period};

use crate::args::{BudgetAction, BudgetArgs, ClearBudgetArgs, SetBudgetArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::out;
use crate::team::access::{Absent, Access};
use crate::view::number::age;
use crate::view::table::table;
use crate::view::text::{address, one_line};
use crate::view::why::opens;

pub async fn execute(context: &Context, args: BudgetArgs) -> Result<(), CliError> {
    Access::with(context, "budget", Absent::Refuse, async |access| {
        let database = &access.database;
        match &args.action {
            None | Some(BudgetAction::List) => {}
            Some(BudgetAction::Set(args)) => set(database, args).await?,
            Some(BudgetAction::Clear(args)) => clear(database, args).await?,
        }
        let mut budgets = database.budgets().await?;
        for budget in &mut budgets {
            // A password in a repository's URL is nobody's business here.
            budget.repo = budget.repo.as_deref().map(address);
        }
        if context.json {
            out::json(&json!({"budgets": budgets}));
        } else if budgets.is_empty() {
            out::note("there is no budget: `codeteam budget set --all --per-day 20` sets one");
        } else {
            out::line(&list(&budgets, Timestamp::now()));
        }
        Ok(())
    })
    .await
}

async fn set(database: &Database, args: &SetBudgetArgs) -> Result<(), CliError> {
    let repo = args.whose.repo()?;
    for (period, limit) in args.limits()? {
        database.set_budget(repo.as_deref(), period, limit).await?;
    }
    Ok(())
}

async fn clear(database: &Database, args: &ClearBudgetArgs) -> Result<(), CliError> {
    let repo = args.whose.repo()?;
    if !database.clear_budget(repo.as_deref(), args.period()).await? {
        return Err(CliError::Usage("there is no such budget: `codeteam budget` lists them".into()));
    }
    Ok(())
}

fn list(budgets: &[Budget], now: Timestamp) -> String {
    let row = |budget: &Budget| {
        let left = budget.limit.less(budget.spent);
        let state = match budget.stopped_since {
            None => "open".to_owned(),
            Some(since) => {
                format!("jobs wait since {}; it opens {}", age(since, now), opens(budget.opens_at))
            }
        };
        vec![
            budget.repo.as_ref().map_or("all repositories".into(), |repo| one_line(repo, 60)),
            match budget.period {
                Period::Day => "a day".into(),
                Period::Ever => "in all".into(),
            },
            budget.limit.to_string(),
            budget.spent.to_string(),
            left.to_string(),
            state,
        ]
    };
    table(&["of", "for", "budget", "spent", "left", ""], &[2, 3, 4], budgets.iter().map(row))
}

#[cfg(test)]
mod tests {
    use domain::Money;

    use super::*;

    #[test]
    fn a_list_says_what_is_left_and_when_a_spent_budget_opens() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let open = Budget {
            repo: None,
            period: Period::Ever,
            limit: Money(100_000_000),
            spent: Money(1),
            stopped_since: None,
            opens_at: None,
        };
        let spent = Budget {
            repo: Some("/srv/app".into()),
            period: Period::Day,
            limit: Money(5_000_000),
            spent: Money(5_100_000),
            stopped_since: Some(at("2026-11-22T16:00:00Z")),
            opens_at: Some(at("2026-11-23T00:00:00Z")),
        };
        let text = list(&[open, spent], at("2026-11-22T18:00:00Z"));
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect())
            .collect();
        assert_eq!(
            lines[1],
            ["all repositories", "in all", "$100.000000", "$0.000001", "$99.999999", "open"]
        );
        assert_eq!(lines[2][4..], ["$0.000000", "jobs wait since 2h; it opens at 2026-11-23 00:00 UTC"]);
    }
}
