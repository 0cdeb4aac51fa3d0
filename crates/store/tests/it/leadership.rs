//! Which of several scalers leads: one at a time, with a fencing token, and never two whose times to act overlap.

use std::time::Duration;

use store::{Doorbell, Lead, Topic};
use uuid::Uuid;

use crate::fence::connected;
use crate::roles;

fn scaler() -> Uuid {
    Uuid::new_v4()
}

fn epoch(lead: Lead) -> i64 {
    match lead {
        Lead::Mine { epoch, .. } => epoch,
        Lead::Anothers { .. } => panic!("it does not lead"),
    }
}

#[tokio::test]
async fn the_first_leads_and_goes_on_leading() {
    let roles = roles().await;
    let (one, other) =
        (roles.database.store("codeteam_scaler").await, roles.database.store("codeteam_scaler").await);
    let (first, second) = (scaler(), scaler());
    let lead = one.lead(first).await.unwrap();
    let until = Duration::from_secs(10);
    assert_eq!(lead, Lead::Mine { epoch: 1, act_after: Duration::ZERO, act_until: until });
    assert_eq!(one.lead(first).await.unwrap(), lead);
    let after = Duration::from_secs(10);
    assert_eq!(other.lead(second).await.unwrap(), Lead::Anothers { ask_after: after });
    let leader = roles.api.leader().await.unwrap();
    assert_eq!((leader.epoch, leader.scaler, leader.heard), (1, Some(first), true));
}

#[tokio::test]
async fn when_the_leaders_session_ends_another_leads_after_the_time_for_which_the_first_may_still_act() {
    let roles = roles().await;
    let first = roles.database.store("codeteam_scaler").await;
    first.lead(scaler()).await.unwrap();
    drop(first);
    let other = roles.database.store("codeteam_scaler").await;
    let mut lead = other.lead(scaler()).await.unwrap();
    while matches!(lead, Lead::Anothers { .. }) {
        lead = other.lead(scaler()).await.unwrap(); // the server takes a moment to see that a session has ended
    }
    let Lead::Mine { epoch, act_after, act_until } = lead else { panic!("{lead:?}") };
    assert_eq!(epoch, 2);
    assert!(act_after > Duration::from_secs(5), "it would act beside its predecessor: {act_after:?}");
    assert_eq!(act_until, act_after + Duration::from_secs(10));
}

/// A leader's renewal does not wait for the disk, so a crash may take it back; whoever heard it still acts until then.
#[tokio::test]
async fn after_a_crash_the_next_leader_waits_out_a_promise_that_may_be_gone() {
    let server = testkit::Server::start().await;
    let name = testkit::TestDatabase::create(&server, "template codeteam_template").await;
    let open = || async {
        let config = store::Config::parse(&server.url("codeteam_scaler", &name), "test").unwrap();
        store::Database::open(config).await.unwrap()
    };
    let leads = |lead: Lead| match lead {
        Lead::Mine { act_after, .. } => act_after,
        Lead::Anothers { .. } => panic!("nobody leads"),
    };
    let (first, second) = (open().await, scaler());
    assert_eq!(leads(first.lead(scaler()).await.unwrap()), Duration::ZERO, "nobody had led before");
    let gone = "update codeteam.leader set acts_until = now() - interval '1 minute'";
    connected(&server, &name).await.batch_execute(gone).await.unwrap();
    server.restart(embedded::Shutdown::Immediate).await;
    connected(&server, &name).await;
    let other = open().await;
    assert!(leads(other.lead(second).await.unwrap()) > Duration::from_secs(3));
    other.resign(second).await.unwrap();
    assert_eq!(leads(other.lead(scaler()).await.unwrap()), Duration::ZERO, "who resigned acts no more");
    server.stop().await;
}

/// Asleep it may be silent for longer; listening beside its work must not look like sleep.
#[tokio::test]
async fn a_leader_that_is_awake_and_listens_is_missed_as_soon_as_one_that_does_not() {
    let roles = roles().await;
    let (admin, id) = (roles.database.client("postgres").await, scaler());
    let database = roles.database.store("codeteam_scaler").await;
    let mut doorbell = Doorbell::new(database.clone(), Topic::Scaler, id);
    doorbell.rung().await.unwrap(); // newly listed: a ring may have been missed
    database.lead(id).await.unwrap();
    let job = testkit::job();
    let (rung, _) = tokio::join!(doorbell.rung(), roles.api.submit(&job));
    rung.unwrap();
    let missed =
        admin.query_one("select heard_until < now() + interval '20 seconds' from codeteam.leader", &[]);
    assert!(missed.await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn a_leader_that_hangs_is_followed_though_its_session_lives_and_finds_itself_deposed() {
    let roles = roles().await;
    let (one, other) =
        (roles.database.store("codeteam_scaler").await, roles.database.store("codeteam_scaler").await);
    let (first, second) = (scaler(), scaler());
    one.lead(first).await.unwrap();
    let admin = roles.database.client("postgres").await;
    let a_while_later = "update codeteam.leader set heard_until = now() - interval '1 s', acts_until = now() - interval '6 s'";
    admin.batch_execute(a_while_later).await.unwrap();
    assert_eq!(epoch(other.lead(second).await.unwrap()), 2);
    assert!(matches!(one.lead(first).await.unwrap(), Lead::Anothers { .. }));
    assert!(one.measure(first, 1).await.unwrap().is_none(), "who is deposed publishes nothing");
    // The old leader's session goes; the new one's lock has another name, so nobody takes that for its end.
    drop(one);
    let third = roles.database.store("codeteam_scaler").await;
    assert!(matches!(third.lead(scaler()).await.unwrap(), Lead::Anothers { .. }));
}

#[tokio::test]
async fn a_leader_that_sleeps_is_heard_of_by_its_safety_looks() {
    let roles = roles().await;
    let one = roles.database.store("codeteam_scaler").await;
    let first = scaler();
    one.lead(first).await.unwrap();
    let client = roles.database.client("codeteam_scaler").await;
    client.execute("select codeteam.doze('scaler', $1)", &[&first]).await.unwrap();
    let admin = roles.database.client("postgres").await;
    let heard = "select heard_until > now() + interval '70 seconds', acts_until < now() + interval '10 seconds' from codeteam.leader";
    let row = admin.query_one(heard, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, true));
    client.execute("select codeteam.doze('scaler', $1)", &[&scaler()]).await.unwrap();
    assert_eq!(roles.api.leader().await.unwrap().scaler, Some(first));
}

#[tokio::test]
async fn who_resigns_is_followed_at_once() {
    let roles = roles().await;
    let (one, other) =
        (roles.database.store("codeteam_scaler").await, roles.database.store("codeteam_scaler").await);
    let first = scaler();
    one.lead(first).await.unwrap();
    other.resign(scaler()).await.unwrap(); // it is not this one's to give away
    assert_eq!(roles.api.leader().await.unwrap().scaler, Some(first));
    one.resign(first).await.unwrap();
    let next = other.lead(scaler()).await.unwrap();
    assert!(matches!(next, Lead::Mine { epoch: 2, act_after: Duration::ZERO, .. }), "{next:?}");
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_leads() {
    let roles = roles().await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let database = roles.database.store("codeteam_scaler").await;
        asked.spawn(async move { (database.lead(scaler()).await.unwrap(), database) });
    }
    let answers = asked.join_all().await;
    let leaders = answers.iter().filter(|(lead, _)| matches!(lead, Lead::Mine { .. })).count();
    assert_eq!(leaders, 1);
}

#[tokio::test]
async fn a_leaders_trouble_is_told_once_and_until_it_ends() {
    let roles = roles().await;
    let database = roles.database.store("codeteam_scaler").await;
    let (first, stranger) = (scaler(), scaler());
    database.lead(first).await.unwrap();
    let sentence = "AWS refuses";
    for _ in 0..2 {
        database.report_trouble(first, Some(sentence)).await.unwrap();
        database.report_trouble(stranger, None).await.unwrap();
    }
    let leader = roles.api.leader().await.unwrap();
    assert!(leader.trouble.as_deref() == Some(sentence) && leader.trouble_since.is_some());
    database.report_trouble(first, None).await.unwrap();
    let leader = roles.api.leader().await.unwrap();
    assert!(leader.trouble.is_none() && leader.trouble_since.is_none());
    let kinds: Vec<_> =
        roles.api.fleet_events(10).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["recovered", "trouble", "leader_changed"]);
}
