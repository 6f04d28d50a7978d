//! What people read: reasons with their remedies, who and what gave rise to an event, and the small values beside them.

use std::collections::BTreeSet;

use super::samples::*;
use crate::chart::Master;
use crate::ids::PersonName;
use crate::journal::{Actor, Cause, SystemActor};
use crate::ports::StreamName;
use crate::posting::{Body, Document, Side};
use crate::report::{Attempt, Fixer, Flag, Reason, ReasonCode, Step, source_differences};

#[test]
fn every_reason_has_one_code_wherever_it_is_written_and_a_remedy_of_its_own() {
    let mut remedies = BTreeSet::new();
    for code in ReasonCode::ALL {
        let reason = Reason::of_report(*code, "why");
        assert_eq!(serde_json::to_value(code).unwrap(), code.to_string());
        assert_eq!(code.to_string(), code.as_str());
        assert_eq!(reason.remedy(), code.remedy());
        assert!(
            reason.remedy().ends_with(['.', '`']),
            "{code}: {}",
            reason.remedy()
        );
        assert!(remedies.insert(reason.remedy()), "{code} repeats a remedy");
    }
}

#[test]
fn whoever_can_mend_something_is_named_by_what_he_keeps() {
    for (fixer, words) in [
        (Fixer::Submitter, "in Expensify"),
        (Fixer::PolicyAdmin, "policy administrator"),
        (Fixer::RuleKeeper, "rule set"),
        (Fixer::LedgerKeeper, "masters and periods"),
        (Fixer::AccountsPayable, "accounts payable"),
        (Fixer::Operator, "engineer"),
    ] {
        assert!(fixer.as_str().contains(words), "{}", fixer.as_str());
    }
}

#[test]
fn actors_causes_and_numbers_are_said_plainly() {
    let person = Actor::Person {
        name: PersonName::new("Anna").unwrap(),
    };
    let poster = Actor::System {
        part: SystemActor::Poster,
    };
    let command = Cause::Command {
        name: "exclude".into(),
    };
    assert_eq!(person.to_string(), "Anna");
    assert_eq!(poster.to_string(), "system: poster");
    assert_eq!(command.to_string(), "command `exclude`");
    assert_eq!(
        (Attempt(2).to_string(), Step(7).to_string()),
        ("2".into(), "7".into())
    );
}

#[test]
fn masters_and_streams_are_called_by_their_names() {
    let names: BTreeSet<String> = Master::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), Master::ALL.len());
    assert!(names.contains("cost centres") && !names.contains(""), "{names:?}");
    assert_eq!(StreamName("poll-1".into()).to_string(), "poll-1");
}

#[test]
fn a_document_balances_only_where_its_lines_come_to_its_total_and_that_is_something() {
    let with = |mut document: Document, line: &str, sum: Option<&str>| {
        document.lines[0].amount = amount(line);
        if let (Body::SupplierInvoice { total, .. } | Body::CreditNote { total, .. }, Some(sum)) =
            (&mut document.body, sum)
        {
            *total = amount(sum);
        }
        document.balances()
    };
    let credit = || {
        let mut document = invoice();
        let (supplier, status) = match &document.body {
            Body::SupplierInvoice { supplier, status, .. } => (supplier.clone(), status.clone()),
            other => panic!("{other:?}"),
        };
        document.lines[0].side = Side::Credit;
        document.body = Body::CreditNote {
            supplier,
            status,
            total: amount("5.00"),
        };
        document
    };
    assert!(with(invoice(), "5.00", Some("5.00")) && with(credit(), "5.00", Some("5.00")));
    for document in [invoice(), credit()] {
        assert!(!with(document.clone(), "5.00", Some("5.01")));
        assert!(!with(document.clone(), "0.00", Some("0.00")));
        assert!(!with(document, "-5.00", Some("-5.00")));
    }
    let (whole, mut empty) = (journal(), journal());
    empty.lines.clear();
    assert!(whole.balances() && !empty.balances() && !with(whole, "5.00", None));
}

#[test]
fn an_expense_that_stands_on_a_report_twice_is_compared_by_its_place() {
    let mut posted = payload();
    posted.facts.lines[1].transaction = posted.facts.lines[0].transaction.clone();
    let mut shown = posted.clone();
    assert_eq!(source_differences(&posted, &shown), Vec::new());
    shown.facts.lines[0].category = String::new();
    let found = source_differences(&posted, &shown);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].held, "blank");
}

#[test]
fn a_flag_that_was_not_sent_is_blank_and_one_that_is_no_flag_is_kept_as_it_came() {
    for (text, flag) in [
        ("true", Flag::Yes),
        (" false ", Flag::No),
        ("", Flag::Blank),
        ("  ", Flag::Blank),
        ("yes", Flag::Unreadable("yes".into())),
    ] {
        assert_eq!(Flag::from(text.to_owned()), flag);
    }
}

#[test]
fn the_hash_of_a_payload_is_sixty_four_hexadecimal_digits_and_another_for_another_payload() {
    let (one, other) = (
        payload().payload_hash().unwrap(),
        edited().payload_hash().unwrap(),
    );
    for hash in [&one, &other] {
        assert_eq!(hash.as_str().len(), 64);
        assert!(hash.as_str().chars().all(|digit| digit.is_ascii_hexdigit()));
    }
    assert_ne!(one.as_str(), other.as_str());
}
