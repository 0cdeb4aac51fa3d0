//! Contestants take turns, round by round: what slows the machine for a while then slows all of them.

use std::time::Duration;

use crate::peers::{Peer, Setting};

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// A quick look instead of figures to quote.
    pub short: bool,
}

impl Effort {
    pub fn pick<T>(self, short: T, full: T) -> T {
        if self.short { short } else { full }
    }
}

/// Who is measured.
#[derive(Clone, Copy)]
pub enum Who<'a> {
    /// The least that could do the job: what nobody can beat.
    Floor,
    Codeteam,
    Peer(&'a Peer, Setting),
}

impl Who<'_> {
    pub fn name(self) -> String {
        match self {
            Who::Floor => "floor".to_owned(),
            Who::Codeteam => "codeteam".to_owned(),
            Who::Peer(peer, _) => format!("{} {}", peer.name, peer.version),
        }
    }

    pub fn setting(self) -> &'static str {
        match self {
            Who::Peer(_, setting) => setting.name(),
            _ => "",
        }
    }

    /// What it does for a job's safety, in a line.
    pub fn facts(self) -> String {
        match self {
            Who::Floor => "completion: by id alone; journal: none; rescue: never".to_owned(),
            Who::Codeteam => {
                "completion: fenced by attempt and worker; journal: an event row per step; rescue: 30 s"
                    .to_owned()
            }
            Who::Peer(peer, _) => peer.facts(),
        }
    }
}

/// Why one contestant has no figures. The others go on; every other error ends the whole run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    /// `error` as one of a contestant's own.
    pub fn of(error: anyhow::Error) -> anyhow::Error {
        Trouble(format!("{error:#}")).into()
    }
}

/// Takes trouble apart from the errors that end the run.
pub fn tolerate<T>(result: anyhow::Result<T>) -> anyhow::Result<Result<T, Trouble>> {
    match result {
        Ok(figure) => Ok(Ok(figure)),
        Err(error) => error.downcast::<Trouble>().map(Err),
    }
}

/// What came of one contestant: a figure per round, up to the round in which something was the matter.
pub struct Outcome<T> {
    pub got: Vec<T>,
    pub trouble: Option<String>,
}

impl<T> Outcome<T> {
    /// The last cell of its row: the trouble, or what it does for a job's safety.
    pub fn remark(&self, who: Who<'_>) -> String {
        self.trouble.clone().unwrap_or_else(|| who.facts())
    }
}

/// Runs each contestant once per round. One that is in [`Trouble`] is left out from then on, with the reason.
pub async fn in_turns<C, T>(
    rounds: usize,
    contestants: &[C],
    mut run: impl AsyncFnMut(&C) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<Outcome<T>>> {
    let mut outcomes: Vec<_> =
        contestants.iter().map(|_| Outcome { got: Vec::new(), trouble: None }).collect();
    for _ in 0..rounds {
        for (contestant, outcome) in contestants.iter().zip(&mut outcomes) {
            if outcome.trouble.is_none() {
                match tolerate(run(contestant).await)? {
                    Ok(figure) => outcome.got.push(figure),
                    Err(Trouble(why)) => outcome.trouble = Some(why),
                }
            }
        }
    }
    Ok(outcomes)
}

/// How much of something fits into `time` when `done` of it took `took`: at least `done`, at most `most`.
pub fn fitting(time: Duration, done: usize, took: Duration, most: usize) -> usize {
    let fits = done as f64 * time.as_secs_f64() / took.as_secs_f64().max(1e-6);
    (fits as usize).clamp(done.min(most), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_in_trouble_is_left_out_and_the_others_go_on() {
        let mut order = Vec::new();
        let run = async |name: &&'static str| {
            order.push(*name);
            if *name == "a" { Err(Trouble("it broke".into()).into()) } else { Ok(1) }
        };
        let outcomes = in_turns(2, &["a", "b"], run).await.unwrap();
        assert_eq!(order, ["a", "b", "b"]);
        assert_eq!((outcomes[0].trouble.as_deref(), outcomes[1].got.len()), (Some("it broke"), 2));
    }

    #[tokio::test]
    async fn any_other_error_ends_the_run() {
        let run = async |_: &()| -> anyhow::Result<()> { anyhow::bail!("the server is gone") };
        assert!(in_turns(2, &[()], run).await.is_err());
    }

    #[test]
    fn a_slow_one_gets_less_to_do_and_a_quick_one_no_more_than_wanted() {
        let time = Duration::from_secs(5);
        assert_eq!(fitting(time, 50, Duration::from_secs(10), 20_000), 50);
        assert_eq!(fitting(time, 50, Duration::from_secs(1), 20_000), 250);
        assert_eq!(fitting(time, 50, Duration::from_millis(1), 20_000), 20_000);
        assert_eq!(fitting(time, 50, Duration::from_millis(1), 20), 20);
    }
}
