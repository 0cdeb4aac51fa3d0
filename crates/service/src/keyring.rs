//! The program's secrets as they are now: read at its start, and again when somebody's refusal says that they have changed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::{Name, Redaction, Secrets, SecretsError, exit};

/// However many are refused at once: whoever comes later than this asks again.
const ONCE_IN: Duration = Duration::from_secs(10);

/// Secrets that can be read anew. Cheap to clone; all clones share them.
#[derive(Clone, Debug)]
pub struct Keyring {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    secrets: RwLock<Secrets>,
    redaction: Redaction,
    renewed: Mutex<Option<Instant>>,
}

impl Keyring {
    /// Over secrets that were just read, which are hidden from now on, as are all that follow.
    pub fn new(secrets: Secrets, redaction: Redaction) -> Keyring {
        redaction.hide_all(&secrets);
        let shared = Shared { secrets: RwLock::new(secrets), redaction, renewed: Mutex::new(None) };
        Keyring { shared: Arc::new(shared) }
    }

    /// The secret as it was read last; None where there is none.
    pub fn get(&self, name: Name) -> Option<SecretString> {
        self.read().get(name).cloned()
    }

    /// The secret, or an error that says where to put it.
    pub fn require(&self, name: Name) -> Result<SecretString, SecretsError> {
        self.read().require(name).cloned()
    }

    /// How somebody gets the secret anew who takes it as text, and its error in words: see [`Keyring::renew`].
    pub fn renewal(&self, name: Name) -> impl Fn() -> Result<String, String> + Send + Sync + 'static {
        let keyring = self.clone();
        move || {
            let read = keyring.renew().and_then(|()| keyring.require(name));
            read.map(|secret| secret.expose_secret().to_owned()).map_err(|error| exit::one_line(&error))
        }
    }

    /// Reads all secrets anew, at most once in 10 s (a reading that failed counts, too), because somebody did not accept one. Blocks as
    /// [`Secrets::open`] does.
    ///
    /// # Errors
    ///
    /// As of [`Secrets::open`]; the secrets stay as they are then.
    pub fn renew(&self) -> Result<(), SecretsError> {
        // Held while it reads: who is refused meanwhile waits for the same answer.
        let mut renewed = self.shared.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        if renewed.is_some_and(|at| at.elapsed() < ONCE_IN) {
            return Ok(());
        }
        let read = self.read().clone().reopen();
        *renewed = Some(Instant::now());
        let fresh = read?;
        self.shared.redaction.hide_all(&fresh);
        *self.shared.secrets.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The secret after its value `refused` was not accepted: another one if there is one by now. Blocks as [`Secrets::open`] does.
    pub fn another(&self, name: Name, refused: &SecretString) -> Result<Option<SecretString>, SecretsError> {
        let differs = |found: &SecretString| found.expose_secret() != refused.expose_secret();
        if let Some(found) = self.get(name).filter(differs) {
            return Ok(Some(found));
        }
        self.renew()?;
        Ok(self.get(name).filter(differs))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Secrets> {
        self.shared.secrets.read().unwrap_or_else(PoisonError::into_inner)
    }
}
