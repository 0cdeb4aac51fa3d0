//! Whatever is said stays said: each request begins with all of the one before it, so that providers' caches can answer it.

use agent::Stop;
use domain::{ExitReason, Task};

use crate::books::{Books, Death};
use crate::folder::Folder;
use crate::script::{Says, Script, bash, calls, edit, finish};
use crate::whole::FILES;
use crate::{brief, work};

fn script() -> Script {
    Script::new(vec![
        calls(&[bash("sh test.sh"), bash("date +%N")]),
        Says { calls: vec![], stop: Stop::EndTurn },
        calls(&[edit("total.sh", "nowhere", "x"), bash("head -c 100000 /dev/zero | tr '\\0' x")]),
        calls(&[edit("total.sh", "-", "+")]),
        Says { calls: vec![bash("echo cut")], stop: Stop::MaxOutput },
        calls(&[finish("repaired")]),
    ])
}

fn assert_stable(model: &Script) {
    let asked = model.asked();
    for (before, after) in asked.iter().zip(&asked[1..]) {
        let shared = before.len().min(after.len());
        assert_eq!(format!("{:?}", &before[..shared]), format!("{:?}", &after[..shared]));
    }
    assert!(model.stable().iter().all(|stable| *stable == model.stable()[0]), "instructions and tools stay");
}

#[tokio::test]
async fn consecutive_requests_share_all_that_was_said() {
    let (model, books) = (script(), Books::new());
    let end = work(brief(Task::BugFix), &model, &books, &Folder::new(&FILES, None)).await;
    assert_eq!((end.exit_reason, model.asked().len()), (ExitReason::Finished, 6));
    assert_stable(&model);
    assert!(model.asked().windows(2).all(|pair| pair[0].len() < pair[1].len()));
}

#[tokio::test]
async fn so_do_those_of_another_attempt() {
    for death in [3, 6, 9, 12] {
        let (model, books) = (script(), Books::new());
        books.next_attempt(Some(Death::After(death)));
        let mut job = brief(Task::BugFix);
        work(job.clone(), &model, &books, &Folder::new(&FILES, None)).await;
        job.resumed = books.next_attempt(None);
        let folder = Folder::new(&FILES, job.resumed.patch());
        let end = work(job, &model, &books, &folder).await;
        assert_eq!(end.exit_reason, ExitReason::Finished, "{death}");
        assert_stable(&model);
    }
}
