//! `tieout sync --dry-run`: what it says a cycle would do is what the cycle after it does, where nothing goes wrong; and it
//! writes nothing.

use std::collections::BTreeMap;

use tieout_domain::ids::ReportId;
use tieout_domain::report::{Dossier, ReasonCode, Stage as Reached, StageName};
use tieout_domain::workflow::{Desk, RulesInForce, Would};

use crate::law::{in_recovery, report_in};
use crate::people::{quiet_world, to_the_end};
use crate::rules::RULE_SETS;
use crate::run::connection;
use crate::stage::{Process, Stage};

/// What a dry run said of each report.
pub(crate) struct Foretold(BTreeMap<ReportId, Would>);

/// A dry run.
pub(crate) fn foretell(stage: &Stage) -> Foretold {
    let world = quiet_world(stage);
    let connection = connection();
    let desk = Desk::for_command(&world, &connection, world.process.id, "sync --dry-run");
    let before = stage.lock().events().len();
    let mut told = BTreeMap::new();
    let mut twice = false;
    // As the cycle after it will have them in force.
    let rules = RulesInForce::supposed(RULE_SETS[stage.lock().rules].0.clone(), 0);
    let run = to_the_end(desk.dry_run(&rules, |report, would| {
        twice |= told.insert(report, would).is_some()
    }));
    let mut state = stage.lock();
    if let Err(error) = run {
        state.broken(format!("a dry run fails: {error}"));
    }
    if twice {
        state.broken("a dry run tells a report twice".to_owned());
    }
    if state.events().len() != before {
        state.broken("a dry run writes to the log".to_owned());
    }
    Foretold(told)
}

impl Foretold {
    /// Holds what was said against what a whole cycle of a process made of it.
    pub(crate) fn came_true(&self, stage: &Stage, process: &Process) {
        let listed = stage.lock().told(process).polled.clone().unwrap_or_default();
        let log = stage.lock().log.clone();
        let in_recovery = in_recovery(stage);
        for id in listed.keys() {
            let after = report_in(&log, *id);
            let after = after.stage();
            let said = self.0.get(id);
            let right = match (said, after) {
                // Another report of the same cycle may carry an expense of it by now, and QAD may refuse it.
                (Some(Would::Post(_) | Would::Reject(_)), Reached::Rejected { reasons, .. })
                    if reasons.iter().any(|reason| {
                        matches!(reason.code, ReasonCode::ExpenseClaimed | ReasonCode::RefusedByQad)
                    }) =>
                {
                    true
                }
                // That another report carries an expense of one that is mapped already comes up when it is to be posted.
                (Some(Would::Reject(reasons)), Reached::Mapped(_)) => {
                    in_recovery
                        && reasons
                            .iter()
                            .all(|reason| reason.code == ReasonCode::ExpenseClaimed)
                }
                (Some(Would::Post(documents)), after) => after.dossier().is_some_and(|dossier: &Dossier| {
                    let mapped = dossier.documents.iter().map(|file| &file.document);
                    mapped.eq(documents)
                }),
                (Some(Would::Reject(said)), Reached::Rejected { reasons, .. })
                | (Some(Would::Hold(said)), Reached::Held { reasons, .. }) => said == reasons,
                (Some(Would::Exclude(_)), Reached::Excluded { .. }) => true,
                // What is at work in QAD may be proven absent, and then it is open again.
                (Some(Would::Nothing(before)), after) => {
                    *before != StageName::Excluded || after.name() == StageName::Excluded
                }
                // What stands in QAD in part and may bear the label is asked for by a cycle only.
                (None, after) => after.touches_the_ledger(),
                _ => false,
            };
            if !right {
                let after = after.name();
                stage.lock().broken(format!(
                    "a dry run says {said:?} of {id}, and the cycle after it makes it {after}"
                ));
            }
        }
    }
}
