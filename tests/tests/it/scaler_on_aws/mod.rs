//! The scaler on AWS: the real program, a real database, and the stand-in for AWS, whose tasks are real workers where a test needs them.

mod bad_input;
mod by_hand;
mod cloud;
mod day;
mod leaders;
mod metrics;
mod outages;
mod quiet;
mod stuck;
mod waking;

/// These wait for times that no setting shortens. Each has its own database and stand-in, so they wait side by side.
#[tokio::test]
async fn all_that_takes_half_a_minute() {
    tokio::join!(
        by_hand::capacity_that_somebody_set_is_set_back_and_told_of(),
        leaders::a_killed_leaders_work_is_gone_on_with_by_the_standby(),
        leaders::a_leader_that_hangs_is_replaced_and_makes_no_call_when_it_goes_on(),
        outages::without_a_database_nothing_is_changed_and_work_that_came_meanwhile_is_served(),
        outages::whatever_aws_does_is_told_in_a_sentence_and_capacity_is_right_when_it_is_over(),
        quiet::asleep_it_says_nothing_to_the_database_and_finds_what_nobody_rang_for(),
    );
}
