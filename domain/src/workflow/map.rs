//! Step 4: resolve every line of every open report against the active rule set and the current chart.

use futures::{StreamExt, stream};

use super::desk::{Desk, WorkflowError};
use super::in_force::InForce;
use super::roster::{Brief, Roster};
use crate::ids::{Email, PersonName, ReportId};
use crate::journal::{Actor, SystemActor};
use crate::ports::{Ports, Sealer};
use crate::posting::{MapInputs, basis_in_force, map_report};
use crate::report::{Basis, Command, MapOutcome, Reason, ReasonCode, Report, Stage, StageName};

const AT_ONCE: usize = 64;

impl<P: Ports> Desk<'_, P> {
    /// What a mapping made now rests on.
    pub fn basis(&self, in_force: InForce<'_>) -> Basis {
        basis_in_force(
            &in_force.rules.set,
            &in_force.rules.version,
            in_force.chart,
            self.today(),
        )
    }

    /// What the rules make of a report now: pure, for mapping and for what-if alike.
    pub fn outcome(&self, report: &Report, in_force: InForce<'_>) -> Option<MapOutcome> {
        let capture = report.capture()?;
        Some(map_report(&MapInputs {
            payload: &capture.payload,
            rules: &in_force.rules.set,
            version: &in_force.rules.version,
            chart: in_force.chart,
            zone: self.connection.zone,
            today: self.today(),
            go_live: self.connection.go_live,
            generation: &|kind| report.generation(kind),
        }))
    }

    /// Maps every report that waits for it: new ones, held ones, and those mapped or rejected on another basis.
    pub async fn map(&self, roster: &Roster, in_force: InForce<'_>) -> Result<usize, WorkflowError> {
        self.release_what_was_reversed(roster).await?;
        let open = [
            StageName::Discovered,
            StageName::Mapped,
            StageName::Rejected,
            StageName::Held,
        ];
        let waiting: Vec<ReportId> = roster.select(|brief: &Brief| open.contains(&brief.stage));
        let mut mapped = 0;
        let mut work = stream::iter(waiting)
            .map(|report| self.map_one(report, in_force))
            .buffer_unordered(AT_ONCE);
        while let Some(result) = work.next().await {
            mapped += usize::from(result?);
        }
        Ok(mapped)
    }

    async fn map_one(&self, id: ReportId, in_force: InForce<'_>) -> Result<bool, WorkflowError> {
        let basis = self.basis(in_force);
        let loaded = self.load(id).await?;
        let replay = in_force.rules.replay;
        if is_current(&loaded.report, &basis, replay) {
            return Ok(false);
        }
        let claimed = self.claimed_elsewhere(id, &loaded.report).await?;
        let own = self.approved_by_submitter(&loaded.report, in_force)?;
        let actor = Actor::System {
            part: SystemActor::Mapper,
        };
        let choose = |report: &Report| {
            let outcome = self
                .outcome(report, in_force)
                .filter(|_| !is_current(report, &basis, replay))?;
            let mut outcome = with_claims(outcome, &claimed, &basis);
            if let MapOutcome::Mapped(mapping) = &mut outcome {
                mapping.approved_by_submitter.clone_from(&own);
            }
            Some(Command::Map(outcome))
        };
        let Some(command) = choose(&loaded.report) else {
            return Ok(false);
        };
        let events = match self.record(id, loaded, actor.clone(), command).await {
            Err(WorkflowError::Journal(error)) if error.is_conflict() => self.act(id, actor, choose).await?.1,
            other => other?.1,
        };
        self.ports.passing("mapped");
        Ok(events > 0)
    }

    /// Who approved the rule set in force, if the report is their own: nobody codes their own expenses unseen.
    fn approved_by_submitter(
        &self,
        report: &Report,
        in_force: InForce<'_>,
    ) -> Result<Option<PersonName>, WorkflowError> {
        let Some((approver, subject)) = &in_force.rules.approver else {
            return Ok(None);
        };
        let submitter = report
            .capture()
            .and_then(|capture| capture.payload.personal.known())
            .and_then(|personal| Email::new(&personal.submitter).ok());
        let own = match submitter {
            Some(email) => self.ports.sealer().subject_for(&email)? == *subject,
            None => false,
        };
        Ok(own.then(|| approver.clone()))
    }

    /// The report's expenses that another report carries to QAD already.
    pub(super) async fn claimed_elsewhere(
        &self,
        id: ReportId,
        report: &Report,
    ) -> Result<Vec<Reason>, WorkflowError> {
        let Some(capture) = report.capture() else {
            return Ok(Vec::new());
        };
        let mut reasons = Vec::new();
        for line in &capture.payload.facts.lines {
            if let (Some(owner), _) = self.claimed_by(&line.transaction).await?
                && owner != id
                && !self.let_go(&line.transaction, owner).await?
            {
                reasons.push(claimed(&line.transaction, owner));
            }
        }
        Ok(reasons)
    }
}

/// Has the report been judged on this basis, so that judging it again would say the same? One that was rejected under
/// another rule set stays so where that set's successor came without `replay`: a person takes it back (`tieout replay`).
fn is_current(report: &Report, basis: &Basis, replay: bool) -> bool {
    match report.stage() {
        Stage::Mapped(dossier) => dossier.mapping.basis == *basis,
        // A claim may have been released meanwhile.
        Stage::Rejected {
            basis: known,
            reasons,
            ..
        } => {
            let judged = known == basis || (known.rules != basis.rules && !replay);
            judged
                && !reasons
                    .iter()
                    .any(|reason| reason.code == ReasonCode::ExpenseClaimed)
        }
        Stage::Discovered(_) | Stage::Held { .. } => false,
        _ => true,
    }
}

/// The reason that an expense travels in another report.
pub(super) fn claimed(transaction: &crate::ids::TransactionId, owner: ReportId) -> Reason {
    Reason::of_line(
        ReasonCode::ExpenseClaimed,
        transaction,
        format!("expense {transaction} goes to QAD with report {owner}"),
    )
}

/// An outcome, unless other reports carry some of the expenses: then a rejection with every reason.
pub(super) fn with_claims(outcome: MapOutcome, claimed: &[Reason], basis: &Basis) -> MapOutcome {
    if claimed.is_empty() {
        return outcome;
    }
    match outcome {
        MapOutcome::Rejected { basis, mut reasons } => {
            reasons.extend_from_slice(claimed);
            MapOutcome::Rejected { basis, reasons }
        }
        MapOutcome::Excluded(why) => MapOutcome::Excluded(why),
        MapOutcome::Mapped(_) | MapOutcome::Held { .. } => MapOutcome::Rejected {
            basis: basis.clone(),
            reasons: claimed.to_vec(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::PeriodState;
    use crate::journal::tests::world::now;
    use crate::posting::tests::world::{RULES, owed, report};
    use crate::report::ReportEvent;
    use crate::report::tests::samples::*;
    use crate::workflow::Heads;
    use crate::workflow::testing::{Plant, rules_in_force};

    fn judged_for(reasons: Vec<Reason>) -> Report {
        let rejected = ReportEvent::Rejected {
            basis: basis(1),
            reasons,
        };
        Report::fold(&[discovered(), rejected])
    }

    #[test]
    fn a_rejected_report_is_judged_again_once_the_rules_or_the_chart_are_others() {
        let report = judged_for(reasons());
        assert!(is_current(&report, &basis(1), true));
        assert!(!is_current(&report, &basis(2), true));
    }

    #[test]
    fn a_report_rejected_for_a_claim_is_judged_again_in_every_cycle_because_the_claim_may_be_released() {
        let claim = claimed(&transaction(1), "R00X9oNOn2MO".parse().unwrap());
        assert!(!is_current(&judged_for(vec![claim.clone()]), &basis(1), true));
        let among_others = [reasons(), vec![claim]].concat();
        assert!(!is_current(&judged_for(among_others), &basis(1), true));
    }

    #[test]
    fn a_report_that_is_held_as_it_was_counts_as_mapped_once() {
        let case =
            report(vec![owed(5_000)]).with(|case| case.masters.periods[1].purchasing = PeriodState::Closed);
        let plant = Plant::of(&[discovered_as(Box::new(case.payload.clone()))]);
        let (rules, chart) = (rules_in_force(RULES), case.chart());
        let in_force = InForce {
            rules: &rules,
            chart: &chart,
            heads: Heads::default(),
        };
        let mapped = || now(plant.desk().map(&plant.roster(), in_force)).unwrap();
        assert_eq!((mapped(), mapped()), (1, 0));
        assert_eq!(plant.count("Held"), 1);
    }
}
