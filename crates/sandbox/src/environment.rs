//! The variables that a command begins with: none of the caller's own, but for where its tools are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where version managers and languages keep their parts: without these their programs on the PATH find nothing, because a command has a
/// HOME of its own. The folder in the caller's HOME that counts when the variable is not set. None of them holds a secret; CARGO_HOME, which
/// may, is not among them.
const TOOLS: [(&str, Option<&str>); 7] = [
    ("RUSTUP_HOME", Some(".rustup")),
    ("PYENV_ROOT", Some(".pyenv")),
    ("ASDF_DATA_DIR", Some(".asdf")),
    ("NVM_DIR", Some(".nvm")),
    ("VOLTA_HOME", Some(".volta")),
    ("GOROOT", None),
    ("JAVA_HOME", None),
];

/// All but HOME and TMPDIR; `of` gives the caller's variables, `extra` wins.
pub fn of_command(
    of: impl Fn(&str) -> Option<OsString>,
    extra: &[(String, String)],
) -> Vec<(String, String)> {
    let text = |value: OsString| value.into_string().ok().filter(|value| !value.is_empty());
    let path = of("PATH").and_then(text).unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
    let mut env: Vec<(String, String)> =
        [("PATH", path.as_str()), ("LANG", "C.UTF-8"), ("TERM", "dumb"), ("CI", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    let home = of("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    for (name, folder) in TOOLS {
        let usual = || Some(home.as_deref()?.join(folder?)).filter(|path: &PathBuf| path.is_dir());
        let place =
            of(name).map(PathBuf::from).filter(|path: &PathBuf| Path::is_absolute(path)).or_else(usual);
        if let Some(place) = place.and_then(|place| text(place.into_os_string())) {
            env.push((name.to_owned(), place));
        }
    }
    env.extend_from_slice(extra);
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_and_nothing_else_of_the_caller_is_told() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".rustup")).unwrap();
        let of = |name: &str| match name {
            "HOME" => Some(home.path().as_os_str().to_owned()),
            "PATH" => Some("/opt/bin:/bin".into()),
            "JAVA_HOME" => Some("/opt/java".into()),
            "GOROOT" => Some("not/a/full/path".into()),
            "OPENAI_API_KEY" => Some("sk-secret".into()),
            _ => None,
        };
        let env = of_command(of, &[("CI".into(), "2".into())]);
        let names: Vec<&str> = env.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["PATH", "LANG", "TERM", "CI", "RUSTUP_HOME", "JAVA_HOME", "CI"]);
        assert_eq!(env[4].1, home.path().join(".rustup").to_str().unwrap());
    }
}
