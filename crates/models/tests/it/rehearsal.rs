//! Every protocol and a rehearsal of it, end to end: what is sent is what a strict provider takes, and all counts agree.

use agent::{Model, ModelError, Reply, Stop, ToolSpec, Turn};
use domain::Usage;
use models::Settings;
use rehearsal::{Rehearsal, Served, demo};
use serde_json::json;

use crate::provider::{hello, models, request, settings, wish};

fn tools() -> Vec<ToolSpec> {
    let tool = |name| ToolSpec { name, description: "A tool.", schema: json!({"type": "object"}) };
    ["bash", "edit", "finish"].map(tool).to_vec()
}

/// Plays the demo to its end with the model of this name, and gives what each answer used and what was served.
async fn played(name: &str) -> (Vec<Usage>, Served) {
    let rehearsal = Rehearsal::start(demo::script().unwrap()).await.unwrap();
    let places = Settings { openai_base_url: rehearsal.openai_url(), ..settings(&rehearsal.url()) };
    let model = models(places).chain(&wish(&[name])).unwrap();
    let tools = tools();
    let (mut turns, mut used, mut known) = (hello(), Vec::new(), None);
    for _ in 0..demo::script().unwrap().turns.len() {
        let request = request(&tools, &turns);
        let bound = model.input_bound(&request, known);
        let Reply { protocol, content, text, tool_calls, stop, usage, cost, .. } =
            model.ask(request).await.unwrap();
        assert_eq!(stop, Stop::ToolUse, "{name}");
        assert!(usage.input() <= bound, "{name}: {} > {bound}", usage.input());
        assert!(cost <= model.worst_case(bound, 1_000), "{name}");
        used.push(usage);
        known = Some((turns.len() + 1, usage.input() + usage.output));
        let results = tool_calls.iter().map(|call| (call.id.clone(), "ran".to_owned(), false)).collect();
        turns.push(Turn::Assistant { protocol, model: name.into(), content, tool_calls, text });
        turns.push(Turn::ToolResults(results));
    }
    let error = model.ask(request(&tools, &turns)).await.unwrap_err();
    assert!(
        matches!(&error, ModelError::Refused { message } if message.contains("ends after 6 answers")),
        "{name}: {error}"
    );
    (used, rehearsal.stop().await)
}

#[tokio::test]
async fn the_demo_is_played_to_its_end_in_every_protocol_and_every_count_agrees() {
    for name in ["claude-haiku-4-5", "gpt-5-mini", "openai_chat:any", "gemini-2.5-flash"] {
        let (used, served) = played(name).await;
        assert_eq!((served.requests, served.refused), (6, 1), "{name}");
        let sum = used.iter().copied().fold(Usage::default(), |sum, usage| sum + usage);
        let expected = Usage {
            uncached: served.uncached,
            cache_read: served.cache_read,
            cache_write_5m: served.cache_write_5m,
            output: served.output,
            ..Usage::default()
        };
        assert_eq!(Usage { reasoning: 0, ..sum }, expected, "{name}");
    }
}

#[tokio::test]
async fn all_that_is_sent_to_anthropic_is_marked_and_all_that_was_written_is_read() {
    let (used, _) = played("claude-haiku-4-5").await;
    let mut written = 0;
    for usage in used {
        assert_eq!((usage.uncached, usage.cache_read), (0, written));
        written += usage.cache_write_5m;
    }
    assert!(written > 0);
}
