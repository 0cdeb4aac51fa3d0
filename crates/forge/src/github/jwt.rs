//! The App's own word: a token signed with its key, good for a few minutes and for asking who it is and for other tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

use super::GitHubError;

/// Seconds by which the token is said to be older than it is, for a clock of theirs that is behind.
const BACKDATED: i64 = 60;
/// Seconds from now that it is good for. GitHub takes at most 600 in all.
const LIFETIME: i64 = 480;

/// The App's id and key.
pub(super) struct Signer {
    app_id: String,
    key: RsaKeyPair,
}

impl Signer {
    /// `pem`: the file that GitHub gave when the key was made; PKCS #8 will do as well.
    pub fn new(app_id: &str, pem: &str) -> Result<Signer, GitHubError> {
        // Line breaks that were lost on the way into JSON are the commonest mistake.
        let pem = if pem.contains("\\n") { pem.replace("\\n", "\n") } else { pem.to_owned() };
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(GitHubError::Key),
        };
        // Client ids of older Apps have a dot in them.
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_id = !app_id.is_empty() && app_id.bytes().all(fits);
        if !is_id {
            return Err(GitHubError::AppId { given: app_id.chars().take(40).collect() });
        }
        Ok(Signer { app_id: app_id.to_owned(), key: key.map_err(|_| GitHubError::Key)? })
    }

    /// A token, at `now` in seconds since 1970.
    pub fn sign(&self, now: i64) -> Result<String, GitHubError> {
        let claims = json!({"iat": now - BACKDATED, "exp": now + LIFETIME, "iss": self.app_id});
        let encode = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", encode(json!({"alg": "RS256", "typ": "JWT"})), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| GitHubError::Key)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        for wrong in [
            "",
            "hunter2-hunter2",
            "-----BEGIN RSA PRIVATE KEY-----\naGVsbG8=\n-----END RSA PRIVATE KEY-----\n",
        ] {
            let error = Signer::new("1", wrong).err().unwrap().to_string();
            assert!(error.contains("GITHUB_APP_PRIVATE_KEY") && !error.contains("hunter2"), "{error}");
        }
    }
}
