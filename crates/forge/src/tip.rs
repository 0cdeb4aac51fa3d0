//! The commit that a branch stands at on the other side: whose it is, and whether it is what would be pushed.

use tokio::time::Instant;

use crate::commit::Author;
use crate::git::Call;
use crate::object::Format;
use crate::private::bare;
use crate::refs::Advertised;
use crate::source::Source;
use crate::{ForgeError, Mirror, stderr};

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tip {
    pub id: String,
    pub tree: String,
    pub parents: Vec<String>,
    /// The committer's address: a commit that somebody changed afterwards has another one's.
    pub committer: String,
    pub message: String,
}

impl Tip {
    /// Reads a commit as git stores it.
    fn parse(id: &str, text: &str) -> Tip {
        let (head, message) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut tip = Tip { id: id.to_owned(), message: message.to_owned(), ..Tip::default() };
        for (key, value) in head.lines().filter_map(|line| line.split_once(' ')) {
            match key {
                "tree" => value.clone_into(&mut tip.tree),
                "parent" => tip.parents.push(value.to_owned()),
                "committer" => {
                    let address = value.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
                    tip.committer = address.map(|(address, _)| address.to_owned()).unwrap_or_default();
                }
                _ => {}
            }
        }
        tip
    }

    /// Whether it was made by `author` for the piece of work that `mark`, a line of its message, names.
    pub fn is_by(&self, author: &Author, mark: &str) -> bool {
        self.committer == author.email && self.message.lines().any(|line| line == mark)
    }
}

impl Mirror {
    /// Asks for the commit of a branch, without its files. None: there is no such branch.
    pub(crate) async fn tip(
        &self,
        source: &Source,
        branch: &str,
        deadline: Instant,
    ) -> Result<Option<Tip>, ForgeError> {
        const WHAT: &str = "look at the branch";
        let name = format!("refs/heads/{branch}");
        // Not in the mirror: a fetch of little depth would cut off what it has.
        let scratch = self.scratch(source.credential.as_deref())?;
        let told = Advertised::ask(source, &[&name], &scratch, deadline).await?;
        let Some((id, _)) = told.refs.iter().find(|(_, found)| *found == name) else { return Ok(None) };
        let repository = scratch.path().join("tip.git");
        bare(&repository, Format::of_id(id).unwrap_or(Format::Sha1), None)?;
        let git = |call: Call| call.env("GIT_DIR", &repository);
        let fetch = |filter: &'static [&'static str]| {
            git(Call::until(deadline, WHAT, &scratch))
                .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"])
                .args(filter)
                .args(["--", &source.address])
                .args([format!("+{name}:refs/codeteam/tip")])
                .run()
        };
        let mut output = fetch(&["--depth=1", "--filter=tree:0"]).await?;
        if !output.success && stderr::refuses_depth(&output.stderr) {
            output = fetch(&[]).await?;
        }
        if !output.success {
            return Err(stderr::remote(WHAT, source, &output.stderr));
        }
        let read =
            |args: [&'static str; 3]| git(Call::local("read the commit", &scratch)).args(args).succeed();
        let id = read(["rev-parse", "--verify", "refs/codeteam/tip"]).await?;
        let text = read(["cat-file", "commit", "refs/codeteam/tip"]).await?;
        let id = String::from_utf8_lossy(&id).trim().to_owned();
        Ok(Some(Tip::parse(&id, &String::from_utf8_lossy(&text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_says_whose_it_is() {
        let text = "tree aa\nparent bb\nauthor A <a@x> 1 +0000\ncommitter Team Bot <bot@x> 2 +0000\ngpgsig x\n y\n\nFix\n\nJob: 7\n";
        let tip = Tip::parse("cc", text);
        assert_eq!((tip.tree.as_str(), tip.parents.as_slice()), ("aa", ["bb".to_owned()].as_slice()));
        let bot = |email: &str| Author { name: String::new(), email: email.into(), at: 0 };
        assert!(tip.is_by(&bot("bot@x"), "Job: 7"));
        assert!(!tip.is_by(&bot("a@x"), "Job: 7"), "who made it first does not count");
        assert!(!tip.is_by(&bot("bot@x"), "Job: 77"));
    }
}
