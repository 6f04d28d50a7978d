//! What is material: exactly the fields that decide the posting.

use proptest::prelude::*;

use super::samples::*;
use crate::ids::PolicyId;
use crate::money::Hundredths;
use crate::report::{
    Flag, MaterialHash, Payload, Personal, PersonalFields, SourceStatus, TagLevel, source_differences,
};
use crate::time::SourceTime;

fn personal(payload: &mut Payload) -> &mut PersonalFields {
    match &mut payload.personal {
        Personal::Known(personal) => personal,
        Personal::Forgotten => panic!("the sample has one"),
    }
}

type Edit = (&'static str, fn(&mut Payload));

#[rustfmt::skip]
const MATERIAL: &[Edit] = &[
    ("report", |p| p.facts.report = "R009WqAY45L2".parse().unwrap()),
    ("policy", |p| p.facts.policy = PolicyId::new("FEDCBA9876543210").unwrap()),
    ("status", |p| p.facts.status = SourceStatus::Reimbursed),
    ("currency", |p| p.facts.currency = "EUR".into()),
    ("total", |p| p.facts.total = Hundredths::Of(1)),
    ("submitted", |p| p.facts.submitted = SourceTime::new("2026-11-04 09:00:00")),
    ("approved", |p| p.facts.approved = SourceTime::new("2026-11-07 09:00:00")),
    ("reimbursed", |p| p.facts.reimbursed = SourceTime::new("2026-11-07 09:00:00")),
    ("isACHReimbursed", |p| p.facts.ach_reimbursed = Flag::Yes),
    ("entryID", |p| p.facts.entry_id = "77".into()),
    ("count of lines", |p| p.facts.declared_lines = Some(3)),
    ("report field", |p| p.facts.fields.insert("Trip".into(), "Fair".into()).map_or((), drop)),
    ("another report field", |p| p.facts.fields.insert("Plant".into(), "2".into()).map_or((), drop)),
    ("submitter", |p| personal(p).submitter = "lee@acme.example".into()),
    ("transaction", |p| p.facts.lines[0].transaction = transaction(9)),
    ("kind", |p| p.facts.lines[0].kind = "mileage".into()),
    ("amount", |p| p.facts.lines[0].amount = Hundredths::Of(1)),
    ("modifiedAmount", |p| p.facts.lines[0].modified_amount = Hundredths::Of(1)),
    ("convertedAmount", |p| p.facts.lines[0].converted_amount = Hundredths::Of(1)),
    ("an unreadable amount", |p| p.facts.lines[0].amount = Hundredths::Unreadable("12,5".into())),
    ("line currency", |p| p.facts.lines[0].currency = "CAD".into()),
    ("expense date", |p| p.facts.lines[0].created = SourceTime::new("2026-11-01")),
    ("edited expense date", |p| p.facts.lines[0].modified_created = SourceTime::new("2026-11-01")),
    ("category", |p| p.facts.lines[0].category = "Hotel".into()),
    ("category code", |p| p.facts.lines[0].category_gl = "6420".into()),
    ("tag", |p| p.facts.lines[0].tag = "Texas".into()),
    ("tag code", |p| p.facts.lines[0].tag_gl = "TX".into()),
    ("tag level", |p| p.facts.lines[0].tag_levels[0].name = "Texas".into()),
    ("tag level code", |p| p.facts.lines[0].tag_levels[0].gl = "TX".into()),
    ("another tag level", |p| {
        let level = TagLevel { name: "Line 2".into(), gl: String::new() };
        p.facts.lines[0].tag_levels.push(level);
    }),
    ("reimbursable", |p| p.facts.lines[0].reimbursable = Flag::No),
    ("bank", |p| p.facts.lines[0].bank = "Amex".into()),
    ("card id", |p| p.facts.lines[0].card_id = "5".into()),
    ("card name", |p| p.facts.lines[0].card_name = "Fleet".into()),
    // A merchant category code is a sign that a card paid, and so decides who is credited.
    ("mcc", |p| p.facts.lines[0].mcc = "5812".into()),
    ("hasTax", |p| p.facts.lines[0].has_tax = Flag::Yes),
    ("taxAmount", |p| p.facts.lines[0].tax_amount = Hundredths::Of(1)),
    ("modifiedTaxAmount", |p| p.facts.lines[0].modified_tax_amount = Hundredths::Of(1)),
    ("taxCode", |p| p.facts.lines[0].tax_code = "VAT20".into()),
    ("merchant", |p| personal(p).lines[0].merchant = "Moonrise Air".into()),
    ("edited merchant", |p| personal(p).lines[0].modified_merchant = "Moonrise Air".into()),
    ("a line less", |p| drop(p.facts.lines.pop())),
];

#[rustfmt::skip]
const IMMATERIAL: &[Edit] = &[
    ("policy name", |p| p.facts.policy_name = "Acme".into()),
    ("comment", |p| personal(p).lines[0].comment = "another".into()),
    ("title", |p| personal(p).report_name = "another".into()),
    ("submitter's name", |p| personal(p).submitter_name = "K. Olsen".into()),
    ("case of the submitter's address", |p| personal(p).submitter = " Kim@Acme.example".into()),
    ("manager", |p| personal(p).manager = "other@acme.example".into()),
    ("approvers", |p| personal(p).approvers.clear()),
    ("attendees", |p| personal(p).lines[0].attendees.clear()),
    ("receipt", |p| p.facts.lines[0].receipt_id = "9".into()),
    ("receipt file", |p| personal(p).lines[0].receipt_filename = "b.jpg".into()),
    ("an original merchant that was edited away", |p| {
        personal(p).lines[0].modified_merchant = "Sundown Air".into();
        personal(p).lines[0].merchant = "SNDWN*AIR".into();
    }),
    ("order of lines", |p| {
        p.facts.lines.reverse();
        personal(p).lines.reverse();
    }),
];

fn hash(payload: &Payload) -> MaterialHash {
    payload.material_hash(SALT)
}

#[test]
fn each_field_that_decides_the_posting_is_material() {
    for (name, edit) in MATERIAL {
        let mut edited = payload();
        edit(&mut edited);
        assert_ne!(*edited, *payload(), "{name}: the edit edits nothing");
        assert_ne!(hash(&edited), hash(&payload()), "{name} is material");
    }
}

#[test]
fn what_does_not_decide_the_posting_is_not_material_but_is_in_the_hash_of_the_payload() {
    for (name, edit) in IMMATERIAL {
        let mut edited = payload();
        edit(&mut edited);
        assert_eq!(hash(&edited), hash(&payload()), "{name} is not material");
        assert_ne!(
            edited.payload_hash().unwrap(),
            payload().payload_hash().unwrap(),
            "{name} is in the payload's hash"
        );
    }
}

#[test]
fn no_two_material_edits_have_one_hash() {
    let mut seen = std::collections::BTreeMap::new();
    for (name, edit) in MATERIAL {
        let mut edited = payload();
        edit(&mut edited);
        let previous = seen.insert(hash(&edited).as_str().to_owned(), name);
        // Two names of one merchant are one merchant.
        if *name != "edited merchant" {
            assert_eq!(previous, None, "{name}");
        }
    }
}

#[test]
fn the_hashes_are_salted_so_that_a_guess_cannot_be_tried() {
    let mut other = payload();
    personal(&mut other).salt = "ff".repeat(16);
    assert_ne!(other.payload_hash().unwrap(), payload().payload_hash().unwrap());
    assert_ne!(other.material_hash("ff"), other.material_hash("fe"));
    assert_eq!(hash(&payload()).as_str().len(), 64);
}

proptest! {
    /// A character that moves from one field to the next is another report.
    #[test]
    fn fields_do_not_run_into_each_other(left in "[a-z]{1,6}", right in "[a-z]{1,6}", cut in 0usize..6) {
        let joined = format!("{left}{right}");
        let cut = cut.min(joined.len());
        let with = |category: &str, code: &str| {
            let mut payload = payload();
            payload.facts.lines[0].category = category.into();
            payload.facts.lines[0].category_gl = code.into();
            hash(&payload)
        };
        prop_assert_eq!(with(&left, &right) == with(&joined[..cut], &joined[cut..]), cut == left.len());
    }

    #[test]
    fn the_order_of_lines_is_never_material(order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle()) {
        let mut many = payload();
        many.facts.lines = (0..6u8)
            .map(|n| {
                let mut line = payload().facts.lines[0].clone();
                line.transaction = transaction(n);
                line.amount = Hundredths::Of(i64::from(n) * 100);
                line
            })
            .collect();
        let person = personal(&mut many).lines[0].clone();
        personal(&mut many).lines = (0..6)
            .map(|n| crate::report::PersonalLine { merchant: format!("merchant {n}"), ..person.clone() })
            .collect();
        let mut shuffled = many.clone();
        shuffled.facts.lines = order.iter().map(|at| many.facts.lines[*at].clone()).collect();
        personal(&mut shuffled).lines = order.iter().map(|at| many.personal.known().unwrap().lines[*at].clone()).collect();
        prop_assert_eq!(hash(&shuffled), hash(&many));
    }
}

#[test]
fn each_material_edit_is_named_as_a_difference_and_no_other_is() {
    for (name, edit) in MATERIAL {
        let mut edited = payload();
        edit(&mut edited);
        let found = source_differences(&payload(), &edited);
        assert!(!found.is_empty(), "{name} is not told");
        assert!(
            found.iter().all(|d| d.sent != d.held),
            "{name}: both values are alike in {found:?}"
        );
    }
    for (name, edit) in IMMATERIAL {
        let mut edited = payload();
        edit(&mut edited);
        assert_eq!(source_differences(&payload(), &edited), [], "{name} is told");
    }
}
