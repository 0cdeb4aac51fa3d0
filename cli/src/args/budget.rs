//! `budget`: what a repository, or all of them together, may spend.

use clap::{Args, Subcommand};
use domain::Money;
use store::Period;

use super::job::{full_address, micros};
use crate::error::CliError;

/// `budget`
#[derive(Debug, Args)]
pub struct BudgetArgs {
    #[command(subcommand)]
    pub action: Option<BudgetAction>,
}

/// What is to be done; nothing named lists them.
#[derive(Debug, Subcommand)]
pub enum BudgetAction {
    /// List all budgets, what is spent of them, and which of them jobs wait for
    List,
    /// Set or change a budget: no model call is made whose worst case does not fit into it
    Set(SetBudgetArgs),
    /// Take a budget away
    Clear(ClearBudgetArgs),
}

/// Whose budget.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Whose {
    /// That of one repository, named as its jobs name it
    #[arg(long, value_name = "PATH_OR_URL")]
    pub repo: Option<String>,
    /// That of all repositories together
    #[arg(long)]
    pub all: bool,
}

impl Whose {
    /// The repository as its jobs have it; None: all of them together.
    pub fn repo(&self) -> Result<Option<String>, CliError> {
        self.repo.as_deref().map(full_address).transpose()
    }
}

/// `budget set`
#[derive(Debug, Args)]
pub struct SetBudgetArgs {
    #[command(flatten)]
    pub whose: Whose,
    /// At most so much in a day of UTC, such as 5.00
    #[arg(long, value_name = "DOLLARS", value_parser = micros, required_unless_present = "total")]
    pub per_day: Option<i64>,
    /// At most so much in all, until you raise it
    #[arg(long, value_name = "DOLLARS", value_parser = micros)]
    pub total: Option<i64>,
}

impl SetBudgetArgs {
    /// The limits that are named.
    pub fn limits(&self) -> Result<Vec<(Period, Money)>, CliError> {
        let named = [(Period::Day, self.per_day), (Period::Ever, self.total)];
        if named.iter().any(|(_, limit)| *limit == Some(0)) {
            return Err(CliError::Usage(
                "a budget of nothing would fail every job: give more, or stop work with `codeteam pause`"
                    .into(),
            ));
        }
        Ok(named.into_iter().filter_map(|(period, limit)| Some((period, Money(limit?)))).collect())
    }
}

/// `budget clear`
#[derive(Debug, Args)]
pub struct ClearBudgetArgs {
    #[command(flatten)]
    pub whose: Whose,
    /// Only the daily one
    #[arg(long, conflicts_with = "total")]
    pub per_day: bool,
    /// Only the total one
    #[arg(long)]
    pub total: bool,
}

impl ClearBudgetArgs {
    /// None: both.
    pub fn period(&self) -> Option<Period> {
        match (self.per_day, self.total) {
            (true, _) => Some(Period::Day),
            (_, true) => Some(Period::Ever),
            _ => None,
        }
    }
}
