//! A PostgreSQL of one's own: the server that the system already has, run privately in a folder, reachable
//! through a unix socket only.
//!
//! ```no_run
//! # async fn example() -> Result<(), embedded::EmbeddedError> {
//! let postgres = embedded::Postgres::start(embedded::Settings::durable("/var/lib/codeteam")).await?;
//! println!("psql '{}'", postgres.url("postgres", "postgres"));
//! postgres.stop().await
//! # }
//! ```
//!
//! What may surprise:
//! - Nothing is downloaded. Without an installed PostgreSQL there is one sentence that says how to install it.
//! - PostgreSQL refuses to run as root. Started as root, the server runs as the owner of the data, as `postgres`,
//!   or as `nobody`, and that user must be able to reach the folder.
//! - Whoever can enter the socket folder (mode 0700) is trusted: there are no passwords.
//! - On Linux the kernel stops the server when its owner dies, however it dies. Elsewhere only
//!   [`Postgres::stop`] and `Drop` do, and a killed owner leaves a server behind: the next start reports
//!   [`EmbeddedError::InUse`] with its process id.

mod account;
mod error;
mod find;
mod folder;
mod handle;
mod initdb;
mod lock;
mod log;
mod pidfile;
mod process;
mod server;
mod settings;
mod socket;

pub use error::EmbeddedError;
pub use find::{Binaries, find};
pub use handle::Postgres;
pub use settings::{Settings, Shutdown};
