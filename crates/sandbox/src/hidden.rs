//! Where programs keep a person's credentials: hidden from commands that run with that person's view of the files.
//!
//! A list like this is never complete. It is the second fence: the first is that a command has no network.

use std::path::{Path, PathBuf};

/// Relative to a home folder.
const PLACES: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".netrc",
    ".pgpass",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/hub",
    ".config/glab-cli",
    ".config/gcloud",
    ".config/doctl",
    ".config/op",
    ".config/sops",
    ".config/rclone",
    ".config/fly",
    ".config/containers",
    ".fly",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings.xml",
    ".gradle/gradle.properties",
    ".terraform.d/credentials.tfrc.json",
    ".terraformrc",
    ".vault-token",
    ".password-store",
    ".local/share/keyrings",
    ".config/codeteam",
    ".local/share/codeteam",
    ".bash_history",
    ".zsh_history",
    ".psql_history",
    ".python_history",
    ".node_repl_history",
    ".mozilla",
    ".thunderbird",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    ".claude",
    ".claude.json",
    ".codex",
    ".gemini",
    ".config/github-copilot",
    ".config/openai",
    ".config/anthropic",
    ".huggingface",
    ".cache/huggingface/token",
    ".boto",
    ".s3cfg",
    ".oci",
    ".heroku",
    ".electrum",
    ".bitcoin",
    ".ethereum",
];

/// The well-known credential stores under `home`, whether they exist or not.
pub fn credentials_of(home: &Path) -> Vec<PathBuf> {
    PLACES.iter().map(|place| home.join(place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_programs_own_keys_and_data_are_among_them() {
        let places = credentials_of(Path::new("/home/me"));
        for own in ["/home/me/.config/codeteam", "/home/me/.local/share/codeteam"] {
            assert!(places.contains(&PathBuf::from(own)), "{own}");
        }
    }
}
