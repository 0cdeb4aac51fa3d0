//! Who asks: an App by its signature, or whoever holds a token of an installation.

use std::process::Command;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

/// A key pair, made once for all tests of a process: the PEM text as GitHub hands it out, and the public part.
pub struct Key {
    pub pem: String,
    public: Vec<u8>,
}

impl Key {
    pub fn of_all() -> &'static Key {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(Key::generate)
    }

    pub fn generate() -> Key {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key.pem");
        let file = file.to_str().unwrap();
        let openssl = |args: &[&str]| {
            let output =
                Command::new("openssl").args(args).output().expect("the program openssl: install it");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        openssl(&["genrsa", "-traditional", "-out", file, "2048"]);
        let public = openssl(&["rsa", "-in", file, "-RSAPublicKey_out", "-outform", "DER"]);
        Key { pem: std::fs::read_to_string(file).unwrap(), public }
    }

    /// The App's id, if the token is signed with this key and good at `now`; else what is wrong with it, as GitHub says it.
    pub fn issuer(&self, token: &str, now: i64) -> Result<String, &'static str> {
        const UNREADABLE: &str = "A JSON web token could not be decoded";
        let (signed, signature) = token.rsplit_once('.').ok_or(UNREADABLE)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| UNREADABLE)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| UNREADABLE)?;
        let part = |text: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
        };
        let (head, claims) = signed.split_once('.').ok_or(UNREADABLE)?;
        let (head, claims) = (part(head).ok_or(UNREADABLE)?, part(claims).ok_or(UNREADABLE)?);
        let (issued, expires) =
            (claims["iat"].as_i64().unwrap_or(i64::MAX), claims["exp"].as_i64().unwrap_or(0));
        match () {
            () if head["alg"] != "RS256" => Err(UNREADABLE),
            () if issued > now => Err(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            ),
            () if expires <= now => Err(
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
            ),
            () if expires > now + 600 => Err("'Expiration time' claim ('exp') is too far in the future"),
            () => claims["iss"].as_str().map(str::to_owned).ok_or(UNREADABLE),
        }
    }
}

/// The token of an Authorization header: as the API takes it, or as git sends it for the user `x-access-token`.
pub fn token_of(header: &str) -> Option<String> {
    if let Some(token) = header.strip_prefix("Bearer ") {
        return Some(token.to_owned());
    }
    let plain = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    String::from_utf8(plain).ok()?.strip_prefix("x-access-token:").map(str::to_owned)
}
