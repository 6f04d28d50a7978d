//! One expense: its amount, its coding by the rules, and against what it is credited (the table of design §6).

use super::amounts::line_amount;
use super::build::{Against, CodedLine};
use super::dates::expense_date;
use super::document::Coding;
use super::map::MapInputs;
use crate::ids::Email;
use crate::money::Currency;
use crate::report::{FieldWhy, Flag, LineFacts, LineWhy, PersonalLine, Reason, ReasonCode, ReportFacts};
use crate::rules::{CodingFault, Dimension, LineView, Resolution, Unset, check_coding};

/// Reasons that reject, and reasons that only hold.
#[derive(Default)]
pub(super) struct Objections {
    pub(super) reject: Vec<Reason>,
    pub(super) hold: Vec<Reason>,
}

/// A line that was coded, or posts nothing because it is zero.
pub(super) struct LineResult {
    pub(super) hundredths: i64,
    pub(super) why: LineWhy,
    pub(super) coded: Option<CodedLine>,
}

/// Codes one line; every objection is noted, and then there is no result.
pub(super) fn code_line(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    line: &LineFacts,
    text: &PersonalLine,
    submitter: Option<&Email>,
    currency: Currency,
    against: &mut Objections,
) -> Option<LineResult> {
    let before = against.reject.len() + against.hold.len();
    let id = &line.transaction;
    if let Err(reason) = expense_date(line, inputs.zone) {
        against.reject.push(reason);
    }
    let reimbursable = match &line.reimbursable {
        Flag::Yes => Some(true),
        Flag::No => Some(false),
        Flag::Blank | Flag::Unreadable(_) => {
            against.reject.push(Reason::of_line(
                ReasonCode::UnreadableFlag,
                id,
                "whether it is reimbursable did not come",
            ));
            None
        }
    };
    let amount = match line_amount(line, currency, inputs.rules) {
        Ok(amount) => amount,
        Err(reasons) => {
            against.reject.extend(reasons);
            return None;
        }
    };
    let reimbursable = reimbursable?;
    let mut fields = vec![FieldWhy {
        field: "amount".into(),
        value: amount.amount.to_string(),
        source: amount.source.clone(),
        rule: format!("hundredths of {currency}, exactly"),
    }];
    if amount.amount.is_zero() {
        let why = LineWhy {
            transaction: id.clone(),
            amount: amount.amount,
            document: None,
            original: amount.original,
            fields,
        };
        return Some(LineResult {
            hundredths: amount.hundredths,
            why,
            coded: None,
        });
    }

    let view = inputs.rules.view(
        facts,
        line,
        submitter,
        text.merchant(),
        reimbursable,
        amount.amount,
    );
    let resolved = inputs.rules.resolve(&view);
    if let Resolution::Unset(unset) = &resolved.account {
        against.reject.push(Reason::of_line(
            ReasonCode::UnmappedAccount,
            id,
            with_nearest(unset, Dimension::Account, inputs, &view),
        ));
    }
    // Law 5 wants a cost centre on every line; only where the account takes none, or a project will do, it goes without.
    let account = resolved
        .account
        .value()
        .and_then(|code| inputs.chart.account(code));
    let with_project = resolved.project.value().is_some();
    let goes_without = |unset: &Unset| {
        account.is_some_and(|account| {
            // One that bears a code that cannot be used does not go without by anybody's will.
            account.takes_no_cost_centre()
                || (account.goes_without_cost_centre(with_project) && !unset.is_unusable())
        })
    };
    let lacks_cost_centre = unset_of(&resolved.cost_centre).filter(|unset| !goes_without(unset));
    if let Some(unset) = lacks_cost_centre {
        against.reject.push(Reason::of_line(
            ReasonCode::UnmappedCostCentre,
            id,
            with_nearest(unset, Dimension::CostCentre, inputs, &view),
        ));
    }
    // A line may go without these; one that bears a code that cannot be used may not be posted as if it bore none.
    for (unset, code) in [
        (unset_of(&resolved.sub_account), ReasonCode::BadSubAccount),
        (unset_of(&resolved.project), ReasonCode::BadProject),
    ] {
        if let Some(unset) = unset.filter(|unset| unset.is_unusable()) {
            against.reject.push(Reason::of_line(code, id, unset.to_string()));
        }
    }
    for fault in check_coding(inputs.chart, &resolved, Some(currency)) {
        let unset = match &fault {
            // Said already, and better, by the rule that is missing.
            CodingFault::CostCentreRequired(_) | CodingFault::CentreOrProjectRequired(_)
                if lacks_cost_centre.is_some() =>
            {
                continue;
            }
            CodingFault::ProjectRequired(_) => unset_of(&resolved.project),
            CodingFault::SubAccountRequired(_) => unset_of(&resolved.sub_account),
            _ => None,
        };
        if unset.is_some_and(Unset::is_unusable) {
            continue; // Said just now.
        }
        let why = unset.map(|unset| with_nearest(unset, unset.dimension(), inputs, &view));
        coding_fault(fault, why, Some(line), against);
    }
    let credit = counter_side(
        inputs,
        facts,
        line,
        &view,
        &resolved.credit_account,
        &mut fields,
        against,
    );
    if let Some(Against::Account(coding)) = &credit {
        for fault in check_coding(inputs.chart, coding, Some(currency)) {
            coding_fault(fault, None, Some(line), against);
        }
    }
    if let Some(tax) = &amount.tax {
        for fault in check_coding(inputs.chart, tax.coding, Some(currency)) {
            coding_fault(fault, None, Some(line), against);
        }
    }
    if let Some(tax) = &amount.tax {
        fields.push(FieldWhy {
            field: "tax amount".into(),
            value: tax.amount.to_string(),
            source: tax.source.into(),
            rule: format!("hundredths of {currency}, exactly"),
        });
        let source = format!("taxCode = {}", line.tax_code);
        fields.extend(coding_whys("tax", tax.coding, &source, "[tax.codes]"));
    }
    if let Some(note) = &amount.tax_note {
        fields.push(FieldWhy {
            field: "tax".into(),
            value: note.clone(),
            source: format!("taxCode = {}", line.tax_code),
            rule: "[tax]".into(),
        });
    }
    macro_rules! why {
        ($name:literal, $resolution:expr) => {
            if let Resolution::Found { value, why } = &$resolution {
                fields.push(FieldWhy {
                    field: $name.into(),
                    value: value.to_string(),
                    source: why.source(),
                    rule: why.rule.to_string(),
                });
            }
        };
    }
    why!("account", resolved.account);
    why!("cost centre", resolved.cost_centre);
    why!("sub-account", resolved.sub_account);
    why!("project", resolved.project);
    if against.reject.len() + against.hold.len() > before {
        return None;
    }
    let coding = Coding {
        account: resolved.account.value()?.clone(),
        sub_account: resolved.sub_account.value().cloned(),
        cost_centre: resolved.cost_centre.value().cloned(),
        project: resolved.project.value().cloned(),
    };
    let coded = CodedLine {
        transaction: id.clone(),
        amount: amount.amount,
        coding,
        tax: amount.tax.map(|tax| (tax.amount, tax.coding.clone())),
        against: credit?,
        text: line_text(text, amount.original.as_ref()),
    };
    let why = LineWhy {
        transaction: id.clone(),
        amount: amount.amount,
        document: None,
        original: amount.original,
        fields,
    };
    Some(LineResult {
        hundredths: amount.hundredths,
        why,
        coded: Some(coded),
    })
}

/// The table of design §6: who is credited.
fn counter_side(
    inputs: &MapInputs<'_>,
    facts: &ReportFacts,
    line: &LineFacts,
    view: &LineView<'_>,
    named: &Resolution<crate::ids::AccountCode>,
    fields: &mut Vec<FieldWhy>,
    against: &mut Objections,
) -> Option<Against> {
    let id = &line.transaction;
    let rules = inputs.rules;
    let mut credited = |coding: &Coding, source: String, rule: String| {
        fields.extend(coding_whys("credit", coding, &source, &rule));
        Some(Against::Account(coding.clone()))
    };
    if view.reimbursable {
        if !facts.paid_at_source() {
            return Some(Against::Supplier);
        }
        return match rules.clearing_for_reimbursement() {
            Some(coding) => credited(
                coding,
                "reimbursed at the source".into(),
                "clearing.reimbursement".into(),
            ),
            None => {
                against.reject.push(Reason::of_line(
                    ReasonCode::NoReimbursementClearing,
                    id,
                    "the report is paid at the source, and the set names no clearing account for that",
                ));
                None
            }
        };
    }
    let named_card = !(line.card_name.trim().is_empty() && line.bank.trim().is_empty());
    let on_card = named_card || !line.card_id.trim().is_empty() || !matches!(line.mcc.trim(), "" | "0");
    if on_card {
        if let Some(choice) = rules.clearing_for_card(&line.card_name, &line.bank) {
            return credited(
                choice.coding,
                format!("card = {}, bank = {}", line.card_name, line.bank),
                choice.by.to_string(),
            );
        }
        if !named_card && let Some(coding) = &rules.settings().clearing.cards_default {
            return credited(
                coding,
                "a card without name or bank".into(),
                "clearing.cards_default".into(),
            );
        }
        let message = format!(
            "card `{}` of bank `{}` has no clearing account",
            line.card_name, line.bank
        );
        against
            .reject
            .push(Reason::of_line(ReasonCode::NoCardClearing, id, message));
        return None;
    }
    match named {
        Resolution::Found { value, why } => {
            let coding = Coding {
                account: value.clone(),
                sub_account: None,
                cost_centre: None,
                project: None,
            };
            credited(&coding, why.source(), why.rule.to_string())
        }
        Resolution::Unset(unset) => {
            let unset = with_nearest(unset, Dimension::CreditAccount, inputs, view);
            let message = format!("it is neither reimbursable nor on a card: {unset}");
            against
                .reject
                .push(Reason::of_line(ReasonCode::NoCreditAccount, id, message));
            None
        }
    }
}

/// Why each dimension of a coding is what it is that comes whole from one place.
fn coding_whys<'a>(
    of: &'a str,
    coding: &'a Coding,
    source: &'a str,
    rule: &'a str,
) -> impl Iterator<Item = FieldWhy> + 'a {
    let dimensions = [
        ("account", Some(coding.account.as_str())),
        (
            "cost centre",
            coding.cost_centre.as_ref().map(|code| code.as_str()),
        ),
        (
            "sub-account",
            coding.sub_account.as_ref().map(|code| code.as_str()),
        ),
        ("project", coding.project.as_ref().map(|code| code.as_str())),
    ];
    dimensions.into_iter().filter_map(move |(dimension, code)| {
        Some(FieldWhy {
            field: format!("{of} {dimension}"),
            value: code?.to_owned(),
            source: source.to_owned(),
            rule: rule.to_owned(),
        })
    })
}

/// Why nothing was found; where no rule matches, with the rule that nearly did.
fn with_nearest(unset: &Unset, dimension: Dimension, inputs: &MapInputs<'_>, line: &LineView<'_>) -> String {
    let nearest = match unset {
        Unset::NoRule { .. } => inputs.rules.nearest(dimension, line),
        _ => None,
    };
    nearest.map_or_else(|| unset.to_string(), |nearest| format!("{unset}; {nearest}"))
}

/// Why a dimension has no value, if it has none.
fn unset_of<T>(resolution: &Resolution<T>) -> Option<&Unset> {
    match resolution {
        Resolution::Unset(unset) => Some(unset),
        Resolution::Found { .. } => None,
    }
}

/// `why`: what the rules say of the dimension that is missing.
fn coding_fault(fault: CodingFault, why: Option<String>, line: Option<&LineFacts>, against: &mut Objections) {
    use CodingFault as F;
    let code = match &fault {
        F::AccountHeld(_) | F::CostCentreHeld(_) | F::SubAccountHeld(_) | F::ProjectHeld(_) => {
            ReasonCode::ChartHeld
        }
        F::UnknownAccount(_) => ReasonCode::UnknownAccount,
        F::InactiveAccount(_) => ReasonCode::InactiveAccount,
        F::NotStandard { .. } => ReasonCode::AccountNotPostable,
        F::WrongCurrency { .. } => ReasonCode::AccountCurrency,
        F::CostCentreRequired(_) | F::CentreOrProjectRequired(_) => ReasonCode::UnmappedCostCentre,
        F::CostCentreForbidden { .. } => ReasonCode::CostCentreForbidden,
        F::ProjectRequired(_) => ReasonCode::UnmappedProject,
        F::ProjectForbidden { .. } => ReasonCode::ProjectForbidden,
        F::SubAccountRequired(_) => ReasonCode::UnmappedSubAccount,
        F::SubAccountForbidden { .. } => ReasonCode::SubAccountForbidden,
        F::CentreAndProject { .. } => ReasonCode::CentreAndProject,
        F::UnknownCostCentre(_) => ReasonCode::UnknownCostCentre,
        F::InactiveCostCentre(_) => ReasonCode::InactiveCostCentre,
        F::UnknownSubAccount(_) | F::InactiveSubAccount(_) => ReasonCode::BadSubAccount,
        F::UnknownProject(_) | F::InactiveProject(_) => ReasonCode::BadProject,
    };
    let reason = Reason {
        code,
        message: why.map_or_else(|| fault.to_string(), |why| format!("{fault}: {why}")),
        line: line.map(|l| l.transaction.clone()),
    };
    if code == ReasonCode::ChartHeld {
        against.hold.push(reason)
    } else {
        against.reject.push(reason)
    }
}

/// What a line says in QAD: merchant, comment, and the foreign amount it came from.
fn line_text(text: &PersonalLine, original: Option<&crate::report::OriginalAmount>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !text.merchant().trim().is_empty() {
        parts.push(text.merchant().to_owned());
    }
    if !text.comment.trim().is_empty() {
        parts.push(text.comment.clone());
    }
    let mut line = parts.join(": ");
    if let Some(original) = original {
        let rate = if original.rate.trim().is_empty() {
            String::new()
        } else {
            format!(" at {}", original.rate)
        };
        let foreign = format!("({} {}{rate})", original.amount, original.currency);
        line = if line.is_empty() {
            foreign
        } else {
            format!("{line} {foreign}")
        };
    }
    line
}
