//! Every setting stands in docs/worker.md as the program itself tells it.

use std::path::Path;

use clap::{Arg, CommandFactory};

use crate::{health, settings};

const BEGIN: &str = "<!-- settings: UPDATE_DOCS=1 cargo test -p worker manual writes this -->\n";
const END: &str = "<!-- end of settings -->\n";

fn row(arg: &Arg) -> String {
    let flag = arg.get_long().unwrap();
    let variable = arg.get_env().map_or(String::new(), |name| format!("`{}`", name.display()));
    let help = arg.get_help().unwrap().to_string();
    let (what, told) = match help.split_once(" [default: ") {
        Some((what, default)) => (what.to_owned(), Some(default.trim_end_matches(['.', ']']).to_owned())),
        None => (help, None),
    };
    let set: Vec<_> = arg.get_default_values().iter().map(|value| format!("`{}`", value.display())).collect();
    let default = match told {
        Some(default) => default,
        None if arg.is_required_set() => "must be given".to_owned(),
        None if arg.get_action().takes_values() && !set.is_empty() => set.join(" "),
        None if arg.get_action().takes_values() => "none".to_owned(),
        None => "off".to_owned(),
    };
    format!("| `--{flag}` | {variable} | {default} | {} |\n", what.trim_end_matches('.'))
}

fn table(command: &clap::Command) -> String {
    let head = "| Flag | Variable | Default | |\n|---|---|---|---|\n";
    let arguments =
        command.get_arguments().filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
    head.to_owned() + &arguments.map(row).collect::<String>()
}

#[test]
fn the_manual_names_every_setting() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/worker.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    let told = format!(
        "\n{}\n`worker health`:\n\n{}\n",
        table(&settings::Settings::command()),
        table(&health::Settings::command())
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{told}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, told, "run: UPDATE_DOCS=1 cargo test -p worker manual");
    }
}
