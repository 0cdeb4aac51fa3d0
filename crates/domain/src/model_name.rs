//! How providers date the names of their models.

/// A model's name without the date at its end, `-20251001` or `-2025-10-01`.
pub fn family(name: &str) -> &str {
    let forms = ["-dddddddd", "-dddd-dd-dd"];
    let undated = forms.iter().find_map(|form| {
        let (family, date) = name.split_at_checked(name.len().checked_sub(form.len())?)?;
        let fits = |(c, f): (u8, u8)| if f == b'd' { c.is_ascii_digit() } else { c == f };
        date.bytes().zip(form.bytes()).all(fits).then_some(family)
    });
    undated.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_belongs_to_no_family_and_a_version_does() {
        assert_eq!(family("claude-haiku-4-5-20251001"), "claude-haiku-4-5");
        assert_eq!(family("gpt-5.1-2025-11-13"), "gpt-5.1");
        for whole in ["claude-opus-4-5", "openai_chat:x-3-70", "-2025-10-0", ""] {
            assert_eq!(family(whole), whole);
        }
    }
}
