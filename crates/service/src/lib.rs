//! What every program of the house needs, whatever it does: secrets, telemetry, signals, TLS, the last words of an error.
//!
//! The order at the start of a program: [`telemetry::init`], then [`Secrets::open`] into a [`Keyring`], so that no
//! secret is used before it is hidden; then [`tls::install_default`] and [`Shutdown::listen`].

pub mod exit;
mod keyring;
pub mod leash;
mod redaction;
mod secrets;
mod shutdown;
pub mod telemetry;
pub mod tls;

pub use keyring::Keyring;
pub use redaction::Redaction;
pub use secrets::{Name, Secrets, SecretsError};
pub use shutdown::{Shutdown, StopSignal};

pub use secrecy::{ExposeSecret, SecretString};
