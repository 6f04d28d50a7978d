//! What a line may be coded to: accounts with their state, type, currency and analysis; cost centres, sub-accounts and
//! projects with their state; masks.

use super::Case;
use crate::qad::entity::Draft;
use crate::qad::envelope::Problem;
use crate::qad::shape::LineField;
use crate::qad::world::{Account, AnalysisUse, Limitation, Line, Mask, Master, Register, same};

pub(super) fn judge(case: &Case<'_>, draft: &Draft, problems: &mut Vec<Problem>) {
    if draft.lines.is_empty() {
        problems.push(Problem::error(
            &case.names.lines,
            "",
            "SIM-LINES",
            "The document has no lines.",
        ));
    }
    for line in &draft.lines {
        let mut judging = Judging { case, line, problems };
        judging.account();
        let workspace = case.workspace;
        judging.master(
            LineField::SubAccount,
            &line.sub_account,
            &workspace.sub_accounts,
            "Sub-account",
            "SIM-SUB",
        );
        judging.master(
            LineField::CostCentre,
            &line.cost_centre,
            &workspace.cost_centres,
            "Cost center",
            "SIM-CC",
        );
        judging.master(
            LineField::Project,
            &line.project,
            &workspace.projects,
            "Project",
            "SIM-PROJECT",
        );
    }
}

struct Judging<'a, 'p> {
    case: &'a Case<'a>,
    line: &'a Line,
    problems: &'p mut Vec<Problem>,
}

impl Judging<'_, '_> {
    fn wrong(&mut self, field: LineField, value: &str, code: &str, message: String) {
        let path = self.case.names.line_path(field);
        self.problems.push(Problem::error(path, value, code, message));
    }

    fn account(&mut self) {
        let code = self.line.account.as_str();
        if code.trim().is_empty() {
            return;
        }
        let Some(account) = self.case.workspace.accounts.get(code) else {
            // Text and code of contract qad §7.9.
            return self.wrong(
                LineField::Account,
                code,
                "SIM-ACCT",
                format!("GL account {code} does not exist."),
            );
        };
        if !account.active {
            self.wrong(
                LineField::Account,
                code,
                "SIM-ACCT-INACTIVE",
                format!("GL account {code} is not active."),
            );
        }
        if account.kind != "STANDARD" {
            let message = format!(
                "GL account {code} is of type {} and takes no postings from outside.",
                account.kind
            );
            self.wrong(LineField::Account, code, "SIM-ACCT-TYPE", message);
        }
        if let Some(only) = account
            .currency
            .as_deref()
            .filter(|only| !same(only, &self.line.currency))
        {
            let message = format!("GL account {code} takes {only} only, not {}.", self.line.currency);
            self.wrong(
                LineField::Currency,
                &self.line.currency,
                "SIM-ACCT-CURRENCY",
                message,
            );
        }
        self.analysis(account);
    }

    fn analysis(&mut self, account: &Account) {
        let line = self.line;
        let centre = line.cost_centre.as_str();
        let code = &account.code;
        for (used, field, set, word, reason) in [
            (
                account.cost_centre,
                LineField::CostCentre,
                centre,
                "cost center",
                "SIM-CC",
            ),
            (
                account.project,
                LineField::Project,
                line.project.as_str(),
                "project",
                "SIM-PROJECT",
            ),
            (
                account.sub_account,
                LineField::SubAccount,
                line.sub_account.as_str(),
                "sub-account",
                "SIM-SUB",
            ),
        ] {
            match (used, set.is_empty()) {
                (AnalysisUse::Required, true) => {
                    let message = format!("GL account {code} needs a {word}.");
                    self.wrong(field, "", &format!("{reason}-REQUIRED"), message);
                }
                (AnalysisUse::Forbidden, false) => {
                    let message = format!("GL account {code} takes no {word}.");
                    self.wrong(field, set, &format!("{reason}-FORBIDDEN"), message);
                }
                _ => {}
            }
        }
        let named = (!centre.is_empty(), !line.project.is_empty());
        match (account.limitation, named) {
            (Limitation::AtLeastOne | Limitation::Excluding, (false, false)) => {
                let message = format!("GL account {code} needs a cost center or a project.");
                self.wrong(LineField::CostCentre, "", "SIM-ANALYSIS-NEITHER", message);
            }
            (Limitation::Excluding, (true, true)) => {
                let message = format!("GL account {code} takes a cost center or a project, not both.");
                self.wrong(LineField::CostCentre, centre, "SIM-ANALYSIS-BOTH", message);
            }
            _ => {}
        }
        if !centre.is_empty() && !Mask::permit(&self.case.workspace.masks, code, centre) {
            let message =
                format!("The combination of GL account {code} and cost center {centre} is not allowed.");
            self.wrong(LineField::CostCentre, centre, "SIM-MASK", message);
        }
    }

    fn master(
        &mut self,
        field: LineField,
        code: &str,
        register: &Register<Master>,
        word: &str,
        reason: &str,
    ) {
        if code.is_empty() {
            return;
        }
        match register.get(code) {
            None => self.wrong(field, code, reason, format!("{word} {code} does not exist.")),
            Some(master) if !master.active => {
                self.wrong(
                    field,
                    code,
                    &format!("{reason}-INACTIVE"),
                    format!("{word} {code} is not active."),
                );
            }
            Some(_) => {}
        }
    }
}
