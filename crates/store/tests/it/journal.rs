use domain::Event;
use store::ReadEvents;

use crate::{claimed, hired, journal_of, roles, soon};

fn note(n: usize) -> Event {
    Event::Noted { message: n.to_string() }
}

#[tokio::test]
async fn events_keep_their_order_without_gaps_though_others_write_between() {
    let roles = roles().await;
    let claimed = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let journal = journal_of(&roles.worker, &claimed);
    journal.append(&[note(1), note(2)], soon()).await.unwrap();
    roles.api.cancel(claimed.claim.job).await.unwrap();
    journal.append(&[note(3)], soon()).await.unwrap();
    journal.append(&[note(4)], soon()).await.unwrap();
    let events = roles.api.events(claimed.claim.job, 0, 100).await.unwrap();
    assert_eq!(events.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(events[3].event, Event::CancelRequested {});
    assert_eq!(events[5].event, note(4));
}

#[tokio::test]
async fn a_follower_sees_each_event_once_while_they_are_written() {
    let roles = roles().await;
    let claimed = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let mut reader = ReadEvents::new(roles.api.clone(), claimed.claim.job, 0);
    let journal = journal_of(&roles.worker, &claimed);
    let writing = async {
        for n in 0..200 {
            journal.append(&[note(n)], soon()).await.unwrap();
        }
    };
    let reading = async {
        let mut seen = Vec::new();
        while seen.len() < 201 {
            seen.extend(reader.next().await.unwrap().into_iter().map(|record| record.seq));
        }
        seen
    };
    let ((), seen) = tokio::join!(writing, reading);
    assert_eq!(seen, (1..=201).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_that_is_closed_is_no_longer_rung_for() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let held = claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    let mut reader = ReadEvents::new(roles.api.clone(), held.claim.job, held.seq);
    let sleepers = async || {
        admin.query_one("select count(*) from codeteam.sleepers", &[]).await.unwrap().get::<_, i64>(0)
    };
    tokio::select! {
        _ = reader.next() => panic!("there is nothing to read"),
        () = async { while sleepers().await == 0 {} } => {}
    }
    reader.close().await.unwrap();
    assert_eq!(sleepers().await, 0);
}
