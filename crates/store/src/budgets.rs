//! Budgets: what the jobs of a repository, or all jobs together, may cost in a day or ever.
//!
//! A budget is held where a call is reserved: see [`crate::Journal::reserve`]. What may surprise: it is never passed, not even by the worst
//! case of a call, so that a part of it that is smaller than a call stays unspent.

use std::fmt;
use std::str::FromStr;

use domain::Money;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, one, read};
use crate::{Claim, Database, StoreError};

/// The time that a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Each day of UTC, from midnight to midnight.
    Day,
    /// All time: what is spent stays spent.
    Ever,
}

impl Period {
    /// As SQL and JSON have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Ever => "ever",
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Period {
    type Err = String;
    fn from_str(text: &str) -> Result<Period, String> {
        [Period::Day, Period::Ever]
            .into_iter()
            .find(|period| period.as_str() == text)
            .ok_or_else(|| format!("unknown period {text:?}: use one of day, ever"))
    }
}

/// A budget and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// As its jobs name it. None: all repositories together.
    pub repo: Option<String>,
    /// The time that it is for.
    pub period: Period,
    /// What may be spent in it.
    pub limit: Money,
    /// What is spent: settled calls at their cost, open ones at their worst case. More than the limit when that was lowered.
    pub spent: Money,
    /// Since when jobs wait, because it has no room for the next call. None: they do not.
    pub stopped_since: Option<Timestamp>,
    /// When they go on by themselves. None: when somebody raises or clears it.
    pub opens_at: Option<Timestamp>,
}

/// The spent budget that a queued job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetStop {
    /// Whether it is that of all repositories together; else it is the job's repository's.
    pub all: bool,
    /// When the job goes on by itself. None: when somebody raises or clears the budget.
    pub opens_at: Option<Timestamp>,
}

impl Database {
    /// Sets or changes a budget, of all repositories together when none is named. Jobs that waited for room go on when there is some.
    /// [`StoreError::Invalid`] unless the limit is from 1 micro-dollar to a billion dollars.
    pub async fn set_budget(
        &self,
        repo: Option<&str>,
        period: Period,
        limit: Money,
    ) -> Result<(), StoreError> {
        let period = period.as_str();
        let params: [Param<'_>; 3] = [(&repo, Type::TEXT), (&period, Type::TEXT), (&limit.0, Type::INT8)];
        self.query(include_str!("../queries/set_budget.sql"), &params).await.map(drop)
    }

    /// Takes a budget away; without a period, the daily and the total one. Jobs that waited for it go on. False: there was none.
    pub async fn clear_budget(&self, repo: Option<&str>, period: Option<Period>) -> Result<bool, StoreError> {
        let period = period.map(Period::as_str);
        let params: [Param<'_>; 2] = [(&repo, Type::TEXT), (&period, Type::TEXT)];
        cell(one(&self.query(include_str!("../queries/clear_budget.sql"), &params).await?)?, "clear_budget")
    }

    /// All budgets, those of all repositories together first.
    pub async fn budgets(&self) -> Result<Vec<Budget>, StoreError> {
        let rows = self.query(include_str!("../queries/list_budgets.sql"), &[]).await?;
        let budget = |row: &tokio_postgres::Row| {
            Ok(Budget {
                repo: cell(row, "repo")?,
                period: read(cell(row, "period")?)?,
                limit: Money(cell(row, "limit_micros")?),
                spent: Money(cell(row, "spent_micros")?),
                stopped_since: cell(row, "stopped_since")?,
                opens_at: cell(row, "opens_at")?,
            })
        };
        rows.iter().map(budget).collect()
    }

    /// Gives a job back whose next call, of that worst case, was refused with [`StoreError::BudgetSpent`]: no attempt is burnt, and it goes
    /// on when there is room, perhaps at once.
    pub async fn wait_for_budget(&self, claim: &Claim, worst_case: Money) -> Result<(), StoreError> {
        let [job, attempt, worker] = claim.params();
        let params = [job, attempt, worker, (&worst_case.0, Type::INT8)];
        self.query(include_str!("../queries/wait_for_budget.sql"), &params).await.map(drop)
    }
}
