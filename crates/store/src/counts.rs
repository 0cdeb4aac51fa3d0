//! How many jobs there are, without counting all of them.

use std::fmt;

use domain::{JobState, Mode};
use serde::Serialize;
use tokio_postgres::types::Type;

use crate::database::Param;
use crate::row::{cell, read};
use crate::{Database, StoreError};

/// How far each part is counted: what it costs does not grow with the table.
const MOST: i32 = 10_000;

/// A number that was counted to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// So many.
    Exactly(u64),
    /// More than so many; how many, nobody has counted.
    MoreThan(u64),
}

impl Counted {
    /// Whether there are none.
    pub fn is_zero(self) -> bool {
        self == Counted::Exactly(0)
    }
}

impl std::ops::Add for Counted {
    type Output = Counted;

    fn add(self, other: Counted) -> Counted {
        match (self, other) {
            (Counted::Exactly(a), Counted::Exactly(b)) => Counted::Exactly(a + b),
            (Counted::Exactly(a) | Counted::MoreThan(a), Counted::Exactly(b) | Counted::MoreThan(b)) => {
                Counted::MoreThan(a + b)
            }
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Counted::Exactly(n) => write!(f, "{n}"),
            Counted::MoreThan(n) => write!(f, "over {n}"),
        }
    }
}

/// The jobs of one mode in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StateCount {
    /// Whose jobs.
    pub mode: Mode,
    /// Where they stand.
    pub state: JobState,
    /// Those that are there, counted to 10,000.
    pub jobs: Counted,
    /// Those that have been deleted because they were old, exactly.
    pub swept: u64,
}

/// All jobs, by mode and state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Counts(pub Vec<StateCount>);

impl Counts {
    /// The jobs in `state`, of both modes.
    pub fn of(&self, state: JobState) -> Counted {
        self.0
            .iter()
            .filter(|count| count.state == state)
            .fold(Counted::Exactly(0), |sum, count| sum + count.jobs)
    }
}

impl Database {
    /// How many jobs there are. Costs the same with a hundred thousand jobs and with many millions.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let params: [Param<'_>; 1] = [(&MOST, Type::INT4)];
        let rows = self.query(include_str!("../queries/counts.sql"), &params).await?;
        let count = |row: &tokio_postgres::Row| {
            let jobs = cell::<i64>(row, "jobs")?.unsigned_abs();
            Ok(StateCount {
                mode: read(cell(row, "mode")?)?,
                state: read(cell(row, "state")?)?,
                jobs: if cell(row, "more")? { Counted::MoreThan(jobs) } else { Counted::Exactly(jobs) },
                swept: cell::<i64>(row, "swept")?.unsigned_abs(),
            })
        };
        rows.iter().map(count).collect::<Result<_, StoreError>>().map(Counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_counted_to_its_end_stays_uncertain_in_a_sum() {
        assert_eq!(Counted::Exactly(2) + Counted::Exactly(3), Counted::Exactly(5));
        let sum = Counted::MoreThan(10_000) + Counted::Exactly(3);
        assert_eq!(sum, Counted::MoreThan(10_003));
        assert_eq!(sum.to_string(), "over 10003");
        assert_eq!(serde_json::to_string(&sum).unwrap(), r#"{"more_than":10003}"#);
    }
}
