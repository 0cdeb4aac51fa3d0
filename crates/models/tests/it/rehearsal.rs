//! The adapter and a rehearsal, end to end: what the adapter sends is what a strict provider takes.

use agent::{Model, ModelError, Stop, ToolSpec, Turn};
use domain::{Money, Usage};
use rehearsal::{Rehearsal, demo};
use serde_json::json;

use crate::provider::{adapter, hello, request, said};

fn tools() -> Vec<ToolSpec> {
    let tool = |name| ToolSpec { name, description: "A tool.", schema: json!({"type": "object"}) };
    ["bash", "edit", "finish"].map(tool).to_vec()
}

#[tokio::test]
async fn the_demo_is_played_to_its_end_and_every_count_agrees() {
    let rehearsal = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let model = adapter(&rehearsal.url());
    let tools = tools();
    let mut turns = hello();
    let mut used = Usage::default();
    let mut spent = Money::ZERO;
    let mut known = None;
    for _ in 0..demo::script().unwrap().turns.len() {
        let request = request(&tools, &turns);
        let bound = model.input_bound(&request, known);
        let reply = model.ask(request).await.unwrap();
        assert_eq!((reply.model.as_str(), reply.stop), ("rehearsal", Stop::ToolUse));
        assert!(reply.usage.input() <= bound, "{} > {bound}", reply.usage.input());
        assert!(reply.cost <= model.worst_case(bound, 1_000));
        assert_eq!(reply.usage.uncached, 0, "all of it is marked");
        assert_eq!(reply.usage.cache_read, used.cache_write_5m, "all that was written is read");
        used += reply.usage;
        spent += reply.cost;
        known = Some((turns.len() + 1, reply.usage.input() + reply.usage.output));
        let results =
            reply.tool_calls.iter().map(|call| (call.id.clone(), "ran".to_owned(), false)).collect();
        turns.push(said(reply.content));
        turns.push(Turn::ToolResults(results));
    }
    let error = model.ask(request(&tools, &turns)).await.unwrap_err();
    assert!(
        matches!(&error, ModelError::Refused { message } if message.contains("ends after 6 answers")),
        "{error}"
    );

    let served = rehearsal.stop().await;
    assert_eq!((served.requests, served.refused), (6, 1));
    let expected = Usage {
        uncached: served.uncached,
        cache_read: served.cache_read,
        cache_write_5m: served.cache_write_5m,
        output: served.output,
        ..Usage::default()
    };
    assert_eq!(used, expected);
    assert!(spent > Money::ZERO);
}
