//! The page of reasons, told from the catalogue: code, cause, who can put it right, how, and whether it is tried again.

use tieout_domain::report::ReasonCode;

const WIDTH: usize = 80;

/// The whole page.
pub fn page() -> String {
    let mut text = String::from(
        "# Reasons\n\n\
         Why a report is rejected or held. The codes are stable: they stand in `--json`\n\
         output too. \"Tried again\" means by the next cycle, once the cause is gone;\n\
         `tieout replay REPORT --why …` tries at once.\n",
    );
    for code in ReasonCode::ALL {
        text.push('\n');
        text.push_str(&section(*code));
    }
    text
}

/// One reason as a page of its own.
pub fn entry(code: ReasonCode) -> String {
    format!("#{}", section(code).trim_start_matches('#'))
}

fn section(code: ReasonCode) -> String {
    let again = if code.retried() {
        "Tried again by itself."
    } else {
        "Not tried again by itself."
    };
    let mut text = format!("## {code}\n");
    if let Some(cause) = cause(code) {
        text.push_str(&wrapped(cause));
    }
    text.push_str(&wrapped(&format!("For {}.", code.fixer().as_str())));
    text.push_str(&wrapped(code.remedy()));
    text.push_str(again);
    text.push('\n');
    text
}

/// Words in lines that fit a terminal.
fn wrapped(words: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
    text
}

/// What is the matter, in general; each report's own message has the values. Kept by a test to every code there is.
fn cause(code: ReasonCode) -> Option<&'static str> {
    use ReasonCode as R;
    Some(match code {
        R::UnmappedAccount => "The category matches no rule that sets an account.",
        R::UnmappedCostCentre => "No rule sets a cost centre, and the account wants one.",
        R::UnknownAccount => "The account does not exist in QAD.",
        R::InactiveAccount => "The account is inactive in QAD.",
        R::AccountNotPostable => "The account is a control, bank or system account.",
        R::AccountCurrency => "The account takes another currency only.",
        R::UnknownCostCentre => "The cost centre does not exist in QAD.",
        R::InactiveCostCentre => "The cost centre is inactive in QAD.",
        R::CostCentreForbidden => "The account must not have a cost centre.",
        R::UnmappedProject => "No rule sets a project, and the account wants one.",
        R::ProjectForbidden => "The account must not have a project.",
        R::UnmappedSubAccount => "No rule sets a sub-account, and the account wants one.",
        R::SubAccountForbidden => "The account must not have a sub-account.",
        R::CentreAndProject => "The account takes a cost centre or a project, and the line has both.",
        R::BadSubAccount => "The sub-account does not exist or is inactive.",
        R::BadProject => "The project does not exist or is inactive.",
        R::NoSupplier => "The submitter has no supplier in QAD.",
        R::AmbiguousSupplier => "More than one supplier stands on the submitter's business relation.",
        R::InactiveSupplier => "The supplier is inactive in QAD.",
        R::SupplierCurrency => "The supplier is kept in another currency than the report.",
        R::BadDaybook => "The rule set names no daybook that serves, or QAD's does not accept the document.",
        R::NoReimbursementClearing => {
            "The report is paid at the source, and the set names no clearing account for that."
        }
        R::NoCardClearing => "The set names no clearing account for the card program.",
        R::NoCreditAccount => {
            "The line is not reimbursable and on no card: nothing says what it is credited to."
        }
        R::UnknownCurrency => "The currency of the report or of a line is none of ISO 4217.",
        R::MissingConversion => "A foreign line came without a converted amount.",
        R::AmountsDisagree => "A line in the report's currency has two amounts that differ.",
        R::TotalDisagrees => "The lines do not add up to the report's total.",
        R::LineCountDisagrees => "The source says another number of expenses than it sent.",
        R::DuplicateLine => "The report has one expense twice.",
        R::AmountRemainder => "An amount has a fraction that its currency cannot bear.",
        R::UnreadableAmount => "An amount is missing or is no number.",
        R::UnreadableDate => "A date is missing or is none.",
        R::UnreadableFlag => "Whether the line is reimbursable did not come.",
        R::UnknownStatus => "The source's status is neither approved nor reimbursed.",
        R::UnmappedTax => "The line carries tax that the set does not map.",
        R::TaxNotConvertible => "The line's tax cannot be split in the document's currency.",
        R::ExpenseClaimed => "The expense went to QAD with another report already.",
        R::ClosedPeriod => "The posting date falls in no open period, and the set says to wait.",
        R::NoPeriod => "No period of QAD contains the posting date.",
        R::ChartHeld => "A row of QAD's masters that is needed was not shown when last asked.",
        R::RefusedByQad => "QAD refused the document; the message is QAD's own.",
        R::Forgotten => "The submitter's personal data was forgotten here.",
        R::TooLarge => "The document would need more digits or lines than a document may have.",
        R::NoSubmitter => "The source names no address of the submitter.",
        // A code that was added since is told by its remedy until its cause is written here; the test names it.
        #[allow(
            unreachable_patterns,
            reason = "so that a new code fails a test and not the build"
        )]
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_told_with_its_cause() {
        let page = page();
        for code in ReasonCode::ALL {
            assert!(page.contains(&format!("\n## {code}\n")), "{code}");
            assert!(cause(*code).is_some(), "{code}");
        }
    }

    #[test]
    fn one_reason_is_a_page_of_its_own() {
        assert_eq!(
            entry(ReasonCode::NoPeriod),
            "# no_period\nNo period of QAD contains the posting date.\nFor whoever keeps QAD's masters and periods.\n\
             Create the period in QAD.\nTried again by itself.\n"
        );
    }

    #[test]
    fn words_are_wrapped_and_never_lost() {
        let words = "a bc ".repeat(60);
        let text = wrapped(&words);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(text.split_whitespace().count(), 120);
    }
}
