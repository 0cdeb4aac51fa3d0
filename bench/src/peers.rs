//! The other queues: what `peers/peers.json` says of them, how they are installed, and how one of their commands is run. The
//! protocol that they speak is told in `peers/README.md`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::child;
use crate::server::Server;
use crate::turns::Trouble;

/// A release build of three Rust peers on two busy cores takes minutes.
const INSTALL_WITHIN: Duration = Duration::from_secs(1_800);
const SETUP_WITHIN: Duration = Duration::from_secs(60);

/// A queue to compare with.
#[derive(Deserialize)]
pub struct Peer {
    pub name: String,
    pub version: String,
    /// Beside `peers.json`; programs run in it.
    folder: String,
    /// The commands that install it there, one after the other; they may be run again.
    install: Vec<Vec<String>>,
    /// The program that speaks the protocol.
    run: Vec<String>,
    /// Read in its source or its documentation.
    facts: Facts,
    /// Why it cannot be measured here.
    #[serde(skip)]
    trouble: Option<String>,
}

/// What a peer does for a job's safety besides running it, a few words each.
#[derive(Deserialize)]
struct Facts {
    /// What a completion is held against.
    completion: String,
    /// Whether a worker that was given up, and comes back, is kept from completing the job of another attempt.
    fences: bool,
    /// What is written down of each job's way.
    journal: String,
    /// How long a crashed worker's job waits.
    rescue: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// As it comes.
    Default,
    /// As its documentation recommends for what is measured.
    Best,
}

impl Setting {
    pub const ALL: [Setting; 2] = [Setting::Default, Setting::Best];

    pub fn name(self) -> &'static str {
        match self {
            Setting::Default => "default",
            Setting::Best => "best",
        }
    }
}

/// Every peer that the data file knows, or those that `names` names.
pub fn known(names: &[String]) -> anyhow::Result<Vec<Peer>> {
    let all: Vec<Peer> = serde_json::from_str(include_str!("../peers/peers.json"))?;
    let known = all.iter().map(|peer| peer.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|peer| peer.name == **name)) {
        bail!("there is no peer {unknown:?}: use one of {known}");
    }
    Ok(all.into_iter().filter(|peer| names.is_empty() || names.contains(&peer.name)).collect())
}

impl Peer {
    /// Installs it and makes the database that its runs are copies of. When that fails, each measurement of it says why.
    pub async fn prepare(&mut self, server: &Server) {
        self.trouble = self.install(server).await.err().map(|error| format!("{error:#}"));
    }

    async fn install(&self, server: &Server) -> anyhow::Result<()> {
        for command in &self.install {
            child::run(&self.folder(), command, &[], INSTALL_WITHIN).await.context("not installed")?;
        }
        let client = server.client("postgres").await?;
        client.batch_execute(&format!("create database {}", self.template())).await?;
        self.execute(&server.url(&self.template()), &["setup".to_owned()], SETUP_WITHIN).await?;
        Ok(())
    }

    /// A database for one run of it.
    pub async fn database(&self, server: &Server) -> anyhow::Result<String> {
        match &self.trouble {
            Some(why) => Err(Trouble(why.clone()).into()),
            None => server.fresh(&self.template()).await,
        }
    }

    /// Runs one command in a database of its own and gives its answer.
    pub async fn ask(&self, server: &Server, arguments: &[String], limit: Duration) -> anyhow::Result<Value> {
        let database = self.database(server).await?;
        let answer = self.ask_in(server, &database, arguments, limit).await;
        server.drop(&database).await?;
        answer
    }

    /// The same in a [`Peer::database`] that the caller takes away.
    pub async fn ask_in(
        &self,
        server: &Server,
        database: &str,
        arguments: &[String],
        limit: Duration,
    ) -> anyhow::Result<Value> {
        self.answer(&server.url(database), arguments, limit).await.map_err(Trouble::of)
    }

    async fn answer(&self, url: &str, arguments: &[String], limit: Duration) -> anyhow::Result<Value> {
        let output = self.execute(url, arguments, limit).await?;
        let line = output.lines().last().with_context(|| format!("{arguments:?} gave no answer"))?;
        let answer: Value =
            serde_json::from_str(line).with_context(|| format!("no JSON in its answer {line:?}"))?;
        match answer["unsupported"].as_str() {
            Some(why) => bail!("not supported: {why}"),
            None => Ok(answer),
        }
    }

    /// graphile-worker and graphile_worker are two.
    fn template(&self) -> String {
        format!("peer_{}", self.name.replace('-', "__"))
    }

    pub fn fences(&self) -> bool {
        self.facts.fences
    }

    pub fn facts(&self) -> String {
        let Facts { completion, journal, rescue, .. } = &self.facts;
        format!("completion: {completion}; journal: {journal}; rescue: {rescue}")
    }

    async fn execute(&self, url: &str, arguments: &[String], limit: Duration) -> anyhow::Result<String> {
        let program = [&self.run, arguments].concat();
        child::run(&self.folder(), &program, &[("DATABASE_URL", url)], limit).await
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers").join(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_of_the_data_file_has_a_folder() {
        for peer in known(&[]).unwrap() {
            assert!(peer.folder().is_dir(), "{}", peer.name);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = known(&["pgboss".into()]).err().unwrap().to_string();
        assert!(error.contains("pg-boss") && error.contains("procrastinate"), "{error}");
    }
}
