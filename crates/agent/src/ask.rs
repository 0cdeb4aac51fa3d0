//! One model call: bounded, reserved, made, settled.
//!
//! A call whose answer was lost is closed at its worst case, and the loop goes on with the next one, a few times in a row:
//! what one call may have cost is lost, which is no reason to throw away the work of the whole job. Where another model may
//! do better, it takes over: see `takeover.rs`.

use domain::{Event, Failure, ToolCall};

use crate::caps::Allowance;
use crate::conclusion::End;
use crate::losses;
use crate::ports::{Billing, Halt};
use crate::run::Wheel;
use crate::text::{as_stored, plain, start};
use crate::{ModelError, Reply, Request, Stop, prompt};

/// The most bytes of a tool's name, known or not, that are kept.
const NAME_BYTES: usize = 200;
const DECLINED: &str =
    "the model declined to go on with this job: put it in other words, or use another model";
const TOO_LONG: &str = "the conversation has become too long for the model: ask for less at once, \
or use a model with a larger context";

impl Wheel<'_> {
    /// Asks the model for the next step, if its worst case fits into the caps.
    pub(crate) async fn ask(&mut self) -> Result<(), End> {
        self.announce().await?;
        let (model, journal) = (self.model, self.ports.journal);
        let began = self.ports.clock.now();
        let mut request = Request {
            system: prompt::system(self.brief.task),
            tools: &self.tools,
            turns: &self.past.turns,
            max_output: model.max_output(),
            timeout: self.meter.time_left(began)?,
        };
        let input = model.input_bound(&request, self.past.known());
        let price = |input, output| model.worst_case(input, output);
        let allowed = self.meter.allow(self.past.spent(), input, model.max_output(), price)?;
        request.max_output = allowed.max_output;

        let step = self.past.last_step + 1;
        journal.reserve(step, model.name(), allowed.worst_case).await?;
        // Reserving took time too.
        request.timeout = match self.time_left() {
            Ok(left) => left,
            Err(end) => return Err(self.abandon(step, allowed, Billing::Unbilled, end).await),
        };
        let reply = match self.race(request.timeout, model.ask(request)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => {
                let (billing, end) = self.after(&error);
                let next = self.next_after(&error, &end);
                let end = self.abandon(step, allowed, billing, end).await;
                return match next {
                    Some(next) if matches!(end, End::Model { .. }) => self.change_to(next, step, end).await,
                    _ if billing == Billing::Unknown && end.is_passing() => self.go_on_after(end).await,
                    _ => Err(end),
                };
            }
            Err(end) => return Err(self.abandon(step, allowed, Billing::Unknown, end).await),
        };
        let elapsed_ms = self.elapsed_ms(began);
        tracing::debug!(step, elapsed_ms, "model answered");
        self.losses = 0;
        let events = events(step, model.name(), &reply, allowed.max_output, elapsed_ms);
        journal.settle(step, &reply, &events).await?;
        self.take_in(&events);
        match reply.stop {
            Stop::Refusal => Err(End::of_model(DECLINED)),
            Stop::ContextFull if reply.tool_calls.is_empty() => Err(End::of_model(TOO_LONG)),
            _ => Ok(()),
        }
    }

    /// Closes the reservation of a call without an answer. Gives `end` back, unless the journal has a better reason.
    async fn abandon(&mut self, step: u32, allowed: Allowance, billing: Billing, end: End) -> End {
        if billing == Billing::Unknown {
            self.past.lose(step, allowed.worst_case);
        }
        if matches!(end, End::Halted(Halt::LeaseLost)) {
            return end;
        }
        match self.ports.journal.abandon(step, billing).await {
            // A reservation that stays open counts at its worst case: no reason to end for another reason.
            Err(halt) if halt == Halt::LeaseLost || !matches!(end, End::Halted(_)) => halt.into(),
            _ => end,
        }
    }

    /// Waits a little, for the next turn to ask again; after too many losses in a row the last one is the end.
    async fn go_on_after(&mut self, end: End) -> Result<(), End> {
        self.losses += 1;
        if self.losses >= losses::IN_A_ROW {
            return Err(end);
        }
        let now = self.ports.clock.now();
        let elapsed = now.saturating_duration_since(self.brief.started);
        let pause = losses::pause(self.losses, (&self.brief.prompt, self.past.last_step, elapsed));
        let error = end.error().unwrap_or_default();
        tracing::warn!(error, losses = self.losses, "a model call counts at its worst case, the job goes on");
        self.within(tokio::time::sleep(pause)).await
    }

    fn after(&self, error: &ModelError) -> (Billing, End) {
        let end = |failure| End::Model { error: error.to_string(), failure };
        let unanswered = |billed| match billed {
            true => (Billing::Unknown, Failure::AnswerLost),
            false => (Billing::Unbilled, Failure::ProviderOverloaded),
        };
        match error {
            ModelError::Unavailable { billed, .. } => {
                let (billing, failure) = unanswered(*billed);
                (billing, end(failure))
            }
            ModelError::TimedOut { billed, .. } => {
                let (billing, failure) = unanswered(*billed);
                match self.meter.time_left(self.ports.clock.now()) {
                    Err(cap) => (billing, End::Cap(cap)),
                    Ok(_) => (billing, end(failure)),
                }
            }
            ModelError::Malformed { .. } => (Billing::Unknown, end(Failure::AnswerUnreadable)),
            ModelError::OutOfMoney { .. } => (Billing::Unbilled, end(Failure::QuotaSpent)),
            ModelError::Refused { .. } => (Billing::Unbilled, end(Failure::ProviderRefused)),
        }
    }
}

/// What the journal keeps of an answer.
fn events(step: u32, asked: &str, reply: &Reply, max_output: u64, elapsed_ms: u64) -> Vec<Event> {
    let tool_calls: Vec<ToolCall> = reply
        .tool_calls
        .iter()
        .map(|call| ToolCall {
            id: call.id.replace('\0', "\u{FFFD}"),
            name: plain(start(&call.name, NAME_BYTES)),
            input: as_stored(call.input.clone()),
        })
        .collect();
    // The call in which the output ran out may be half of what was meant: `rm -r build` cut to `rm -r b`. By their ids the
    // results go back, so ids stay as they came; of several calls that share the last one's, none is carried out.
    let cut_off = tool_calls.last().filter(|_| reply.stop == Stop::MaxOutput);
    let is_cut = |call: &&ToolCall| cut_off.is_some_and(|cut| call.id == cut.id && call.name == cut.name);
    let cut: Vec<Event> = tool_calls.iter().filter(is_cut).map(|call| Event::ToolRan {
        step,
        call_id: call.id.clone(),
        name: call.name.clone(),
        output: format!(
            "not carried out: the answer was cut off at its bound of {max_output} tokens. Write less in one call"
        ),
        is_error: true,
        elapsed_ms: 0,
    })
    .collect();
    let replied = Event::ModelReplied {
        step,
        model: reply.model.clone(),
        asked: Some(asked.to_owned()),
        protocol: reply.protocol,
        content: as_stored(reply.content.clone()),
        text: plain(&reply.text),
        tool_calls,
        usage: reply.usage,
        cost: reply.cost,
        elapsed_ms,
    };
    std::iter::once(replied).chain(cut).collect()
}

#[cfg(test)]
mod tests {
    use domain::{Money, Protocol, Usage};
    use serde_json::{Value, json};

    use super::*;
    use crate::Resumed;

    fn waiting_after(ids: [&str; 3], stop: Stop) -> Option<Value> {
        let call = |id: &str, n: usize| ToolCall { id: id.into(), name: "bash".into(), input: json!(n) };
        let reply = Reply {
            protocol: Protocol::OpenaiChat,
            content: json!({}),
            text: String::new(),
            tool_calls: ids.iter().enumerate().map(|(n, id)| call(id, n)).collect(),
            stop,
            usage: Usage::default(),
            cost: Money::ZERO,
            model: "m".into(),
            request_id: None,
            raw_usage: json!({}),
        };
        let mut past = Resumed::default();
        events(1, "m", &reply, 4_000, 1).iter().for_each(|event| past.apply(event));
        let (call, is_last) = past.next_call()?;
        assert_eq!(is_last, stop == Stop::MaxOutput);
        Some(call.input.clone())
    }

    #[test]
    fn of_calls_that_share_the_id_of_the_one_that_was_cut_none_is_carried_out() {
        assert_eq!(waiting_after(["x", "same", "same"], Stop::MaxOutput), Some(json!(0)));
        assert_eq!(waiting_after(["same", "x", "same"], Stop::MaxOutput), Some(json!(1)));
        assert_eq!(waiting_after(["same", "same", "same"], Stop::ToolUse), Some(json!(0)));
    }
}
