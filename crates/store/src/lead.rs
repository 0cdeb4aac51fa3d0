//! Which of several scalers leads: `sql/functions/lead.sql`.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::database::Param;
use crate::row::{cell, one};
use crate::{Database, StoreError};

/// What a scaler is told when it asks to lead. Times count from before it asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// It leads, and may act within this time.
    Mine {
        /// The fencing token: it grows with each change of leader.
        epoch: i64,
        /// Not before: its predecessor may still act.
        act_after: Duration,
        /// Not later, unless it has asked again.
        act_until: Duration,
    },
    /// Another one does.
    Anothers {
        /// When to ask again.
        ask_after: Duration,
    },
}

/// Who leads.
#[derive(Clone, Debug, Serialize)]
pub struct Leader {
    /// How often the lead has changed.
    pub epoch: i64,
    /// None: nobody.
    pub scaler: Option<Uuid>,
    /// Since when.
    pub since: Timestamp,
    /// Whether it was heard of lately.
    pub heard: bool,
    /// Why it cannot do its work. None: it can.
    pub trouble: Option<String>,
    /// Since when it cannot.
    pub trouble_since: Option<Timestamp>,
}

impl Database {
    /// Renews or takes the lead. The session that this is asked on is the leader's life: when it ends, another may take over.
    pub async fn lead(&self, scaler: Uuid) -> Result<Lead, StoreError> {
        let rows = self.query(include_str!("../queries/lead.sql"), &[(&scaler, Type::UUID)]).await?;
        let row = one(&rows)?;
        let span = |column| {
            let ms = cell::<Option<i64>>(row, column)?.unwrap_or(0);
            Ok::<_, StoreError>(Duration::from_millis(ms.max(0).unsigned_abs()))
        };
        Ok(if cell(row, "leads")? {
            Lead::Mine {
                epoch: cell(row, "epoch")?,
                act_after: span("act_after_ms")?,
                act_until: span("act_until_ms")?,
            }
        } else {
            Lead::Anothers { ask_after: span("act_until_ms")? }
        })
    }

    /// Gives the lead away, if this one has it.
    pub async fn resign(&self, scaler: Uuid) -> Result<(), StoreError> {
        self.query(include_str!("../queries/resign.sql"), &[(&scaler, Type::UUID)]).await.map(drop)
    }

    /// Says why the leader cannot do its work; None: it can. Without effect for who does not lead.
    pub async fn report_trouble(&self, scaler: Uuid, trouble: Option<&str>) -> Result<(), StoreError> {
        let params: [Param<'_>; 2] = [(&scaler, Type::UUID), (&trouble, Type::TEXT)];
        self.query(include_str!("../queries/report_trouble.sql"), &params).await.map(drop)
    }

    /// Who leads.
    pub async fn leader(&self) -> Result<Leader, StoreError> {
        let rows = self.query(include_str!("../queries/leader.sql"), &[]).await?;
        let row = one(&rows)?;
        Ok(Leader {
            epoch: cell(row, "epoch")?,
            scaler: cell(row, "scaler")?,
            since: cell(row, "since")?,
            heard: cell(row, "heard")?,
            trouble: cell(row, "trouble")?,
            trouble_since: cell(row, "trouble_since")?,
        })
    }
}
