use super::*;

fn ms(text: &str) -> Result<u128, String> {
    parse(text).map(|span| span.as_millis())
}

#[test]
fn bare_numbers_are_seconds_as_before() {
    assert_eq!((ms("90"), ms("0")), (Ok(90_000), Ok(0)));
}

#[test]
fn each_unit() {
    let units = [("500ms", 500), ("90s", 90_000), ("15m", 900_000), ("2h", 7_200_000), ("1d", 86_400_000)];
    for (text, expected) in units {
        assert_eq!(ms(text), Ok(expected), "{text}");
    }
}

#[test]
fn sums_from_large_to_small() {
    assert_eq!(ms("1h30m"), Ok(5_400_000));
    assert_eq!(ms("1d1s1ms"), Ok(86_401_001));
}

#[test]
fn what_is_none_is_refused_by_name() {
    for text in ["", "h", "1x", "1h30", "-1s", "1.5h", "30m1h", "1m1m", "1 h", "٣s"] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn what_is_too_long_is_refused_too() {
    assert!(parse("99999999999999999999s").is_err());
    assert!(parse("999999999999999999d").is_err());
}
