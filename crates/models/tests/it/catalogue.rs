//! The data file and what is asked of it.

use domain::{Mode, Money, Usage};
use models::catalogue::{all, callable, default_for, find};
use models::{LookupError, Provider};

#[test]
fn the_owners_six_models_are_there_and_every_successor_that_is_named() {
    let owners = [
        "gpt-5-mini",
        "gemini-2.5-flash",
        "claude-haiku-4-5",
        "gpt-5.1",
        "claude-opus-4-5",
        "gemini-3-pro-preview",
    ];
    for name in owners {
        let Some(successor) = find(name).unwrap().successor.as_deref() else { continue };
        assert!(find(successor).unwrap().successor.is_none(), "{successor} is the end of the chain");
        assert_eq!(find(successor).unwrap().provider, find(name).unwrap().provider);
    }
}

#[test]
fn every_entry_makes_sense() {
    for info in all().unwrap() {
        for input in [0, info.context_tokens] {
            let price = info.price(input);
            assert!(price.cache_read < price.input && price.input < price.output, "{}", info.name);
            assert!(price.cache_write_5m >= price.input && price.cache_write_1h >= price.cache_write_5m);
        }
        assert!(info.price(info.context_tokens).input >= info.price(0).input, "{}", info.name);
        assert!(info.max_output_tokens <= info.context_tokens);
        assert!(info.source.page.starts_with("https://"));
    }
}

#[test]
fn each_mode_gets_the_first_model_that_can_be_called() {
    assert_eq!(default_for(Mode::Mechanic).unwrap().name, "claude-haiku-4-5");
    assert_eq!(default_for(Mode::Genius).unwrap().name, "claude-opus-4-5");
}

#[test]
fn a_dated_name_is_its_family() {
    assert_eq!(find("claude-haiku-4-5-20251001").unwrap().name, "claude-haiku-4-5");
    assert_eq!(find("gpt-5.1-2025-11-13").unwrap().name, "gpt-5.1");
    for other in ["claude-haiku-4-5-2025", "claude-haiku-4-5-latest!", "-20251001", "é-20251001", ""] {
        assert!(find(other).is_err(), "{other}");
    }
}

#[test]
fn an_unknown_model_is_answered_with_those_that_can_be_called() {
    let message = find("claude-haiku").unwrap_err().to_string();
    assert!(
        message.starts_with("unknown model \"claude-haiku\": use one of claude-haiku-4-5, "),
        "{message}"
    );
    assert!(message.contains("claude-opus-4-5"), "{message}");
    assert!(!message.contains("gpt") && !message.contains("gemini"), "{message}");
}

#[test]
fn a_model_without_an_adapter_is_answered_with_those_that_have_one() {
    let error = callable("gpt-5.1").unwrap_err();
    assert!(matches!(error, LookupError::NoAdapter { provider: Provider::Openai, .. }));
    let message = error.to_string();
    assert!(
        message
            .starts_with("gpt-5.1 is a model of OpenAI, which this version cannot call: use one of claude-")
    );
    assert!(!message.contains("gemini"), "{message}");
}

#[test]
fn a_long_input_has_its_own_price_for_the_whole_call() {
    let haiku = find("claude-haiku-5-5").unwrap();
    let short = Usage { uncached: 1_000, cache_read: 99_000, output: 1_000, ..Usage::default() };
    let long = Usage { cache_read: 99_001, ..short };
    assert_eq!(haiku.cost(&short), Money(100 + 990 + 500));
    assert_eq!(haiku.cost(&long), Money(500 + 4_951 + 2_500));
}

#[test]
fn retirement_is_a_day_from_which_there_is_no_answer() {
    let mini = find("gpt-5-mini").unwrap();
    assert!(!mini.is_retired(jiff::civil::date(2026, 12, 10)));
    assert!(mini.is_retired(jiff::civil::date(2026, 12, 11)));
    assert!(!find("claude-haiku-4-5").unwrap().is_retired(jiff::civil::date(2099, 1, 1)));
}
