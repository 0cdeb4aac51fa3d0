//! Short titles for notifications.

/// `text` in at most `limit` characters. What is cut off is replaced by an ellipsis, which counts as one.
pub fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    format!("{}…", text[..limit].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stay() {
        assert_eq!(shorten("build failed", 20), "build failed");
        assert_eq!(shorten("größer", 6), "größer");
    }

    #[test]
    fn long_ones_are_cut_with_an_ellipsis_that_counts() {
        assert_eq!(shorten("the build has failed", 10), "the build…");
        assert_eq!(shorten("abcdef", 4), "abc…");
    }

    #[test]
    fn letters_of_several_bytes_are_cut_between() {
        assert_eq!(shorten("ééééé", 3), "éé…");
        assert_eq!(shorten("部署失败了", 4), "部署失…");
    }

    #[test]
    fn no_room_is_no_text() {
        assert_eq!(shorten("abc", 0), "");
        assert_eq!(shorten("abc", 1), "…");
    }
}
