//! A stretch of a simulation in equal steps of time, for a picture of it. Of each step the highest numbers are kept, so that nothing is
//! lost that is shorter than a step.

use std::time::Duration;

use super::{View, Watch};

/// A stretch of time in equal steps.
#[derive(Clone, Debug)]
pub struct Series {
    from: Duration,
    step: Duration,
    alive: Vec<u32>,
    waiting: Vec<u32>,
    last: (Duration, View),
}

impl Series {
    /// Will keep the stretch from `from` on, of this length, in so many steps (at least one).
    pub fn new(from: Duration, length: Duration, steps: usize) -> Series {
        let steps = steps.max(1);
        let step = length / u32::try_from(steps).unwrap_or(u32::MAX);
        let step = step.max(Duration::from_nanos(1));
        let last = (Duration::ZERO, View::default());
        Series { from, step, alive: vec![0; steps], waiting: vec![0; steps], last }
    }

    /// Where it begins.
    pub fn from(&self) -> Duration {
        self.from
    }

    /// From its beginning to its end.
    pub fn length(&self) -> Duration {
        self.step * u32::try_from(self.alive.len()).unwrap_or(u32::MAX)
    }

    /// Tasks that were there, by step.
    pub fn alive(&self) -> &[u32] {
        &self.alive
    }

    /// Jobs that waited for a worker, by step.
    pub fn waiting(&self) -> &[u32] {
        &self.waiting
    }

    /// Two fleets over the same stretch. Where their highest numbers fell into one step but not into one moment, this is more than
    /// there ever was at once.
    pub fn and(mut self, other: &Series) -> Series {
        let add = |to: &mut [u32], from: &[u32]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(&mut self.alive, &other.alive);
        add(&mut self.waiting, &other.waiting);
        self
    }

    fn keep(&mut self, from: Duration, to: Duration, view: View) {
        if to < self.from {
            return;
        }
        let place = |at: Duration| (at.saturating_sub(self.from).as_nanos() / self.step.as_nanos()) as usize;
        let end = (place(to) + 1).min(self.alive.len());
        for index in place(from)..end {
            self.alive[index] = self.alive[index].max(view.alive());
            self.waiting[index] = self.waiting[index].max(view.waiting);
        }
    }
}

impl Watch for Series {
    fn settled(&mut self, at: Duration, view: View) {
        let (since, last) = self.last;
        self.keep(since, at, last);
        self.keep(at, at, view);
        self.last = (at, view);
    }
}
