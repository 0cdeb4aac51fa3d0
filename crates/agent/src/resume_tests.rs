use domain::{Attempt, Money, Protocol};
use serde_json::json;

use super::*;

fn call(id: &str, name: &str) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), input: json!({ "summary": id }) }
}

fn replied(step: u32, tool_calls: Vec<ToolCall>) -> Event {
    Event::ModelReplied {
        step,
        model: "m-2026-01-31".into(),
        asked: None,
        protocol: Protocol::AnthropicMessages,
        content: json!([step]),
        text: "t".into(),
        tool_calls,
        usage: Usage { uncached: 100, cache_read: 50, output: 10, ..Usage::default() },
        cost: Money(7),
        elapsed_ms: 1,
    }
}

fn ran(id: &str, name: &str) -> Event {
    let (call_id, name, output) = (id.into(), name.into(), format!("did {id}"));
    Event::ToolRan { step: 1, call_id, name, output, is_error: false, elapsed_ms: 1 }
}

fn resumed(events: Vec<Event>) -> Resumed {
    let at = jiff::Timestamp::UNIX_EPOCH;
    let record = |(seq, event)| EventRecord { seq, attempt: Attempt(1), at, event };
    Resumed::from_events(&(1..).zip(events).map(record).collect::<Vec<_>>())
}

#[test]
fn calls_without_an_answer_wait_in_their_order_and_finish_is_last() {
    let calls = vec![call("f", FINISH), call("a", "bash"), call("b", "bash")];
    let past = resumed(vec![replied(1, calls.clone()), ran("a", "bash")]);
    assert_eq!(past.next_call(), Some((&calls[2], false)));
    let past = resumed(vec![replied(1, calls.clone()), ran("a", "bash"), ran("b", "bash")]);
    assert_eq!(past.next_call(), Some((&calls[0], true)));
    assert_eq!(past.turns.len(), 2, "no results before all calls are answered");
}

#[test]
fn results_stand_in_the_order_of_their_calls() {
    let calls = vec![call("f", FINISH), call("a", "bash")];
    let past = resumed(vec![replied(1, calls), ran("a", "bash"), ran("f", FINISH)]);
    let results = [("f", "did f"), ("a", "did a")].map(|(id, output)| (id.into(), output.into(), false));
    assert_eq!(past.turns.last(), Some(&Turn::ToolResults(results.to_vec())));
    assert_eq!(past.finished, Some(json!({ "summary": "f" })));
    assert_eq!(past.next_call(), None);
}

#[test]
fn two_calls_with_one_id_get_an_answer_each() {
    let calls = vec![call("x", "bash"), call("x", "bash")];
    let past = resumed(vec![replied(1, calls.clone()), ran("x", "bash")]);
    assert_eq!(past.next_call(), Some((&calls[1], true)));
    let past = resumed(vec![replied(1, calls), ran("x", "bash"), ran("x", "bash")]);
    assert_eq!((past.next_call(), past.turns.len()), (None, 3));
}

#[test]
fn what_was_used_is_counted_at_full_rate_and_with_lost_calls() {
    let events = vec![replied(1, vec![call("a", "bash")]), ran("a", "bash"), replied(2, vec![])];
    let past = resumed(events).with_lost(Spent { calls: 1, tokens: 1_000, cost: Money(90) });
    assert_eq!(past.spent(), Spent { calls: 3, tokens: 2 * 110 + 1_000, cost: Money(2 * 7 + 90) });
    assert_eq!((past.last_step, past.known()), (2, Some((4, 160))));
}

#[test]
fn only_the_model_that_counted_a_prefix_is_believed() {
    let mut past = resumed(vec![replied(1, vec![])]);
    past.trust_counts_of("m");
    assert!(past.known().is_some());
    past.trust_counts_of("other");
    assert_eq!(past.known(), None);
    let mut past = resumed(vec![replied(1, vec![])]);
    past.trust_counts_of("m-2026");
    assert_eq!(past.known(), None);
}

#[test]
fn who_was_asked_counts_and_not_who_answered() {
    let mut reply = replied(1, vec![]);
    let Event::ModelReplied { asked, protocol, .. } = &mut reply else { unreachable!() };
    (*asked, *protocol) = (Some("a".into()), Protocol::OpenaiChat);
    let mut past = resumed(vec![reply.clone()]);
    assert_eq!(past.model(), Some("a"));
    assert!(
        matches!(&past.turns[1], Turn::Assistant { protocol: Protocol::OpenaiChat, model, .. } if model == "a")
    );
    past.trust_counts_of("a");
    assert!(past.known().is_some());
    let changed = Event::ModelChanged { from: "a".into(), to: "b".into(), why: "busy".into() };
    assert_eq!(resumed(vec![reply, changed]).model(), Some("b"));
}

#[test]
fn a_retry_by_a_person_starts_afresh_but_for_the_commit_and_the_numbers() {
    let past = resumed(vec![
        Event::CheckedOut { commit: "c0ffee".into() },
        replied(1, vec![call("a", "bash")]),
        ran("a", "bash"),
        Event::Checkpoint { step: 1, patch: "+x".into() },
        Event::Retried { changes: serde_json::Map::new() },
    ]);
    let fresh = Resumed { commit: Some("c0ffee".into()), last_step: 1, ..Resumed::default() };
    assert_eq!(past, fresh);
}

#[test]
fn a_checkpoint_without_changes_is_nothing_to_apply() {
    let checkpoint = |patch: &str| Event::Checkpoint { step: 1, patch: patch.into() };
    assert_eq!(resumed(vec![checkpoint("+x")]).patch(), Some("+x"));
    assert_eq!(resumed(vec![checkpoint("+x"), checkpoint("")]).patch(), None);
}
