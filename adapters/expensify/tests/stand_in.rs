//! The client against the stand-in Expensify, which parses the bytes it is sent, renders the template, filters by its
//! own reading of the contract and enforces the rate limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what fails here should fail where it stands"
)]

mod common;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use common::{
    Book, Client, Hand, USER_ID, USER_SECRET, client, drained, ids, policy, report, settings, since,
};
use tieout_domain::ids::{Label, PolicyId};
use tieout_domain::ports::{Clock, ListingQuery, Selection, Source, SourceError, SourceStates};
use tieout_domain::report::{Flag, SourceStatus};
use tieout_expensify::{PolicyField, Tags};
use tieout_sandbox::clock;
use tieout_sandbox::expensify::world::{
    Category, Expense, Person, Policy, Report, ReportId, ReportState, Tag, TagLevel, World,
};
use tieout_sandbox::expensify::{Config, ExpensifyStandIn, FaultKind, Quirks};
use tieout_sandbox::fault::FaultRule;

const HOSTILE: &str = "\"q\" \\ \n\t\u{7} 😀 \u{202e}x </script> ${7*7} <#list reports as r> R&D <b>";

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn spend(id: u64, at: &str) -> Report {
    let expense = Expense {
        transaction_id: format!("40563430492756{id:05}"),
        kind: "card".into(),
        amount: 1_234_567,
        modified_amount: Some(1_200_000),
        converted_amount: Some(1_300_000),
        currency: "EUR".into(),
        created: "2026-10-12".parse().unwrap(),
        merchant: HOSTILE.into(),
        category: "Travel".into(),
        category_gl_code: Some("6200".into()),
        tag: "Eng:Core".into(),
        tag_gl_codes: vec!["100".into(), "110".into()],
        comment: HOSTILE.into(),
        reimbursable: false,
        card_name: "Corporate".into(),
        ..Expense::default()
    };
    Report {
        name: "October".into(),
        total: 1_300_000,
        submitter: Person {
            email: "ann@acme.example".into(),
            first_name: "Ann".into(),
            last_name: "Ray".into(),
            ..Person::default()
        },
        expenses: vec![expense],
        custom_fields: [("Cost_Centre".to_owned(), "CC100".to_owned())].into(),
        ..Report::approved(ReportId(id), "0123456789ABCDEF", "USD", instant(at))
    }
}

struct Stage {
    stand_in: ExpensifyStandIn,
    client: Client,
    clock: Arc<Hand>,
}

/// A stand-in with six reports, with the documented limits, on the client's own clock.
async fn stage(quirks: Quirks) -> Stage {
    let mut world = World::with_account(USER_ID, USER_SECRET);
    let mut plant = Policy::new("0123456789ABCDEF", "Plant East", "USD");
    plant.categories = vec![Category {
        name: "Travel".into(),
        enabled: true,
        gl_code: Some("6200".into()),
        ..Category::default()
    }];
    let tag = |name: &str, gl: &str| Tag {
        name: name.into(),
        enabled: true,
        gl_code: Some(gl.into()),
    };
    plant.tags = vec![
        TagLevel {
            name: "Dept".into(),
            tags: vec![tag("Eng", "100")],
        },
        TagLevel {
            name: "Team".into(),
            tags: vec![tag("Core", "110")],
        },
    ];
    world.add_policy(plant);
    world.add_policy(Policy::new("FEDCBA9876543210", "Plant West", "USD"));
    for id in 1..=3 {
        world.add_report(spend(id, "2026-11-02T10:11:12Z"));
    }
    world.add_report(Report {
        state: ReportState::Reimbursed,
        ..spend(4, "2026-11-03T00:00:00Z")
    });
    world.add_report(Report {
        state: ReportState::Open,
        ..spend(5, "2026-11-03T00:00:00Z")
    });
    world.add_report(Report {
        policy_id: "FEDCBA9876543210".into(),
        ..spend(6, "2026-11-03T00:00:00Z")
    });
    let clock = Hand::at("2026-11-23T08:00:00Z");
    let now = Arc::clone(&clock);
    let config = Config {
        clock: clock::Clock::from_fn(move || now.now()),
        quirks,
        ..Config::new(world)
    };
    let stand_in = ExpensifyStandIn::start(config).await.unwrap();
    let client = client(&stand_in.url(), settings(), &clock, &Arc::new(Book::default()));
    Stage {
        stand_in,
        client,
        clock,
    }
}

fn label() -> Label {
    Label::new("tieout-acme-us").unwrap()
}

#[tokio::test]
async fn approved_and_reimbursed_reports_of_our_policies_come_and_no_others() {
    let stage = stage(Quirks::observed()).await;
    let (reports, _, error) = drained(stage.client.list(&since("2026-11-02")).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids(&reports), [1, 2, 3, 4]);
    assert_eq!(
        (reports[0].facts.status.clone(), reports[3].facts.status.clone()),
        (SourceStatus::Approved, SourceStatus::Reimbursed)
    );
    let (line, who) = (&reports[0].facts.lines[0], reports[0].personal.known().unwrap());
    assert_eq!(
        (
            line.amount.get(),
            line.modified_amount.get(),
            line.converted_amount.get()
        ),
        (Some(1_234_567), Some(1_200_000), Some(1_300_000))
    );
    assert_eq!(
        (
            line.category_gl.as_str(),
            line.reimbursable.clone(),
            line.card_name.as_str()
        ),
        ("6200", Flag::No, "Corporate")
    );
    let levels: Vec<(&str, &str)> = line
        .tag_levels
        .iter()
        .map(|level| (level.name.as_str(), level.gl.as_str()))
        .collect();
    assert_eq!(levels, [("Eng", "100"), ("Core", "110")]);
    assert_eq!(reports[0].facts.approved.as_str(), "2026-11-02 10:11:12");
    assert_eq!(reports[0].facts.fields["Cost_Centre"], "CC100");
    assert_eq!(
        (
            who.submitter.as_str(),
            who.submitter_name.as_str(),
            who.report_name.as_str()
        ),
        ("ann@acme.example", "Ann Ray", "October")
    );
    assert_eq!(
        (who.lines[0].merchant.as_str(), who.lines[0].comment.as_str()),
        (HOSTILE, HOSTILE)
    );
    assert_eq!(reports[0].facts.declared_lines, Some(1));
}

#[tokio::test]
async fn every_reading_of_the_contract_gives_the_same_listing() {
    let usual = stage(Quirks::observed()).await;
    let (expected, _, _) = drained(usual.client.list(&since("2026-11-02")).await.unwrap()).await;
    let observed = Quirks::observed();
    for quirks in [
        Quirks {
            approved_after_is_inclusive: false,
            ..observed
        },
        Quirks {
            html_escaped_text: true,
            ..observed
        },
        Quirks {
            blanks_are_missing: true,
            ..observed
        },
        Quirks {
            reports_per_pass: Some(1),
            ..observed
        },
        Quirks {
            reports_per_pass: Some(3),
            ..observed
        },
        Quirks {
            rendering: tieout_sandbox::expensify::freemarker::Rendering {
                strict_numbers: true,
                abort_on_error: true,
            },
            ..observed
        },
    ] {
        let stage = stage(quirks).await;
        let (reports, _, error) = drained(stage.client.list(&since("2026-11-02")).await.unwrap()).await;
        assert!(error.is_none(), "{quirks:?}: {error:?}");
        assert_eq!(ids(&reports), ids(&expected), "{quirks:?}");
        for (one, other) in reports.iter().zip(&expected) {
            assert_eq!(one.facts, other.facts, "{quirks:?}");
            assert_eq!(one.material_hash(""), other.material_hash(""), "{quirks:?}");
        }
    }
}

#[tokio::test]
async fn marking_shows_what_it_touched_and_the_next_listing_leaves_it_out() {
    let stage = stage(Quirks::observed()).await;
    let (marked, _, error) = drained(
        stage
            .client
            .mark(&[policy()], &[report(1), report(2)], &label())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((ids(&marked), error.is_none()), (vec![1, 2], true));
    // Marked before: it is in the file all the same, so that a repeated call proves itself too.
    let (again, _, _) = drained(
        stage
            .client
            .mark(&[policy()], &[report(2)], &label())
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(ids(&again), [2]);
    let open = ListingQuery {
        without_label: Some(label()),
        ..since("2026-11-02")
    };
    assert_eq!(
        ids(&drained(stage.client.list(&open).await.unwrap()).await.0),
        [3, 4]
    );
    let named = ListingQuery {
        selection: Selection::Reports(vec![report(1), report(5)]),
        ..open
    };
    assert_eq!(
        ids(&drained(stage.client.list(&named).await.unwrap()).await.0),
        Vec::<u64>::new()
    );
    let named = ListingQuery {
        without_label: None,
        ..named
    };
    assert_eq!(
        ids(&drained(stage.client.list(&named).await.unwrap()).await.0),
        [1]
    );
}

#[tokio::test]
async fn a_closed_report_is_listed_only_where_it_is_asked_for() {
    let stage = stage(Quirks::observed()).await;
    let closed = stage.stand_in.world().edit(|world| {
        let report = world.reports.get_mut(&ReportId(2))?;
        report.state = ReportState::Closed;
        Some(())
    });
    assert!(closed.is_some());
    let open = since("2026-11-02");
    let also_closed = ListingQuery {
        states: SourceStates::AlsoClosed,
        ..since("2026-11-02")
    };
    assert_eq!(
        ids(&drained(stage.client.list(&open).await.unwrap()).await.0),
        [1, 3, 4]
    );
    let (reports, _, error) = drained(stage.client.list(&also_closed).await.unwrap()).await;
    assert_eq!((ids(&reports), error.is_none()), (vec![1, 2, 3, 4], true));
    assert!(
        reports[1].facts.status.is_closed() && !reports[0].facts.status.is_closed(),
        "{:?}",
        reports[1].facts.status
    );
}

#[tokio::test]
async fn a_mark_whose_answer_was_lost_holds_and_is_not_sent_twice() {
    for kind in [
        FaultKind::DropAfter,
        FaultKind::BadGatewayAfter,
        FaultKind::ServerErrorAfter,
    ] {
        let stage = stage(Quirks::observed()).await;
        stage.stand_in.faults().add(FaultRule::next("mark", kind));
        let error = stage
            .client
            .mark(&[policy()], &[report(1)], &label())
            .await
            .unwrap_err();
        assert!(matches!(error, SourceError::Unanswered { .. }), "{error}");
        assert_eq!(stage.stand_in.calls().count("mark"), 1);
        assert_eq!(
            stage
                .stand_in
                .world()
                .read(|world| world.reports[&ReportId(1)].markings.len()),
            1
        );
    }
}

#[tokio::test]
async fn every_damage_to_a_download_is_seen() {
    for kind in [
        FaultKind::TruncatedFile { bytes: None },
        FaultKind::BrokenDownload { bytes: None },
        FaultKind::LineDropped { line: 0 },
        FaultKind::LineDropped { line: 2 },
        FaultKind::LineDropped { line: 4 },
        FaultKind::LineGarbled { line: 1 },
    ] {
        let stage = stage(Quirks::observed()).await;
        stage
            .stand_in
            .faults()
            .add(FaultRule::next("download", kind.clone()));
        let (reports, _, error) = drained(stage.client.list(&since("2026-11-02")).await.unwrap()).await;
        assert!(
            matches!(error, Some(SourceError::Truncated { .. })),
            "{kind:?}: {error:?}"
        );
        assert!(!reports.is_empty(), "{kind:?}: what can be read is kept");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_waited_out() {
    for (operation, kind) in [
        ("export", FaultKind::TooManyRequests),
        ("export", FaultKind::TooManyRequestsInBody),
        ("export", FaultKind::DropBefore),
        ("export", FaultKind::BadGateway),
        ("download", FaultKind::EmptyDownload),
        ("download", FaultKind::FileNotFound),
        ("download", FaultKind::TooManyRequestsInBody),
        ("download", FaultKind::DropBefore),
    ] {
        let stage = stage(Quirks::observed()).await;
        stage
            .stand_in
            .faults()
            .add(FaultRule::next(operation, kind.clone()));
        let (reports, _, error) = drained(stage.client.list(&since("2026-11-02")).await.unwrap()).await;
        assert_eq!(
            (ids(&reports), error.is_none()),
            (vec![1, 2, 3, 4], true),
            "{kind:?}"
        );
        assert_eq!(stage.client.take_calls().retries, 1, "{kind:?}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told() {
    let page = stage(Quirks::observed()).await;
    page.stand_in
        .faults()
        .add(FaultRule::next("export", FaultKind::HtmlPage));
    let error = page.client.list(&since("2026-11-02")).await.unwrap_err();
    assert!(
        matches!(&error, SourceError::Unanswered { detail, .. } if detail.contains("<html")),
        "{error}"
    );
    let wrong = stage(Quirks::observed()).await;
    wrong
        .stand_in
        .faults()
        .add(FaultRule::next("export", FaultKind::AuthenticationFailure));
    assert!(matches!(
        wrong.client.list(&since("2026-11-02")).await,
        Err(SourceError::Unauthorised { .. })
    ));
    let failed = stage(Quirks::observed()).await;
    failed
        .stand_in
        .faults()
        .add(FaultRule::next("export", FaultKind::ServerError));
    assert!(
        matches!(failed.client.list(&since("2026-11-02")).await, Err(SourceError::Refused { code, .. }) if code == "500")
    );
}

#[tokio::test]
async fn forty_calls_in_a_row_never_meet_the_documented_limit() {
    let stage = stage(Quirks::observed()).await;
    let begun = stage.clock.now();
    for _ in 0..20 {
        drained(stage.client.list(&since("2026-11-02")).await.unwrap()).await;
    }
    assert_eq!(
        (
            stage.stand_in.calls().throttled(),
            stage.stand_in.calls().all().len()
        ),
        (0, 40)
    );
    let seconds = (stage.clock.now() - begun).num_seconds();
    assert!(
        (60..=120).contains(&seconds),
        "and it is not slower than the limit demands: {seconds} s"
    );
}

#[tokio::test]
async fn policies_are_listed_and_read() {
    let stage = stage(Quirks::observed()).await;
    let list = stage.client.policy_list(true).await.unwrap();
    let mut names: Vec<(&str, &str)> = list
        .iter()
        .map(|summary| (summary.id.as_str(), summary.name.as_str()))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ("0123456789ABCDEF", "Plant East"),
            ("FEDCBA9876543210", "Plant West")
        ]
    );
    let fields = [
        PolicyField::Categories,
        PolicyField::Tags,
        PolicyField::Tax,
        PolicyField::Employees,
        PolicyField::ReportFields,
    ];
    let policies = stage.client.policies(&[policy()], &fields).await.unwrap();
    let plant = &policies[&policy()];
    assert_eq!(plant.categories.as_ref().unwrap()[0].gl_code, "6200");
    let Some(Tags::Levels(levels)) = &plant.tags else {
        panic!("{:?}", plant.tags)
    };
    assert_eq!(
        (levels[1].name.as_str(), levels[1].tags[0].gl_code.as_str()),
        ("Team", "110")
    );
    assert_eq!(plant.tax.as_ref().map(|tax| tax.rates.len()), Some(0));
    let unknown = PolicyId::new("0000000000000000").unwrap();
    match stage.client.policies(&[unknown], &fields).await {
        Ok(none) => assert!(none.is_empty()),
        Err(error) => assert!(matches!(error, SourceError::Refused { .. }), "{error}"),
    }
}
