//! The client over real HTTP: against the stand-in QAD, and against answers exactly as the contract writes them.

#[cfg(test)]
mod canned;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod masters;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod writes;
