//! A line of jobs, those who get into it and those who claim from it, and PostgreSQL's transaction ids.

use std::collections::BTreeSet;

/// The latest row of `codeteam.line_steps`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    pub starts_at: u8,
    pub next_start: u8,
    pub horizon: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub next_xid: u8,
    pub under_way: BTreeSet<u8>,
    /// The latest that has ended.
    pub latest: u8,
    pub line: Line,
    /// The turns of the jobs that stand in line, as committed.
    pub turns: Vec<u8>,
    pub arrivals: Vec<Arrival>,
    pub claimers: Vec<Claimer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arrival {
    Outside,
    /// Its transaction has an id; it has not looked yet.
    Begun(u8),
    /// It has a turn, and perhaps no id yet.
    Looked(Option<u8>, u8),
    /// It is committed, or undone.
    Over,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimer {
    /// None: no transaction is under way.
    pub xid: Option<u8>,
    /// What it has locked.
    pub taken: Vec<u8>,
    /// The line's row as it has written it, and so locked it.
    pub wrote: Option<Line>,
}

impl State {
    pub fn new_xid(&mut self) -> u8 {
        self.next_xid += 1;
        self.next_xid - 1
    }

    pub fn begin(&mut self) -> u8 {
        let xid = self.new_xid();
        self.under_way.insert(xid);
        xid
    }

    pub fn end(&mut self, xid: u8) {
        self.under_way.remove(&xid);
        self.latest = self.latest.max(xid);
    }

    /// Only the order of transaction ids matters, and not who is who: without that there are fewer states to visit.
    pub fn normalise(&mut self) {
        let horizons = self.claimers.iter().filter_map(|claimer| claimer.wrote).chain([self.line]);
        let known: BTreeSet<u8> = horizons
            .filter_map(|line| line.horizon)
            .chain(self.under_way.iter().copied())
            .chain([self.latest, self.latest + 1, self.next_xid])
            .collect();
        let rank = |xid: u8| known.range(..xid).count() as u8;
        self.next_xid = rank(self.next_xid);
        self.latest = rank(self.latest);
        self.under_way = self.under_way.iter().copied().map(rank).collect();
        self.line.horizon = self.line.horizon.map(rank);
        for claimer in &mut self.claimers {
            claimer.xid = claimer.xid.map(rank);
            if let Some(line) = &mut claimer.wrote {
                line.horizon = line.horizon.map(rank);
            }
        }
        for arrival in &mut self.arrivals {
            match arrival {
                Arrival::Begun(xid) | Arrival::Looked(Some(xid), _) => *xid = rank(*xid),
                Arrival::Outside | Arrival::Looked(None, _) | Arrival::Over => {}
            }
        }
        self.claimers.sort();
        self.arrivals.sort();
    }

    /// Of a snapshot that is taken now.
    pub fn xmin(&self) -> u8 {
        self.under_way.first().copied().unwrap_or(u8::MAX).min(self.xmax())
    }

    pub fn xmax(&self) -> u8 {
        self.latest + 1
    }

    /// The first job that stands in line, for those who do not see what others have locked as gone.
    pub fn first(&self) -> Option<u8> {
        self.turns.iter().copied().filter(|turn| *turn >= self.line.starts_at).min()
    }

    /// The least turn that nobody has locked.
    pub fn free(&self) -> Option<u8> {
        let taken = self.claimers.iter().flat_map(|claimer| &claimer.taken);
        without(&self.turns, taken).into_iter().filter(|turn| *turn >= self.line.starts_at).min()
    }
}

/// Two jobs that were given back may have the same turn: each that is taken takes one away.
pub fn without<'a>(turns: &[u8], taken: impl IntoIterator<Item = &'a u8>) -> Vec<u8> {
    let mut left = turns.to_vec();
    for turn in taken {
        if let Some(at) = left.iter().position(|other| other == turn) {
            left.remove(at);
        }
    }
    left
}
