//! The data file and what is asked of it.

use domain::{Mode, Money, Price, Protocol, Usage};
use jiff::civil::date;
use models::Unlisted;
use models::catalogue::{all, check, current, find, preferred};
use models::retirement::coming;

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
    let lists = [Mode::Mechanic, Mode::Genius].map(|mode| preferred(mode).unwrap());
    assert_eq!(lists.concat().iter().filter(|name| owners.contains(&name.as_str())).count(), 6);
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
fn a_dated_name_is_its_family() {
    assert_eq!(find("claude-haiku-4-5-20251001").unwrap().name, "claude-haiku-4-5");
    assert_eq!(find("gpt-5.1-2025-11-13").unwrap().name, "gpt-5.1");
    for other in ["claude-haiku-4-5-2025", "claude-haiku-4-5-latest!", "-20251001", "é-20251001", ""] {
        assert!(find(other).is_err(), "{other}");
    }
}

#[test]
fn an_unknown_model_is_answered_with_those_that_are_known() {
    let message = check("claude-haiku").unwrap_err().to_string();
    assert!(message.starts_with("unknown model \"claude-haiku\": use one of gpt-5-mini, "), "{message}");
    assert!(message.contains("claude-opus-4-5") && message.contains("openai_chat:NAME"), "{message}");
}

fn unlisted() -> Unlisted {
    let price = Price { input: 1, cache_read: 1, cache_write_5m: 1, cache_write_1h: 1, output: 2 };
    Unlisted { context_tokens: 10_000, price }
}

#[test]
fn a_model_on_a_server_of_ones_own_is_what_the_settings_say() {
    let named = current("openai_chat:qwen3:8b", date(2026, 11, 23), &unlisted()).unwrap();
    assert_eq!((named.name.as_str(), named.info.protocol()), ("openai_chat:qwen3:8b", Protocol::OpenaiChat));
    assert_eq!((named.info.context_tokens, named.info.max_output_tokens), (10_000, 5_000));
    assert_eq!(named.info.worst_case(1_000_000, 1_000_000), Money(3));
    let listed = current("openai_chat:gpt-5.1", date(2026, 11, 23), &unlisted()).unwrap();
    assert_eq!(listed.info.worst_case(1_000_000, 0), Money(1_250_000), "the catalogue knows it");
    assert!(check("openai_chat: ").is_err());
}

#[test]
fn a_retired_model_is_asked_as_its_successor_from_its_day_on() {
    let on = |name: &str, day| current(name, day, &unlisted()).unwrap();
    assert_eq!(on("gpt-5-mini", date(2026, 12, 10)).instead_of, None);
    let named = on("gpt-5-mini-2025-08-07", date(2026, 12, 11));
    assert_eq!((named.name.as_str(), named.info.name.as_str()), ("gpt-6.1-terra", "gpt-6.1-terra"));
    let (from, why) = named.instead_of.unwrap();
    assert_eq!(from, "gpt-5-mini-2025-08-07");
    assert_eq!(why, "gpt-5-mini answers no more since 2026-12-11: its successor is asked");
    assert_eq!(on("gemini-3-pro-preview", date(2026, 11, 23)).name, "gemini-3.1-pro-preview");
}

#[test]
fn every_retirement_that_is_announced_has_a_successor_and_people_hear_of_it_in_time() {
    for info in all().unwrap() {
        assert!(info.retires.is_none() || info.successor.is_some(), "{}", info.name);
    }
    let told = |mode, day| coming(mode, day).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    let mechanic = [
        "gpt-5-mini answers no more from 2026-12-11 on, in 18 days: then gpt-6.1-terra is asked",
        "gemini-2.5-flash answers no more from 2026-12-01 on, in 8 days: then gemini-3.5-flash-lite is asked",
    ];
    assert_eq!(told(Mode::Mechanic, date(2026, 11, 23)), mechanic);
    let genius = [
        "gemini-3-pro-preview answers no more since 2026-03-09: gemini-3.1-pro-preview is asked in its place",
    ];
    assert_eq!(told(Mode::Genius, date(2026, 11, 23)), genius);
    assert_eq!(told(Mode::Genius, date(2027, 1, 31)).len(), 2, "60 days before");
    assert_eq!(told(Mode::Genius, date(2027, 1, 30)).len(), 1);
}

#[test]
fn a_model_that_google_answers_for_with_another_is_reserved_at_the_dearer_price() {
    for (name, successor) in
        [("gemini-2.5-flash", "gemini-3.5-flash-lite"), ("gemini-3-pro-preview", "gemini-3.1-pro-preview")]
    {
        let (own, other) = (find(name).unwrap(), find(successor).unwrap());
        for input in [1_000, 300_000] {
            assert!(own.worst_case(input, 1_000) >= other.worst_case(input, 1_000), "{name}");
        }
    }
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
    assert!(!mini.is_retired(date(2026, 12, 10)));
    assert!(mini.is_retired(date(2026, 12, 11)));
    assert!(!find("claude-haiku-4-5").unwrap().is_retired(date(2099, 1, 1)));
}
