//! Sleeping until there is something to do, without polling and without missing a ring.
//!
//! The protocol is that of `sql/functions/ring.sql`: LISTEN first, register second, look third, wait last. On every reconnect
//! it starts again. Through a connection pooler, where nobody can LISTEN, it is refused. A notification is a hint and never
//! carries the truth: after each wake the caller looks for itself.

use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::JobId;
use rand::RngExt;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::connection::Connection;
use crate::database::{Backoff, Param};
use crate::row::one;
use crate::{Database, StoreError, compatibility};

/// How long a sleeper waits at most before it looks though nobody rang; a fifth more at random, so that a fleet spreads out.
const SAFETY_LOOK: Duration = Duration::from_secs(30);

/// What a sleeper waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A job of this mode can be claimed.
    Mode(domain::Mode),
    /// There is demand of any mode.
    Scaler,
    /// This job has events after that seq.
    Events(JobId, i64),
}

impl Topic {
    fn name(self) -> &'static str {
        match self {
            Topic::Mode(mode) => mode.as_str(),
            Topic::Scaler => "scaler",
            Topic::Events(..) => "events",
        }
    }

    fn events(self) -> (Option<Uuid>, i64) {
        match self {
            Topic::Events(job, after_seq) => (Some(job.0), after_seq),
            _ => (None, 0),
        }
    }
}

/// Why a sleeper woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// A look before falling asleep found something.
    Ready,
    /// The doorbell rang.
    Rung,
    /// The time came that the last look had named.
    Due,
    /// The safety look found something that nobody had rung for. It should never happen; tests fail when it does.
    Safety,
}

/// One process's place at the door.
pub struct Doorbell {
    database: Arc<Database>,
    topic: Topic,
    sleeper: Uuid,
    /// Whether this handle's last registration may still be listed.
    armed: bool,
    /// The connection on which it was registered last.
    armed_on: Weak<Connection>,
    heard: watch::Sender<Option<Instant>>,
}

struct Look {
    ready: bool,
    next_due: Option<Duration>,
    xmin: i64,
}

impl Doorbell {
    /// A doorbell for `topic`; `sleeper` names the process, and for workers is the worker's id.
    pub fn new(database: Arc<Database>, topic: Topic, sleeper: Uuid) -> Doorbell {
        Doorbell {
            database,
            topic,
            sleeper,
            armed: false,
            armed_on: Weak::new(),
            heard: watch::Sender::new(None),
        }
    }

    /// When the database was last heard of at this doorbell, which is each 36 s while one sleeps. None: never.
    pub fn heard(&self) -> watch::Receiver<Option<Instant>> {
        self.heard.subscribe()
    }

    /// Sleeps until there may be something to do. Outlives a database that goes and comes back; returns an error only when
    /// waiting cannot help. May be dropped at any await: a registration that is left behind only costs a needless ring.
    pub async fn sleep(&mut self) -> Result<Wake, StoreError> {
        let mut backoff = Backoff::default();
        loop {
            match self.sleep_once().await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, topic = self.topic.name(), "the doorbell is out of reach; it is tried again");
                    sleep(backoff.longer()).await;
                }
                Ok(None) => backoff = Backoff::default(),
                Ok(Some(wake)) => return Ok(wake),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sleeps for another topic from now on; for following a job, whose topic holds the last seq that was seen.
    pub(crate) fn set_topic(&mut self, topic: Topic) {
        self.topic = topic;
        self.armed_on = Weak::new();
    }

    /// Waits for a ring alone, whatever there is to do already: for who is awake and wants to hear of more. Returns when somebody
    /// rang, and when a ring may have been missed. Who is listed already says nothing to the database: it is no sign of life.
    pub async fn rung(&mut self) -> Result<(), StoreError> {
        let connection = self.database.connection().await?;
        let mut rings = connection.rings();
        let channel = format!("codeteam_{}", self.topic.name());
        self.database.listen_on(&connection, &channel).await?;
        let listed = self.armed && std::ptr::eq(self.armed_on.as_ptr(), Arc::as_ptr(&connection));
        if !listed {
            self.armed = true; // as in sleep_once
            let (newly_armed, _) = self.doze(&connection).await?;
            if newly_armed {
                return Ok(()); // what was under way meanwhile did not ring
            }
        }
        tokio::select! {
            () = rung(&mut rings, &channel) => {}
            () = connection.closed() => {}
        }
        Ok(())
    }

    /// Takes this sleeper off the list, so that inserts stop ringing for it. Claiming a job does this by itself.
    pub async fn wake(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.armed) {
            let topic = self.topic.name();
            let params: [Param<'_>; 2] = [(&topic, Type::TEXT), (&self.sleeper, Type::UUID)];
            self.database.query(include_str!("../queries/wake.sql"), &params).await?;
        }
        Ok(())
    }

    /// One sleep on one connection. None: the connection broke, or a look that was due found nothing.
    async fn sleep_once(&mut self) -> Result<Option<Wake>, StoreError> {
        let connection = self.database.connection().await?;
        let mut rings = connection.rings(); // from here on no ring is missed
        let channel = format!("codeteam_{}", self.topic.name());
        self.database.listen_on(&connection, &channel).await?;

        let mut reason = Wake::Ready;
        loop {
            self.armed = true; // before it is so: a sleep that is dropped may have been registered
            let (newly_armed, mut look) = self.doze(&connection).await?;
            if newly_armed && !look.ready {
                look = self.look_until_safe(&connection).await?;
            }
            if look.ready {
                return Ok(Some(reason));
            }
            let safety = Instant::now() + SAFETY_LOOK.mul_f64(rand::rng().random_range(1.0..1.2));
            let due = look.next_due.map(|due| Instant::now() + due);
            reason = if due.is_some_and(|due| due < safety) { Wake::Due } else { Wake::Safety };
            tokio::select! {
                () = rung(&mut rings, &channel) => return Ok(Some(Wake::Rung)),
                () = connection.closed() => return Ok(None),
                () = sleep_until(due.map_or(safety, |due| due.min(safety))) => {}
            }
        }
    }

    /// Looks until every insert that could have missed the registration has ended and been seen: those whose transaction ids were
    /// given out before this new one. (A snapshot's xmax lies behind the latest id that has ended, and may be too early.)
    async fn look_until_safe(&self, connection: &Connection) -> Result<Look, StoreError> {
        let rows = self.database.query_on(connection, include_str!("../queries/new_xid.sql"), &[]).await?;
        let horizon: i64 = one(&rows)?.get(0);
        let mut pause = Duration::from_millis(1);
        loop {
            let look = self.look(connection).await?;
            if look.ready || look.xmin >= horizon {
                return Ok(look);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    async fn doze(&mut self, on: &Arc<Connection>) -> Result<(bool, Look), StoreError> {
        let (topic, (job, after_seq)) = (self.topic.name(), self.topic.events());
        let params: [Param<'_>; 4] =
            [(&topic, Type::TEXT), (&self.sleeper, Type::UUID), (&job, Type::UUID), (&after_seq, Type::INT8)];
        let rows = self.database.query_on(on, include_str!("../queries/doze.sql"), &params).await?;
        let row = one(&rows)?;
        self.heard.send_replace(Some(Instant::now()));
        self.armed_on = Arc::downgrade(on);
        compatibility::judge(row.get("version"), row.get("works_since"))?; // the schema may have changed while this process slept
        Ok((row.get(0), Look { ready: row.get(1), next_due: millis(row.get(2)), xmin: 0 }))
    }

    async fn look(&self, on: &Connection) -> Result<Look, StoreError> {
        let (topic, (job, after_seq)) = (self.topic.name(), self.topic.events());
        let params: [Param<'_>; 3] = [(&topic, Type::TEXT), (&job, Type::UUID), (&after_seq, Type::INT8)];
        let rows = self.database.query_on(on, include_str!("../queries/look.sql"), &params).await?;
        let row = one(&rows)?;
        Ok(Look { ready: row.get(0), next_due: millis(row.get(1)), xmin: row.get(2) })
    }
}

fn millis(value: Option<i64>) -> Option<Duration> {
    value.map(|value| Duration::from_millis(value.max(0).unsigned_abs()))
}

/// Returns when `channel` rang, or when rings were missed because there were too many of them.
pub(crate) async fn rung(rings: &mut Receiver<String>, channel: &str) {
    loop {
        match rings.recv().await {
            Ok(rung) if rung == channel => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // The connection is gone; its closing is waited for beside this.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Hears when somebody rings for one worker itself, as `cancel_job` does. A ring between two waits is not missed.
pub struct Summons {
    database: Arc<Database>,
    channel: String,
    heard: Option<(Arc<Connection>, Receiver<String>)>,
}

impl Summons {
    /// For this worker.
    pub fn new(database: Arc<Database>, worker: domain::WorkerId) -> Summons {
        Summons { database, channel: format!("codeteam_worker_{worker}"), heard: None }
    }

    /// Returns when somebody rang, and on each new connection: a ring may have been missed then, and a heartbeat tells. An
    /// error means that the database is out of reach. May be dropped at any await and called again.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        if let Some((connection, rings)) = self.heard.as_mut().filter(|(connection, _)| connection.is_open())
        {
            tokio::select! {
                () = rung(rings, &self.channel) => return Ok(()),
                () = connection.closed() => {}
            }
        }
        let connection = self.database.connection().await?;
        let rings = connection.rings();
        self.database.listen_on(&connection, &self.channel).await?;
        self.heard = Some((connection, rings));
        Ok(())
    }
}
