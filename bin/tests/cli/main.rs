//! The program as people and scripts meet it: its commands, what they print and what they return.

#![cfg(test)]

mod backtest;
mod check;
mod doctor;
mod moving;
mod operators;
mod people;
mod program;
mod rules_life;
mod setup;
