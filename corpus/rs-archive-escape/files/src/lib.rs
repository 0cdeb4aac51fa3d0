//! Where an archive's entries are written.

use std::path::{Path, PathBuf};

/// The path in `folder` for the entry `name`, which uses `/` between its parts. None: the entry is refused.
pub fn target(folder: &Path, name: &str) -> Option<PathBuf> {
    if name.is_empty() || name.starts_with("..") {
        return None;
    }
    Some(folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<PathBuf> {
        target(Path::new("/srv/upload"), name)
    }

    #[test]
    fn ordinary_entries_have_their_place() {
        assert_eq!(of("a/b.txt"), Some("/srv/upload/a/b.txt".into()));
        assert_eq!(of("..hidden"), Some("/srv/upload/..hidden".into()));
        assert_eq!(of("./a//b"), Some("/srv/upload/a/b".into()));
        assert_eq!(of("v1..v2.diff"), Some("/srv/upload/v1..v2.diff".into()));
    }

    #[test]
    fn nothing_leaves_the_folder() {
        for name in ["../x", "a/../../x", "a/..", "..", "/etc/passwd", "//x", "a/../b"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn other_systems_separators_and_odd_bytes_are_refused() {
        for name in ["..\\x", "a\\b", "C:\\x", "a\0b"] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }

    #[test]
    fn an_entry_without_a_name_is_refused() {
        for name in ["", ".", "./", "/"] {
            assert_eq!(of(name), None, "{name:?}");
        }
    }
}
