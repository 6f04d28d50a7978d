//! The stand-in Expensify against the contract: its examples, its quirks, its faults.

#[cfg(test)]
mod examples;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod templates;
