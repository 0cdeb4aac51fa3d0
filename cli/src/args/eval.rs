//! `eval`

use std::path::PathBuf;

use clap::Args;

/// Which cases, and who does them.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The model to use [default: those of each case's mode]
    #[arg(long, env = "MODEL")]
    pub model: Option<String>,
    /// Only the case of this name; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    pub cases: Vec<String>,
    /// A folder with cases of your own, in place of those that this program brings along
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// Play the cases' prepared conversations in place of a model: needs no key
    #[arg(long)]
    pub rehearse: bool,
    /// Cases of each mode that are worked on at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=32))]
    pub parallel: u32,
}
