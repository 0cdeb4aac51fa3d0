//! The other programs of the team, which stand beside this one.

use std::path::PathBuf;

use crate::error::CliError;

/// The program `name` (`worker`, `scaler`) beside the one that runs.
pub fn find(name: &'static str) -> Result<PathBuf, CliError> {
    let own = std::env::current_exe().map_err(CliError::system("find out where this program is"))?;
    let folder = own.parent().unwrap_or(&own).to_owned();
    let program = folder.join(name);
    if program.is_file() { Ok(program) } else { Err(CliError::NoProgram { name, folder }) }
}
