//! Which metrics are published: a look and a batch in, data out. Pure.
//!
//! Spans are in milliseconds. Figures of the moment come from the last look, counts from the batch; each metric has the dimension Service:
//! `mechanic-worker`, `genius-worker`, `scaler` or `database`.

use std::time::Duration;

use domain::Mode;
use store::{Observation, Series};

use crate::aws::{Datum, Unit};

/// Whose heartbeat is published, and under which name its value is asked for again.
pub const HEARTBEAT: (&str, &str) = ("ScalerHeartbeat", "scaler");

/// The scaler lives: where this is missing it does not. Its value is the number of the batch that it is published with, or of the last
/// one that was, so that it tells whether a batch has arrived.
pub fn heartbeat(batch: i64) -> Datum {
    #[allow(clippy::cast_precision_loss)] // a batch a minute
    datum(HEARTBEAT.0, HEARTBEAT.1, Unit::Count, batch as f64)
}

/// The figures of the moment.
pub fn of_the_moment(seen: &Observation) -> Vec<Datum> {
    let connections = f64::from(seen.connections);
    let mut data = vec![datum("DatabaseConnectionsUsed", "database", Unit::Count, connections)];
    for &mode in Mode::ALL {
        let (queue, service) = (seen.of(mode), mode.service());
        data.extend([
            datum("QueueDepth", service, Unit::Count, queue.ready.into()),
            datum("OldestJobAge", service, Unit::Milliseconds, millis(queue.oldest_ready)),
            datum("InFlight", service, Unit::Count, queue.running.into()),
            datum("BusyWorkers", service, Unit::Count, queue.busy.into()),
            datum("StuckJobs", service, Unit::Count, queue.stuck.into()),
            datum("WorkerHeartbeatAge", service, Unit::Milliseconds, millis(queue.unheard)),
        ]);
    }
    data
}

/// What was counted. Where nothing was, zero is published of what an alarm may wait for.
pub fn counted(series: &[Series]) -> Vec<Datum> {
    let mut data = Vec::new();
    for &mode in Mode::ALL {
        let of = |what: &str| series.iter().find(|series| series.mode == mode && series.what == what);
        let times = |what| of(what).map_or(0.0, |series| series.counts.iter().sum());
        let total = |what| of(what).map_or(0.0, sum);
        data.extend([
            datum("JobSuccesses", mode.service(), Unit::Count, times("succeeded")),
            datum("JobFailures", mode.service(), Unit::Count, times("failed")),
            datum("StepsUsed", mode.service(), Unit::Count, times("call")),
            datum("TokensUsed", mode.service(), Unit::Count, total("call")),
            datum("JobsStuck", mode.service(), Unit::Count, times("job_stuck")),
            datum("WorkersLost", mode.service(), Unit::Count, times("worker_lost")),
        ]);
        let spans = [("JobDuration", "succeeded"), ("JobDuration", "failed"), ("WakeLatency", "wake")];
        data.extend(spans.into_iter().filter_map(|(name, what)| spread(name, mode, of(what)?)));
    }
    data
}

fn sum(series: &Series) -> f64 {
    series.values.iter().zip(&series.counts).map(|(value, count)| value * count).sum()
}

/// CloudWatch takes no more than this many distinct values; the database gives less for anything below seven hours.
const MOST: usize = crate::aws::MOST_VALUES;

fn spread(name: &'static str, mode: Mode, series: &Series) -> Option<Datum> {
    let (mut values, mut counts) = (series.values.clone(), series.counts.clone());
    if values.len() > MOST {
        let (value, count) = rest(&values[MOST - 1..], &counts[MOST - 1..]);
        values.truncate(MOST - 1);
        counts.truncate(MOST - 1);
        values.push(value);
        counts.push(count);
    }
    (!values.is_empty()).then(|| Datum {
        name,
        service: mode.service().to_owned(),
        unit: Unit::Milliseconds,
        values,
        counts,
    })
}

/// Many values as one: their mean.
fn rest(values: &[f64], counts: &[f64]) -> (f64, f64) {
    let count: f64 = counts.iter().sum();
    (values.iter().zip(counts).map(|(value, count)| value * count).sum::<f64>() / count, count)
}

fn datum(name: &'static str, service: &'static str, unit: Unit, value: f64) -> Datum {
    Datum { name, service: service.to_owned(), unit, values: vec![value], counts: vec![1.0] }
}

fn millis(span: Option<Duration>) -> f64 {
    span.map_or(0.0, |span| span.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(what: &str, values: &[f64], counts: &[f64]) -> Series {
        Series { mode: Mode::Genius, what: what.into(), values: values.into(), counts: counts.into() }
    }

    fn value(data: &[Datum], name: &str, service: &str) -> f64 {
        let datum = data.iter().find(|datum| datum.name == name && datum.service == service).unwrap();
        datum.values[0]
    }

    #[test]
    fn successes_failures_steps_and_tokens_are_sums_of_their_batch() {
        let batch = [
            series("succeeded", &[1_000.0, 2_000.0], &[2.0, 3.0]),
            series("failed", &[500.0], &[1.0]),
            series("call", &[100.0, 300.0], &[4.0, 1.0]),
        ];
        let data = counted(&batch);
        let of = |name| value(&data, name, "genius-worker");
        assert_eq!(
            [of("JobSuccesses"), of("JobFailures"), of("StepsUsed"), of("TokensUsed")],
            [5.0, 1.0, 5.0, 700.0]
        );
        assert_eq!(value(&data, "JobSuccesses", "mechanic-worker"), 0.0);
        let durations: Vec<_> = data.iter().filter(|datum| datum.name == "JobDuration").collect();
        assert_eq!((durations.len(), &durations[0].counts), (2, &vec![2.0, 3.0]));
    }

    #[test]
    fn more_values_than_cloudwatch_takes_are_brought_together_without_changing_their_sum() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        let datum = spread("WakeLatency", Mode::Genius, &series("wake", &values, &[1.0; 200])).unwrap();
        assert_eq!((datum.values.len(), datum.counts.iter().sum::<f64>()), (MOST, 200.0));
        let sum: f64 = datum.values.iter().zip(&datum.counts).map(|(value, count)| value * count).sum();
        assert!((sum - 20_100.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn all_fit_into_one_call() {
        let seen = Observation::default();
        assert!(of_the_moment(&seen).len() + counted(&[]).len() < 40);
        assert_eq!(value(&[heartbeat(7)], "ScalerHeartbeat", "scaler"), 7.0);
    }
}
