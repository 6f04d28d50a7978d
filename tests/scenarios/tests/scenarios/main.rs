//! Whole worlds: the real program between its stand-ins, from the first poll to the flag. One program, because most of its
//! tests wait for the network they play, and so many of them wait at once.

mod after_posting;
mod bad_input;
mod bad_reports;
mod budget;
mod doubt;
mod hostile;
mod killed;
mod month;
mod one_report;
mod overtaken;
mod profiles;
mod recovery;
mod restored;
mod secrets;
mod ties;
mod together;
