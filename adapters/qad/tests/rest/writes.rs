//! Post, look up, read back against the stand-in, and every way in which a post goes wrong there.

use tieout_domain::ids::{DocumentKind, Voucher};
use tieout_domain::ports::{Ledger, LedgerError, LookUp, PostAnswer};
use tieout_domain::posting::{Document, DocumentKey, differences};
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::FaultKind;
use tieout_sandbox::qad::world::DuplicateReference;

use crate::documents::{credit_note, invoice, journal, reference, report};
use crate::stand_in::{StandIn, WORKSPACE, set};
use tieout_sandbox::qad::QadShape;

pub async fn posted(stand_in: &StandIn, document: &Document) -> DocumentKey {
    match stand_in.client.post(document).await {
        PostAnswer::Accepted {
            key: Some(key),
            warnings,
        } if warnings.is_empty() => key,
        other => panic!("{} was not posted: {other:?}", document.kind()),
    }
}

#[tokio::test]
async fn each_kind_is_posted_found_and_read_back_as_it_was_sent() {
    let stand_in = StandIn::start().await;
    assert_eq!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Absent);
    for document in [invoice(), credit_note(), journal()] {
        let key = posted(&stand_in, &document).await;
        let held = stand_in.client.read_back(document.reference, &key).await.unwrap();
        assert_eq!(differences(&document, &held), [], "{}", document.kind());
        assert!(!held.reversed);
    }
    let LookUp::Found(seen) = stand_in.client.look_up(report()).await.unwrap() else {
        panic!("absent")
    };
    let mut listed = stand_in.client.list_ours().await.unwrap();
    listed.sort_by_key(|one| one.reference);
    let mut found = seen.clone();
    found.sort_by_key(|one| one.reference);
    assert_eq!(listed, found, "the canaries begin otherwise and are none of ours");
    let kinds: Vec<DocumentKind> = seen.iter().map(|seen| seen.reference.kind).collect();
    assert_eq!(kinds.len(), 3);
    assert!(
        [
            DocumentKind::SupplierInvoice,
            DocumentKind::CreditNote,
            DocumentKind::Journal
        ]
        .iter()
        .all(|kind| kinds.contains(kind))
    );
    let invoice_key = seen[0].key.clone();
    let there = tieout_sandbox::qad::world::DocumentKey {
        year: invoice_key.year,
        daybook: invoice_key.daybook.to_string(),
        voucher: invoice_key.voucher.0,
    };
    assert!(stand_in.handle.reverse(WORKSPACE, &there));
    let LookUp::Found(seen) = stand_in.client.look_up(report()).await.unwrap() else {
        panic!("absent")
    };
    assert_eq!(seen.iter().filter(|seen| seen.reversed).count(), 1);
    assert!(
        stand_in
            .client
            .read_back(seen[0].reference, &invoice_key)
            .await
            .unwrap()
            .reversed
    );
}

#[tokio::test]
async fn hostile_text_arrives_unharmed_and_a_long_one_cut_to_what_the_field_takes() {
    let stand_in = StandIn::start().await;
    posted(&stand_in, &invoice()).await;
    posted(&stand_in, &journal()).await;
    let header = invoice().texts.known().unwrap().header.clone();
    stand_in.handle.read(|world| {
        let texts: Vec<_> = world
            .workspace(WORKSPACE)
            .unwrap()
            .ledger
            .iter()
            .map(|document| document.description.clone())
            .collect();
        assert!(texts.contains(&header), "{texts:?}");
        assert!(
            texts
                .iter()
                .any(|text| text.chars().count() == 40 && text.ends_with('…')),
            "{texts:?}"
        );
    });
}

#[tokio::test]
async fn a_refusal_is_shown_verbatim_and_stores_nothing() {
    let stand_in = StandIn::start().await;
    let before = stand_in.documents();
    let mut document = invoice();
    document.lines[0].coding.account = tieout_domain::ids::AccountCode::new("9999").unwrap();
    let PostAnswer::Refused { messages } = stand_in.client.post(&document).await else {
        panic!("not refused")
    };
    assert!(
        messages
            .iter()
            .any(|message| message.message.contains("9999") && message.code.starts_with("SIM-")),
        "{messages:?}"
    );
    assert_eq!(stand_in.documents(), before);
}

#[tokio::test]
async fn a_duplicate_is_told_as_one_in_whatever_form_it_comes() {
    for (duplicates, echoed) in [
        (DuplicateReference::StoredWithMessage, true),
        (DuplicateReference::StoredAsFailure, false),
    ] {
        let stand_in = StandIn::start().await;
        stand_in.handle.edit(|world| world.duplicates = duplicates);
        let first = posted(&stand_in, &invoice()).await;
        let PostAnswer::DuplicateWarned { key, warning } = stand_in.client.post(&invoice()).await else {
            panic!("{duplicates:?}")
        };
        assert_eq!(
            warning,
            "The reference already exists on another invoice for this supplier"
        );
        assert_eq!(key.is_some(), echoed, "{duplicates:?}");
        assert_ne!(key, Some(first), "the number of the second one");
        let LookUp::Found(seen) = stand_in.client.look_up(report()).await.unwrap() else {
            panic!("absent")
        };
        assert_eq!(seen.len(), 2, "both show");
    }
}

#[tokio::test]
async fn an_installation_that_refuses_a_duplicate_refuses() {
    let stand_in = StandIn::start().await;
    stand_in
        .handle
        .edit(|world| world.duplicates = DuplicateReference::Refused);
    posted(&stand_in, &invoice()).await;
    assert!(matches!(
        stand_in.client.post(&invoice()).await,
        PostAnswer::Refused { .. }
    ));
}

#[tokio::test]
async fn a_profile_from_before_the_entry_knows_the_warning_all_the_same() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        let answers = profile["answers"].as_table_mut().unwrap();
        assert!(answers.remove("duplicate_texts").is_some() && answers.remove("duplicate_codes").is_some());
    })
    .await;
    posted(&stand_in, &invoice()).await;
    assert!(matches!(
        stand_in.client.post(&invoice()).await,
        PostAnswer::DuplicateWarned { .. }
    ));
}

#[tokio::test]
async fn whatever_may_have_happened_is_unknown_and_a_look_up_tells() {
    for (fault, stored) in [
        (FaultKind::DropBefore, false),
        (FaultKind::DropAfter, true),
        (FaultKind::HtmlPage, false),
        (FaultKind::HtmlPageAfter, true),
        (FaultKind::ErrorBefore { status: 503 }, false),
        (FaultKind::ErrorAfter { status: 502 }, true),
        (FaultKind::ErrorBefore { status: 429 }, false),
        (FaultKind::TruncatedBody, true),
        (FaultKind::WarnedAsFailure, true),
    ] {
        for document in [invoice(), journal()] {
            let stand_in = StandIn::start().await;
            // With a token in hand, so that the fault strikes the post alone.
            assert_eq!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Absent);
            stand_in
                .handle
                .faults()
                .add(FaultRule::next("post:*", fault.clone()));
            let answer = stand_in.client.post(&document).await;
            assert!(
                matches!(answer, PostAnswer::Unknown { .. }),
                "{fault:?}: {answer:?}"
            );
            let found = matches!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Found(_));
            assert_eq!(found, stored, "{fault:?}");
            assert!(
                stand_in.handle.faults().pending().is_empty(),
                "{fault:?} did not strike"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_later_than_the_timeout_is_unknown() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        set(profile, "waits.read_timeout", "200ms");
        set(profile, "waits.connect_timeout", "200ms");
        set(profile, "waits.quarantine", "1s");
    })
    .await;
    assert_eq!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Absent);
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("post:*", FaultKind::Delay { ms: 2_000 }));
    let PostAnswer::Unknown { detail } = stand_in.client.post(&invoice()).await else {
        panic!("not unknown")
    };
    assert!(detail.contains("timed out"), "{detail}");
    assert!(matches!(
        stand_in.client.look_up(report()).await.unwrap(),
        LookUp::Found(_)
    ));
}

#[tokio::test]
async fn what_was_certainly_not_handled_never_arrived() {
    let stand_in = StandIn::start().await;
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("post:*", FaultKind::Forbidden));
    assert!(
        matches!(stand_in.client.post(&invoice()).await, PostAnswer::NeverArrived { detail } if detail.contains("Access is denied"))
    );
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("post:*", FaultKind::TokenExpired));
    posted(&stand_in, &invoice()).await;
    assert_eq!(
        stand_in.documents(),
        3,
        "two canaries and one invoice: the retry after 401 stored it once"
    );
    // Nobody listens.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let profile = toml::to_string(&crate::stand_in::profile_of(&QadShape::default())).unwrap();
    let client = crate::canned::client(&dead, &profile, "secret", crate::documents::Still::default());
    assert!(matches!(
        client.post(&invoice()).await,
        PostAnswer::NeverArrived { .. }
    ));
}

#[tokio::test]
async fn a_success_that_is_none_shows_when_it_is_read_back() {
    let field = |field: &str| FaultKind::FieldNotStored {
        field: field.to_owned(),
    };
    for fault in [
        field("cost_centre"),
        field("sub_account"),
        field("project"),
        field("reference"),
        field("supplier"),
        field("currency"),
        field("total_credit"),
        field("debit"),
        FaultKind::LineNotStored,
        FaultKind::PostingDateShifted,
    ] {
        let stand_in = StandIn::start().await;
        stand_in
            .handle
            .faults()
            .add(FaultRule::next("post:*", fault.clone()));
        let key = posted(&stand_in, &invoice()).await;
        let held = stand_in
            .client
            .read_back(invoice().reference, &key)
            .await
            .unwrap();
        assert_ne!(differences(&invoice(), &held), [], "{fault:?}");
    }
}

#[tokio::test]
async fn a_document_that_is_not_there_cannot_be_read_back() {
    let stand_in = StandIn::start().await;
    let mut key = posted(&stand_in, &invoice()).await;
    key.voucher = Voucher(999);
    let error = stand_in
        .client
        .read_back(reference(DocumentKind::SupplierInvoice), &key)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no document"), "{error}");
}

#[tokio::test]
async fn absence_is_believed_only_while_the_canaries_sing() {
    for read in ["browse:invoice_lookup", "browse:journal_lookup"] {
        for fault in [FaultKind::BrokenCanary, FaultKind::EmptyBrowse] {
            let stand_in = StandIn::start().await;
            stand_in
                .handle
                .faults()
                .add(FaultRule::next(read, fault).times(2));
            let error = stand_in.client.look_up(report()).await.unwrap_err();
            assert!(
                matches!(error, LedgerError::CanarySilent { .. }),
                "{read}: {error}"
            );
            assert_eq!(stand_in.client.look_up(report()).await.unwrap(), LookUp::Absent);
        }
    }
    // A column that the browse does not have is answered with an empty page: the canary tells.
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        set(
            profile,
            "documents.journal.look_up.columns.reference",
            "journalEntry.reference",
        );
    })
    .await;
    assert!(matches!(
        stand_in.client.look_up(report()).await,
        Err(LedgerError::CanarySilent { .. })
    ));
}

#[tokio::test]
async fn a_code_without_a_field_is_refused_before_anything_is_sent() {
    let stand_in = StandIn::with(QadShape::default(), |profile| {
        profile["documents"]["supplier_invoice"]["line"]
            .as_table_mut()
            .unwrap()
            .remove("project");
    })
    .await;
    let PostAnswer::NeverArrived { detail } = stand_in.client.post(&invoice()).await else {
        panic!("sent")
    };
    assert!(
        detail.contains("documents.supplier_invoice.line.project"),
        "{detail}"
    );
    assert_eq!(stand_in.handle.calls().count("post:supplier_invoice"), 0);
}

#[tokio::test]
async fn a_look_up_finds_every_generation_and_every_copy() {
    let stand_in = StandIn::start().await;
    posted(&stand_in, &invoice()).await;
    let mut again = invoice();
    again.reference.generation = again.reference.generation.next();
    stand_in
        .handle
        .faults()
        .add(FaultRule::next("post:*", FaultKind::DeliveredTwice));
    posted(&stand_in, &again).await;
    let LookUp::Found(seen) = stand_in.client.look_up(report()).await.unwrap() else {
        panic!("absent")
    };
    let generations: Vec<u32> = seen.iter().map(|seen| seen.reference.generation.get()).collect();
    assert_eq!(generations, [1, 2, 2]);
}
