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
