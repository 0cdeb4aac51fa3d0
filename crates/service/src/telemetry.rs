//! One log on standard error: JSON lines for machines, short lines for a person at a terminal, secrets hidden in both.
//!
//! Nothing here fails because nobody reads: a closed standard error swallows the log, never the program.

use std::io::{self, IsTerminal, Write};

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{DefaultFields, JsonFields, Writer};
use tracing_subscriber::fmt::{self, FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::Redaction;

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal, as JSON anywhere else.
    #[default]
    Auto,
    /// One JSON object a line, with `program`, `timestamp`, `level`, `target`, `message` and the event's own fields.
    Json,
    /// Short lines; coloured at a terminal unless NO_COLOR is set.
    Human,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum TelemetryError {
    #[error(
        "the setting LOG cannot be read ({filter:?}): write for example LOG=info, or LOG=warn,worker=debug"
    )]
    Filter { filter: String, source: tracing_subscriber::filter::ParseError },
    #[error("the log is set up already: call telemetry::init once, in main")]
    Twice(#[source] TryInitError),
}

/// Starts the log of `program`. `filter` is the setting `LOG`, in the form that `RUST_LOG` made known; None or
/// nothing is `info`.
///
/// Panics are logged as errors as well, so that they too are redacted. Hand secrets to what this returns as soon as
/// they are known.
pub fn init(
    program: &'static str,
    format: Format,
    filter: Option<&str>,
) -> Result<Redaction, TelemetryError> {
    let redaction = Redaction::default();
    let filter = filter.filter(|filter| !filter.trim().is_empty()).unwrap_or("info");
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let terminal = io::stderr().is_terminal();
    let json = match format {
        Format::Auto => !terminal,
        Format::Json => true,
        Format::Human => false,
    };
    let output = Output(redaction.clone());
    let layer = if json {
        let events = Named { program, json, inner: fmt::format().json().flatten_event(true) };
        fmt::layer().event_format(events).fmt_fields(JsonFields::new()).with_writer(output).boxed()
    } else {
        let ansi = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let events =
            Named { program, json, inner: fmt::format().compact().with_target(false).with_ansi(ansi) };
        let fields = DefaultFields::new();
        fmt::layer().with_ansi(ansi).event_format(events).fmt_fields(fields).with_writer(output).boxed()
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init()
        .map_err(TelemetryError::Twice)?;
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("(no message)");
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic: {message}");
    }));
    Ok(redaction)
}

/// Puts the program's name into each line: several programs often share one log.
struct Named<F> {
    program: &'static str,
    json: bool,
    inner: F,
}

impl<S, N, F> FormatEvent<S, N> for Named<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        if !self.json {
            write!(writer, "{} ", self.program)?;
            return self.inner.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        match line.strip_prefix('{') {
            Some(rest) => write!(writer, "{{\"program\":\"{}\",{rest}", self.program),
            None => writer.write_str(&line),
        }
    }
}

/// Standard error behind the redaction.
struct Output(Redaction);

impl<'a> MakeWriter<'a> for Output {
    type Writer = Redacted<'a>;

    fn make_writer(&'a self) -> Redacted<'a> {
        Redacted(&self.0)
    }
}

/// Writes one event. The formatter hands over a whole event at once, so no secret is cut in two.
struct Redacted<'a>(&'a Redaction);

impl Write for Redacted<'_> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        // An error has nowhere to go: the subscriber would report it on standard error, and panic over that.
        _ = io::stderr().lock().write_all(self.0.apply(&text).as_bytes());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
