//! Where cases come from: the program itself, or a folder.

use std::collections::BTreeMap;
use std::path::Path;

use rehearsal::Script;

use crate::{Case, CorpusError};

/// The files of the folder `corpus/`.
static FILES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The cases that the program brings along, by name.
pub fn built_in() -> Result<Vec<Case>, CorpusError> {
    assemble(FILES.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())))
}

/// The cases of a folder, by name. What lies beside the cases' folders is passed over.
pub fn of_folder(folder: &Path) -> Result<Vec<Case>, CorpusError> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    let cases = assemble(files.into_iter())?;
    match cases.is_empty() {
        true => Err(CorpusError::Empty { path: folder.to_owned() }),
        false => Ok(cases),
    }
}

/// Those of `cases` that have these names, in that order; all of them if there are none.
pub fn select(cases: Vec<Case>, names: &[String]) -> Result<Vec<Case>, CorpusError> {
    if names.is_empty() {
        return Ok(cases);
    }
    let find = |name: &String| {
        cases.iter().find(|case| case.name == *name).cloned().ok_or_else(|| CorpusError::Unknown {
            name: name.clone(),
            known: cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    };
    names.iter().map(find).collect()
}

/// Links are passed over: a case's files are its own.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), CorpusError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| CorpusError::Unreadable { path, source }
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str() else { continue };
        let kind = entry.file_type().map_err(unreadable(&path))?;
        if kind.is_dir() && name != ".git" {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else if kind.is_file() && prefix.contains('/') {
            files.push((format!("{prefix}{name}"), std::fs::read(&path).map_err(unreadable(&path))?));
        }
    }
    Ok(())
}

fn assemble(files: impl Iterator<Item = (String, Vec<u8>)>) -> Result<Vec<Case>, CorpusError> {
    let mut folders: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for (path, bytes) in files {
        let Some((folder, rest)) = path.split_once('/') else { continue };
        folders.entry(folder.to_owned()).or_default().push((rest.to_owned(), bytes));
    }
    folders.retain(|_, files| files.iter().any(|(path, _)| path == "case.json"));
    folders.into_iter().map(|(name, files)| case(&name, files)).collect()
}

fn case(name: &str, files: Vec<(String, Vec<u8>)>) -> Result<Case, CorpusError> {
    let wrong = |what| CorpusError::Unjudgeable { case: name.to_owned(), what };
    let text = |path: &str| files.iter().find(|(known, _)| known == path).map(|(_, bytes)| bytes.as_slice());
    let mut case = Case::parse(name, text("case.json").unwrap_or_default())?;
    if let Some(script) = text("rehearsal.json") {
        let script = Script::parse(&String::from_utf8_lossy(script));
        let script = script.map_err(|source| CorpusError::Rehearsal { case: name.to_owned(), source })?;
        case.rehearsal = Some(script);
    }
    let patch = text("head.patch").map(|patch| String::from_utf8(patch.to_vec()));
    case.patch = patch.transpose().map_err(|_| wrong("its head.patch is not UTF-8"))?;
    let own =
        files.into_iter().filter_map(|(path, bytes)| Some((path.strip_prefix("files/")?.to_owned(), bytes)));
    case.files = own.collect();
    case.files.sort();
    if case.files.is_empty() {
        return Err(wrong("its repository is empty: put its files into the folder files/"));
    }
    if case.patch.is_some() != (case.task == domain::Task::Review) {
        return Err(wrong("a review, and nothing else, has a head.patch: the change that is looked at"));
    }
    Ok(case)
}
