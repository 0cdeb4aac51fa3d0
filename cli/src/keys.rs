//! The user's own secrets: where they are, and whether there is a key to work with.

use std::path::PathBuf;

use service::{ExposeSecret, Name, Redaction, SecretString, Secrets};

use crate::error::CliError;

/// The keys of which any one will do.
const MODEL_KEYS: [Name; 3] = [Name::OpenaiApiKey, Name::AnthropicApiKey, Name::GoogleApiKey];

/// What the user's secrets file holds, if there is one.
#[derive(Clone, Debug)]
pub struct Keys {
    secrets: Option<Secrets>,
    /// Where the file is, or where it is to be written.
    path: PathBuf,
}

impl Keys {
    /// Reads the file that `--secrets` names, which must be there, or else the default one, which need not.
    pub fn open(given: Option<&str>, redaction: &Redaction) -> Result<Keys, CliError> {
        let keys = match given.filter(|given| !given.is_empty()) {
            Some(source) => {
                let path = source.strip_prefix("file:").unwrap_or(source).into();
                Keys { secrets: Some(Secrets::open(source)?), path }
            }
            None => Keys::by_default()?,
        };
        keys.secrets.iter().for_each(|secrets| redaction.hide_all(secrets));
        Ok(keys)
    }

    fn by_default() -> Result<Keys, CliError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let is_root = nix::unistd::geteuid().is_root();
        let paths = default_paths(is_root, variable("XDG_CONFIG_HOME"), variable("HOME"));
        let found = paths.iter().find(|path| path.exists());
        let Some(path) = found.or(paths.first()).cloned() else { return Err(CliError::NoHome) };
        let secrets = match found {
            Some(path) => Some(Secrets::open(&format!("file:{}", path.display()))?),
            None => None,
        };
        Ok(Keys { secrets, path })
    }

    /// Where the file is, or where it is to be written.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Whether the file is there.
    pub fn has_file(&self) -> bool {
        self.secrets.is_some()
    }

    /// The database that the user wants used, in place of an embedded one.
    pub fn database_url(&self) -> Option<&SecretString> {
        self.secrets.as_ref()?.get(Name::DatabaseUrl)
    }

    /// The same, or an error that says where to put it.
    pub fn require_database_url(&self) -> Result<&str, CliError> {
        match &self.secrets {
            Some(secrets) => Ok(secrets.require(Name::DatabaseUrl)?.expose_secret()),
            None => Err(CliError::Unable(format!(
                "there is no database to migrate: write {{\"DATABASE_URL\": \"...\"}} to {} (mode 0600); the embedded database \
                 of `codeteam up` is migrated by itself",
                self.path.display()
            ))),
        }
    }

    /// Refuses to go on where no model would answer.
    pub fn require_model_key(&self) -> Result<(), CliError> {
        match self.has_model_key() || has_own_server() {
            true => Ok(()),
            false => Err(CliError::NoKey { path: self.path.clone() }),
        }
    }

    /// Whether there is a key for a model.
    pub fn has_model_key(&self) -> bool {
        self.secrets.as_ref().is_some_and(has_model_key)
    }

    /// The keys for models that there are.
    pub fn model_keys(&self) -> Vec<Name> {
        self.names().into_iter().filter(|name| MODEL_KEYS.contains(name)).collect()
    }

    /// What workers are to have of them: everything but the database, which they reach under a role of their own.
    pub fn for_workers(&self) -> Vec<(Name, SecretString)> {
        let all = self.secrets.iter().flat_map(Secrets::iter);
        all.filter(|(name, _)| *name != Name::DatabaseUrl)
            .map(|(name, secret)| (name, secret.clone()))
            .collect()
    }

    /// The names that the file holds.
    pub fn names(&self) -> Vec<Name> {
        self.secrets.iter().flat_map(Secrets::iter).map(|(name, _)| name).collect()
    }
}

/// Whether `secrets` hold a key for a model.
pub fn has_model_key(secrets: &Secrets) -> bool {
    MODEL_KEYS.iter().any(|name| secrets.get(*name).is_some())
}

/// Whether models of a server of one's own can be asked, which may want no key. Workers inherit its address.
pub fn has_own_server() -> bool {
    std::env::var_os("OPENAI_BASE_URL").is_some_and(|url| !url.is_empty())
}

/// What to write into the file, for messages.
pub fn example() -> String {
    let keys = MODEL_KEYS.map(|name| format!("{{\"{name}\": \"...\"}}"));
    format!("{}, {} or {}", keys[0], keys[1], keys[2])
}

/// Where the file may be, best first.
fn default_paths(is_root: bool, config: Option<PathBuf>, home: Option<PathBuf>) -> Vec<PathBuf> {
    let config = config.filter(|path| path.is_absolute()).or_else(|| Some(home?.join(".config")));
    let system = is_root.then(|| PathBuf::from("/etc"));
    system.into_iter().chain(config).map(|folder| folder.join("codeteam/secrets.json")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_may_keep_its_keys_in_etc() {
        let (config, home) = (Some(PathBuf::from("/c")), Some(PathBuf::from("/h")));
        let etc = PathBuf::from("/etc/codeteam/secrets.json");
        let own = PathBuf::from("/h/.config/codeteam/secrets.json");
        assert_eq!(default_paths(true, None, home.clone()), [etc, own.clone()]);
        assert_eq!(default_paths(false, None, home), [own]);
        assert_eq!(default_paths(false, config, None), [PathBuf::from("/c/codeteam/secrets.json")]);
    }

    #[test]
    fn without_a_key_the_answer_says_where_to_write_one() {
        let keys = Keys { secrets: None, path: "/h/secrets.json".into() };
        let message = keys.require_model_key().unwrap_err().to_string();
        assert!(message.contains("/h/secrets.json"), "{message}");
        for key in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"] {
            assert!(message.contains(key), "{message}");
        }
    }
}
