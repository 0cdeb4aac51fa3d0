//! The demo: a small repository with a failing test, what to ask for, and the script that fixes it.

use std::io::Write;
use std::path::Path;

use crate::script::{Script, ScriptError};

/// What a person would ask for.
pub const PROMPT: &str =
    "tests/run.sh fails: an invoice with a discount is a cent too dear. Find out why and fix it.";

/// The command that fails before the fix and passes after it.
pub const TEST_COMMAND: &str = "sh tests/run.sh";

/// The repository's files: paths and contents.
pub const FILES: [(&str, &str); 10] = [
    ("README.md", include_str!("../demo-repo/README.md")),
    ("invoice.sh", include_str!("../demo-repo/invoice.sh")),
    ("lib/totals.awk", include_str!("../demo-repo/lib/totals.awk")),
    ("tests/run.sh", include_str!("../demo-repo/tests/run.sh")),
    ("tests/orders/books.order", include_str!("../demo-repo/tests/orders/books.order")),
    ("tests/orders/books.15.expected", include_str!("../demo-repo/tests/orders/books.15.expected")),
    ("tests/orders/lamps.order", include_str!("../demo-repo/tests/orders/lamps.order")),
    ("tests/orders/lamps.0.expected", include_str!("../demo-repo/tests/orders/lamps.0.expected")),
    ("tests/orders/stationery.order", include_str!("../demo-repo/tests/orders/stationery.order")),
    ("tests/orders/stationery.10.expected", include_str!("../demo-repo/tests/orders/stationery.10.expected")),
];

/// The demo's script.
pub fn script() -> Result<Script, ScriptError> {
    Script::parse(include_str!("../scripts/demo.json"))
}

/// Writes the repository's files into `folder`, which is made if it is missing. A file that is already there is an
/// error: nothing is overwritten. The folder is not yet a git repository.
pub fn write_files(folder: &Path) -> std::io::Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::File::create_new(path)?.write_all(text.as_bytes())?;
    }
    Ok(())
}
