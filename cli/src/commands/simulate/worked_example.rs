//! What `docs/simulate.md` shows is what the program says.

use clap::builder::Resettable;
use clap::{CommandFactory, FromArgMatches};
use scaling::defaults;

use super::*;
use crate::args::{Cli, Command};

const PAGE: &str = include_str!("../../../../docs/simulate.md");

/// The arguments of a command as it is written, whatever is set in the environment of whoever runs the test.
fn arguments(line: &str) -> SimulateArgs {
    let without_environment = Cli::command()
        .mut_subcommand("simulate", |command| command.mut_args(|arg| arg.env(Resettable::Reset)));
    let matches = without_environment.try_get_matches_from(line.split_whitespace()).unwrap();
    match Cli::from_arg_matches(&matches).unwrap().command {
        Command::Simulate(args) => *args,
        other => panic!("{other:?} is no simulation"),
    }
}

#[test]
fn the_worked_example_prints_the_table_that_the_page_shows() {
    let mut block = PAGE.split("    $ ").nth(1).unwrap().lines();
    let compared = compare(&arguments(block.next().unwrap()), None).unwrap();
    let shown: Vec<&str> = block.map_while(|line| line.strip_prefix("    ")).collect();
    let (note, table) = shown.split_last().unwrap();
    let printed = simulation::table(&compared);
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    assert_eq!(
        printed, table,
        "the page shows another table: run its command again and paste what it prints"
    );
    // Times differ from run to run.
    let about = |note: &str| note.split_once(':').unwrap().0.to_owned();
    assert_eq!(about(&simulation::note(&compared)), about(note));
}

#[test]
fn the_page_tells_the_price_and_the_cool_down_that_are_reckoned_with() {
    let price = format!(
        "${} a vCPU-hour, ${} a GB-hour, <{}>",
        FARGATE_ARM.vcpu_hour, FARGATE_ARM.gb_hour, FARGATE_ARM.source
    );
    let cool_down = format!("| {} (the default) |", defaults::COOL_DOWN_ON_ECS.as_millis());
    for words in [price, cool_down] {
        assert!(PAGE.contains(&words), "{words}");
    }
}
