pub mod accounts;
pub mod audit;
