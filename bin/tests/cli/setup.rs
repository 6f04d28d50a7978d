//! The set-up commands as processes: what they make, what they refuse, what they print and what they never print.

mod credentials;
mod init;
mod log;
mod rules;

const SECRET: &str = "hunter2-and-a-bit-more";
