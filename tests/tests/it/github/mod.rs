//! Jobs on repositories of GitHub, whose place a stand-in takes.

mod app;
mod jobs;
mod reviews;
mod trouble;
