//! The house is as ARCHITECTURE.md draws it: nobody uses whom he may not.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Who may use whom, in the programs themselves. Tests may use testkit and more.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("agent", &["domain"]),
    ("models", &["domain", "agent"]),
    ("rehearsal", &[]),
    ("corpus", &["domain", "rehearsal"]),
    ("sandbox", &[]),
    ("scaling", &[]),
    ("forge", &["domain"]),
    ("aws-client", &[]),
    ("service", &["aws-client"]),
    ("embedded", &[]),
    ("testkit", &["domain", "store", "embedded"]),
    ("scaler", &["domain", "store", "scaling", "aws-client", "service"]),
    ("worker", &["domain", "store", "agent", "models", "sandbox", "forge", "service"]),
    ("cli", &["domain", "store", "scaling", "models", "forge", "service", "embedded", "rehearsal", "corpus"]),
];

/// Libraries that belong to one room: nobody else may bring them in.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("tokio-postgres", &["store", "testkit", "system-tests", "bench"]),
    ("refinery", &["store"]),
    ("reqwest", &["models", "forge", "worker"]),
    ("axum", &["rehearsal", "system-tests"]),
    ("seccompiler", &["sandbox"]),
    ("landlock", &["sandbox"]),
    ("cap-std", &["worker"]),
    ("ring", &["forge", "system-tests"]),
    ("aws-sdk-secretsmanager", &["service"]),
    ("aws-config", &["aws-client", "scaler"]),
    ("clap", &["cli", "worker", "scaler", "bench"]),
    ("anyhow", &["cli", "worker", "scaler", "bench"]),
];

#[test]
fn nobody_uses_whom_he_may_not() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let house: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let normal = package.dependencies.iter().filter(|used| used.kind == DependencyKind::Normal);
        for used in normal {
            let rule = MAY_USE.iter().find(|(user, _)| *user == name);
            let in_house = house.contains(&used.name) && used.path.is_some();
            if in_house && rule.is_some_and(|(_, allowed)| !allowed.contains(&used.name.as_str())) {
                wrong.push(format!("{name} may not use {}", used.name));
            }
            let owners = ONLY_IN.iter().find(|(library, _)| *library == used.name);
            if owners.is_some_and(|(_, owners)| !owners.contains(&name)) {
                wrong.push(format!("{} does not belong into {name}", used.name));
            }
        }
        if !["system-tests", "bench"].contains(&name) && !MAY_USE.iter().any(|(user, _)| *user == name) {
            wrong.push(format!("{name} has no rule here: say in ARCHITECTURE.md and here whom it may use"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
