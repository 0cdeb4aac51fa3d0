//! What a repository says that it has: its branches, its tags, and where its HEAD points.

use tokio::time::Instant;

use crate::ForgeError;
use crate::git::Call;
use crate::object::Format;
use crate::private::Private;
use crate::source::Source;

/// The answer of `git ls-remote --symref`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Advertised {
    /// The commit of HEAD; None when HEAD names a branch that has none.
    pub head: Option<String>,
    /// The branch that HEAD names, in full.
    pub head_ref: Option<String>,
    /// (id, full name) of branches, tags and the rest; an annotated tag comes again as `NAME^{}` with its commit.
    pub refs: Vec<(String, String)>,
}

impl Advertised {
    /// Asks `source`. `only`: patterns as `git ls-remote` takes them; none of them: everything.
    pub async fn ask(
        source: &Source,
        only: &[&str],
        private: &Private,
        deadline: Instant,
    ) -> Result<Advertised, ForgeError> {
        const WHAT: &str = "ask the repository for its branches";
        let output = Call::until(deadline, WHAT, private)
            .args(["ls-remote", "--quiet", "--symref", "--", &source.address])
            .args(only)
            .run()
            .await?;
        if !output.success {
            return Err(crate::stderr::remote(WHAT, source, &output.stderr));
        }
        Ok(Advertised::parse(&String::from_utf8_lossy(&output.stdout)))
    }

    fn parse(text: &str) -> Advertised {
        let mut found = Advertised::default();
        for (value, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            if let Some(target) = value.strip_prefix("ref: ") {
                if name == "HEAD" {
                    found.head_ref = Some(target.to_owned());
                }
            } else if Format::of_id(value).is_none() {
                continue;
            } else if name == "HEAD" {
                found.head = Some(value.to_owned());
            } else {
                found.refs.push((value.to_owned(), name.to_owned()));
            }
        }
        found
    }

    /// The full name and commit that `base` means. A branch comes before a tag of the same name, unlike in git's own
    /// revisions: a job names where to start working.
    pub fn find(&self, base: &str) -> Option<(String, String)> {
        let candidates = [
            format!("refs/heads/{base}"),
            format!("refs/tags/{base}"),
            base.to_owned(),
            format!("refs/{base}"),
            format!("refs/remotes/{base}"),
        ];
        candidates.into_iter().find_map(|name| Some((self.commit_of(&name)?.to_owned(), name)))
    }

    fn commit_of(&self, name: &str) -> Option<&str> {
        let id_of =
            |wanted: &str| self.refs.iter().find(|(_, name)| name == wanted).map(|(id, _)| id.as_str());
        id_of(&format!("{name}^{{}}")).or_else(|| id_of(name))
    }

    /// The one commit among the tips that starts with `prefix`.
    pub fn starting_with(&self, prefix: &str) -> Option<String> {
        let mut ids = self.refs.iter().map(|(id, _)| id).filter(|id| id.starts_with(prefix));
        let first = ids.next()?;
        ids.all(|id| id == first).then(|| first.clone())
    }

    /// A few names for a person who named none of them: HEAD's branch, other branches, then tags.
    pub fn some_names(&self) -> Vec<String> {
        let short = |prefix| self.refs.iter().filter_map(move |(_, name)| name.strip_prefix(prefix));
        let head = self.head_ref.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
        let mut names: Vec<String> = Vec::new();
        let heads = head.into_iter().filter(|_| self.head.is_some()).chain(short("refs/heads/"));
        for name in heads.chain(short("refs/tags/").filter(|name| !name.ends_with("^{}"))) {
            if names.len() < 5 && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn a_branch_comes_before_a_tag_and_a_tag_means_its_commit() {
        let text = format!(
            "ref: refs/heads/main\tHEAD\n{A}\tHEAD\n{A}\trefs/heads/main\n{B}\trefs/tags/main\n{B}\trefs/tags/v1\n{A}\trefs/tags/v1^{{}}\n"
        );
        let found = Advertised::parse(&text);
        assert_eq!(found.head.as_deref(), Some(A));
        assert_eq!(found.find("main"), Some((A.into(), "refs/heads/main".into())));
        assert_eq!(found.find("v1"), Some((A.into(), "refs/tags/v1".into())));
        assert_eq!(found.find("refs/tags/main"), Some((B.into(), "refs/tags/main".into())));
        assert_eq!(found.find("v2"), None);
        assert_eq!(found.some_names(), ["main", "v1"]);
        assert_eq!(found.starting_with("bbb").as_deref(), Some(B));
    }
}
