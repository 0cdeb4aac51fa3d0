//! Which models a job gets, how long each is tried, and what the calls of one process learn from each other.

use std::sync::Arc;
use std::time::Duration;

use agent::{Model, ModelError, Turn};
use domain::{Mode, Protocol, ToolCall};
use models::{Keys, Models, Outside, Settings, Wish};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::answers::{function_call, generated, messages, ok, responses};
use crate::provider::{
    KEY, Part, Provider, bash, error, hello, models, outside, request, settings, today, wish,
};

const NOWHERE: &str = "http://127.0.0.1:1";

fn with_keys(anthropic: bool, openai: bool, google: bool) -> Models {
    let key = |has: bool| has.then(|| KEY.to_owned().into());
    let keys = Keys { anthropic: key(anthropic), openai: key(openai), google: key(google) };
    models(Settings { keys, ..settings(NOWHERE) })
}

fn names(models: &Models, wish: &Wish<'_>) -> Result<Vec<String>, String> {
    let chain = models.chain(wish).map_err(|error| error.to_string())?;
    Ok(chain.names().into_iter().map(String::from).collect())
}

#[test]
fn a_mode_gets_its_list_as_far_as_there_are_keys() {
    let all = with_keys(true, true, true);
    assert_eq!(names(&all, &wish(&[])).unwrap(), ["gpt-5-mini", "gemini-2.5-flash", "claude-haiku-4-5"]);
    let genius = Wish { mode: Mode::Genius, ..wish(&[]) };
    assert_eq!(names(&all, &genius).unwrap(), ["gpt-5.1", "claude-opus-4-5", "gemini-3.1-pro-preview"]);
    assert_eq!(names(&with_keys(true, false, false), &wish(&[])).unwrap(), ["claude-haiku-4-5"]);
    let none = names(&with_keys(false, false, false), &wish(&[])).unwrap_err();
    for word in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "openai_chat:NAME", "mode mechanic"]
    {
        assert!(none.contains(word), "{none}");
    }
}

#[test]
fn a_job_that_names_a_model_gets_that_one_or_a_sentence() {
    let all = with_keys(true, true, true);
    assert_eq!(names(&all, &wish(&["gpt-5.1"])).unwrap(), ["gpt-5.1"]);
    assert_eq!(names(&all, &wish(&["gemini-3-pro-preview"])).unwrap(), ["gemini-3.1-pro-preview"]);
    let google = names(&with_keys(true, false, false), &wish(&["gemini-2.5-flash"])).unwrap_err();
    assert!(
        google.contains("gemini-2.5-flash cannot be asked: the worker has no GOOGLE_API_KEY"),
        "{google}"
    );
    assert!(names(&all, &wish(&["gpt"])).unwrap_err().contains("unknown model \"gpt\""));
    let local = with_keys(false, false, false);
    assert_eq!(names(&local, &wish(&["openai_chat:m"])).unwrap(), ["openai_chat:m"]);
}

#[test]
fn a_list_of_ones_own_is_a_chain_and_names_nobody_twice() {
    let named = ["gemini-3-pro-preview", "claude-opus-4-5", "gemini-3.1-pro-preview", "gpt-5.1"];
    let list = names(&with_keys(true, false, true), &wish(&named)).unwrap();
    assert_eq!(list, ["gemini-3.1-pro-preview", "claude-opus-4-5"]);
}

#[test]
fn a_resumed_job_goes_on_with_the_model_that_it_asked_last() {
    let all = with_keys(true, true, true);
    let last = |last| names(&all, &Wish { last: Some(last), ..wish(&[]) }).unwrap();
    assert_eq!(last("gemini-2.5-flash"), ["gemini-2.5-flash", "claude-haiku-4-5", "gpt-5-mini"]);
    assert_eq!(last("somebody"), ["gpt-5-mini", "gemini-2.5-flash", "claude-haiku-4-5"]);
}

#[test]
fn on_the_day_of_its_retirement_a_model_is_replaced_and_says_so() {
    let all = with_keys(true, true, true);
    let later = Wish { today: jiff::civil::date(2026, 12, 11), ..wish(&[]) };
    let chain = all.chain(&later).unwrap();
    assert_eq!(chain.names(), ["gpt-6.1-terra", "gemini-3.5-flash-lite", "claude-haiku-4-5"]);
    let (named, why) = chain.stands_in_for().unwrap();
    assert_eq!(
        (named, why.as_str()),
        ("gpt-5-mini", "gpt-5-mini answers no more since 2026-12-11: its successor is asked")
    );
    assert_eq!(all.chain(&wish(&[])).unwrap().stands_in_for(), None);
    assert!(today() < later.today);
}

#[test]
fn what_is_wrong_with_the_settings_is_said_before_the_first_call() {
    let good = || settings("https://api.example.org");
    let new = |settings| {
        let made = Models::new(settings, outside());
        made.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let key = |key: &str| Keys { openai: Some(key.to_owned().into()), ..Keys::default() };
    assert_eq!(new(good()), "");
    let cases = [
        (Settings { gemini_base_url: "api.example.org".into(), ..good() }, "GEMINI_BASE_URL is no address"),
        (Settings { openai_base_url: "file:///etc".into(), ..good() }, "OPENAI_BASE_URL is no address"),
        (Settings { keys: key(" "), ..good() }, "the OPENAI_API_KEY is empty"),
        (Settings { keys: key("a\nb"), ..good() }, "characters that no key has"),
    ];
    for (settings, words) in cases {
        let error = new(settings);
        assert!(error.contains(words) && !error.contains("a\nb"), "{error}");
    }
}

/// gpt-5.1 at one provider, with claude-haiku-4-5 at another one behind it.
async fn pair(first: &Provider, second: &Provider) -> Models {
    models(Settings { anthropic_base_url: second.url.clone(), ..settings(&first.url) })
}

#[tokio::test]
async fn with_another_model_left_a_provider_is_tried_briefly() {
    let busy = || error(529, "overloaded_error", "busy", vec![]);
    let first = Provider::plays((0..9).map(|_| busy()).collect()).await;
    let models = pair(&first, &first).await;
    let chain = models.chain(&wish(&["gpt-5.1", "claude-haiku-4-5"])).unwrap();
    let failed = chain.ask(request(&[], &hello())).await.unwrap_err();
    assert!(matches!(failed, ModelError::Unavailable { billed: false, .. }), "{failed}");
    assert_eq!(first.seen().len(), 3);

    let slow =
        Provider::plays(vec![error(429, "rate_limit_error", "slow down", vec![("retry-after", "20")])]).await;
    let models = pair(&slow, &first).await;
    let chain = models.chain(&wish(&["gpt-5.1", "claude-haiku-4-5"])).unwrap();
    let failed = chain.ask(request(&[], &hello())).await.unwrap_err().to_string();
    assert!(failed.contains("left alone for 20000 ms and 5000 ms are left"), "{failed}");
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_by_all_jobs_of_the_process() {
    let busy = || error(500, "api_error", "broken", vec![]);
    let first = Provider::plays((0..9).map(|_| busy()).collect()).await;
    let models = pair(&first, &first).await;
    let list = wish(&["gpt-5.1", "claude-haiku-4-5"]);
    for _ in 0..2 {
        models.chain(&list).unwrap().ask(request(&[], &hello())).await.unwrap_err();
    }
    assert_eq!(first.seen().len(), 6, "the second call was begun before the fifth failure");
    let third = models.chain(&list).unwrap();
    let failed = third.ask(request(&[], &hello())).await.unwrap_err();
    assert!(
        failed.to_string().contains("OpenAI has failed for other calls and is left alone for"),
        "{failed}"
    );
    assert!(matches!(failed, ModelError::Unavailable { billed: false, .. }));
    assert_eq!(first.seen().len(), 6, "it was not asked");
    assert!(third.next().is_some_and(|next| next.name() == "claude-haiku-4-5"));
}

#[tokio::test]
async fn the_rate_limit_is_one_for_all_jobs_of_the_process() {
    let provider = Provider::plays((0..3).map(|_| ok(&messages(json!([]), "end_turn"))).collect()).await;
    let one = std::num::NonZeroU32::new(1).unwrap();
    let models = models(Settings { requests_per_minute: one, ..settings(&provider.url) });
    let ask = async || {
        let turns = hello();
        let brief = agent::Request { timeout: Duration::from_secs(5), ..request(&[], &turns) };
        models.chain(&wish(&["claude-haiku-4-5"])).unwrap().ask(brief).await
    };
    assert!(ask().await.is_ok());
    let failed = ask().await.unwrap_err();
    assert!(failed.to_string().contains("too many of this process's calls"), "{failed}");
    assert!(matches!(failed, ModelError::Unavailable { billed: false, .. }));
    assert_eq!(provider.seen().len(), 1);
}

#[tokio::test]
async fn a_spent_quota_is_asked_for_once_at_each_provider() {
    let quota = |body: Value| Part::Answer(429, vec![("x-should-retry", "true")], body.to_string());
    let openai =
        json!({"error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "spent"}});
    let google = json!({"error": {"status": "RESOURCE_EXHAUSTED", "message": "Your prepayment credits are depleted."}});
    let anthropic =
        json!({"error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}});
    for (name, body) in [("gpt-5.1", openai), ("gemini-2.5-flash", google), ("claude-haiku-4-5", anthropic)] {
        let provider = Provider::plays(vec![quota(body), ok(&json!({}))]).await;
        let failed = provider.model(name).ask(request(&[], &hello())).await.unwrap_err();
        assert!(matches!(&failed, ModelError::OutOfMoney { .. }), "{name}: {failed}");
        assert_eq!(provider.seen().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn each_provider_names_its_own_key_and_address() {
    let cases = [
        ("gpt-5.1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        ("gemini-2.5-flash", "GOOGLE_API_KEY", "GEMINI_BASE_URL"),
        ("openai_chat:m", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    ];
    for (name, key, url) in cases {
        let said = format!("the key {KEY} is bad");
        let parts = vec![error(401, "x", &said, vec![]), error(404, "x", "no such model", vec![])];
        let provider = Provider::plays(parts).await;
        let model = provider.model(name);
        let mut messages = Vec::new();
        for _ in 0..2 {
            messages.push(model.ask(request(&[], &hello())).await.unwrap_err().to_string());
        }
        assert!(messages[0].contains(&format!("put a valid {key}")), "{messages:?}");
        assert!(messages[0].contains("[key]") && !messages[0].contains(KEY), "{messages:?}");
        assert!(messages[1].contains(&format!("check {url}")), "{messages:?}");
    }
}

#[tokio::test]
async fn a_key_that_was_changed_is_found_once_and_used_by_all_calls_from_then_on() {
    let refused = || error(401, "authentication_error", "invalid x-api-key", vec![]);
    let done = || ok(&messages(json!([]), "end_turn"));
    let provider = Provider::plays(vec![refused(), done(), done(), refused(), refused()]).await;
    let keys = ["the-second-key", "the-third-key"];
    let another_key: models::AnotherKey = Arc::new(move |provider, refused| {
        assert_eq!(provider, models::Provider::Anthropic);
        let known = [KEY, keys[0]];
        let at = known.iter().position(|key| *key == refused.expose_secret())?;
        Some(keys[at].to_owned().into())
    });
    let models = Models::new(settings(&provider.url), Outside { another_key, ..outside() }).unwrap();
    let chain = || models.chain(&wish(&["claude-haiku-4-5"])).unwrap();
    for _ in 0..2 {
        chain().ask(request(&[], &hello())).await.unwrap();
    }
    let failed = chain().ask(request(&[], &hello())).await.unwrap_err();
    assert!(failed.to_string().contains("put a valid ANTHROPIC_API_KEY into the secrets"), "{failed}");
    let sent: Vec<_> =
        provider.seen().iter().map(|seen| seen.header("x-api-key").unwrap().to_owned()).collect();
    assert_eq!(sent, [KEY, keys[0], keys[0], keys[0], keys[1]], "one other key in each call");
}

#[tokio::test]
async fn stalls_cuts_and_pages_of_gateways_are_lost_in_every_protocol() {
    for name in ["gpt-5.1", "gemini-2.5-flash", "openai_chat:m"] {
        for part in [Part::Cut, Part::CutBody, Part::Answer(502, vec![], "<html>".into())] {
            let provider = Provider::plays(vec![part]).await;
            let failed = provider.model(name).ask(request(&[], &hello())).await.unwrap_err();
            assert!(matches!(failed, ModelError::Unavailable { billed: true, .. }), "{name}: {failed}");
            assert_eq!(provider.seen().len(), 1);
        }
        let provider = Provider::plays(vec![Part::Stall]).await;
        let turns = hello();
        let brief = agent::Request { timeout: Duration::from_millis(100), ..request(&[], &turns) };
        let failed = provider.model(name).ask(brief).await.unwrap_err();
        assert!(matches!(failed, ModelError::TimedOut { billed: true, .. }), "{name}: {failed}");
        let there = Part::Answer(308, vec![("location", "http://127.0.0.1:1/x")], String::new());
        let provider = Provider::plays(vec![there]).await;
        let failed = provider.model(name).ask(request(&[], &hello())).await.unwrap_err();
        assert!(failed.to_string().contains("it redirects to another address"), "{failed}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_there_bills_nothing() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let chain = models(settings(&url)).chain(&wish(&["gpt-5.1", "claude-haiku-4-5"])).unwrap();
    let failed = chain.ask(request(&[], &hello())).await.unwrap_err();
    assert!(matches!(failed, ModelError::Unavailable { billed: false, .. }), "{failed}");
}

/// A conversation that went through all four protocols, each turn with the same words and calls.
fn travelled() -> Vec<Turn> {
    let own = |protocol, model: &str, content: Value| {
        let calls =
            vec![ToolCall { id: "x\u{FFFD}".into(), name: "bash".into(), input: json!({"command": "ls"}) }];
        let results = vec![("x\u{FFFD}".into(), "a file".into(), false)];
        let turn = Turn::Assistant {
            protocol,
            model: model.into(),
            content,
            tool_calls: calls,
            text: "I look.".into(),
        };
        [turn, Turn::ToolResults(results)]
    };
    let mut turns = hello();
    turns.extend(own(
        Protocol::AnthropicMessages,
        "claude-haiku-4-5",
        json!([{"type": "thinking", "signature": "SECRET"}]),
    ));
    turns.extend(own(
        Protocol::OpenaiResponses,
        "gpt-5.1",
        json!([{"type": "reasoning", "encrypted_content": "SECRET"}]),
    ));
    turns.extend(own(
        Protocol::OpenaiChat,
        "openai_chat:m",
        json!({"role": "assistant", "content": "SECRET"}),
    ));
    turns.extend(own(
        Protocol::GeminiGenerateContent,
        "gemini-2.5-flash",
        json!([{"text": "", "thoughtSignature": "SECRET"}]),
    ));
    turns
}

#[tokio::test]
async fn what_others_signed_is_shown_to_nobody_else_and_what_one_said_itself_comes_back() {
    let done = [
        ("claude-opus-4-5", messages(json!([]), "end_turn"), 0),
        ("claude-haiku-4-5-20251001", messages(json!([]), "end_turn"), 1),
        ("gpt-5.1", responses("gpt-5.1", json!([function_call("a", "bash", "{}")])), 1),
        ("gemini-2.5-flash", generated("gemini-2.5-flash", json!([]), "STOP"), 1),
        ("gemini-3.1-pro-preview", generated("gemini-3.1-pro-preview", json!([]), "STOP"), 0),
    ];
    for (name, body, own) in done {
        let provider = Provider::plays(vec![ok(&body)]).await;
        let turns = travelled();
        provider.model(name).ask(request(&bash(), &turns)).await.unwrap();
        let seen = provider.seen()[0].body.clone();
        // Reasoning that nothing follows is not sent back even to the model whose it is.
        let expected = if name == "gpt-5.1" { 0 } else { own };
        assert_eq!(seen.matches("SECRET").count(), expected, "{name}: {seen}");
        assert_eq!(seen.matches("I look.").count(), 4 - own, "{name}");
    }
}

#[tokio::test]
async fn the_bound_covers_every_byte_that_is_sent_in_every_protocol() {
    for name in ["claude-haiku-4-5", "gpt-5.1", "openai_chat:m", "gemini-2.5-flash", "gemini-3.1-pro-preview"]
    {
        let turns = travelled();
        let tools = bash();
        let provider = Provider::plays(vec![Part::Cut]).await;
        let model = provider.model(name);
        let request = request(&tools, &turns);
        let bound = model.input_bound(&request, None);
        model.ask(request).await.unwrap_err();
        let sent = provider.seen()[0].body.len() as u64;
        assert!(bound >= sent, "{name}: {bound} tokens for {sent} bytes");
        assert!(bound < sent + 5_000, "{name}: {bound} tokens for {sent} bytes");
        let known = model.input_bound(&request, Some((turns.len() - 1, 700)));
        assert!((700..1_400).contains(&known), "{name}: {known}");
    }
}
