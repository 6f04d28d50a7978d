//! A log of reports that were captured and judged in the plant of the posting tests, one after another.

use std::sync::Arc;

use chrono::NaiveDate;

use crate::chart::{Chart, ChartEvent, compare};
use crate::ids::{DocumentKind, Generation, ReportId, SubjectId};
use crate::journal::tests::world::{Keys, MemoryLog, kim, now, poller};
use crate::journal::{Draft, StoredEvent, Streams};
use crate::ports::{Expected, Log, StreamName};
use crate::posting::tests::world::{Case, Masters, RULES};
use crate::posting::{MapInputs, map_report};
use crate::report::tests::samples::{day, discovered_as, instant, revised};
use crate::report::{MapOutcome, Payload, ReportEvent};
use crate::rules::{ChartOf, RuleSet, Span};
use crate::workflow::testing::Plant;
use crate::workflow::{Backtested, Change, ChangeKind, Movement, Place, Trial, WhatIf};

/// The day on which everything is judged here.
pub(super) const JUDGED_ON: &str = "2026-11-07";

/// What was recorded.
pub(super) struct Past {
    pub(super) plant: Plant,
    pub(super) reports: Vec<ReportId>,
}

/// What a backtest says.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) changes: Vec<Change>,
    pub(super) said: Backtested,
}

pub(super) fn id(number: u64) -> ReportId {
    ReportId::from_decimal(1_000 + number).unwrap()
}

/// The rule file of the plant, with this text in place of that one.
pub(super) fn ruled(instead_of: &str, text: &str) -> String {
    assert!(RULES.contains(instead_of), "{instead_of} is not in the rule file");
    RULES.replace(instead_of, text)
}

/// Travel goes to another account.
pub(super) fn travel_elsewhere() -> String {
    ruled(r#"set = { account = "6410" }"#, r#"set = { account = "1010" }"#)
}

impl Past {
    pub(super) fn of(masters: &Masters) -> Self {
        let past = Self {
            plant: Plant::of(&[]),
            reports: Vec::new(),
        };
        past.observe(masters);
        past
    }

    /// QAD shows this from now on.
    pub(super) fn observe(&self, masters: &Masters) {
        let events = compare(&self.chart(), &masters.reading());
        self.append(&Streams(self.plant.connection.id).chart(), events, None);
    }

    pub(super) fn chart(&self) -> Chart {
        let stream = Streams(self.plant.connection.id).chart();
        let (entries, _) = now(self.plant.world.reader().stream::<ChartEvent>(&stream)).unwrap();
        entries
            .iter()
            .fold(Chart::default(), |chart, entry| chart.evolve(&entry.event))
    }

    fn append<E: StoredEvent + Clone>(
        &self,
        stream: &StreamName,
        events: Vec<E>,
        subject: Option<SubjectId>,
    ) {
        let drafts = events
            .into_iter()
            .map(|event| Draft {
                event,
                effective_at: instant("2026-11-07T06:00:00Z"),
                subject,
            })
            .collect();
        now(self
            .plant
            .world
            .journal()
            .append(stream, Expected::Any, &poller(), drafts))
        .unwrap();
    }

    /// Events of a report.
    pub(super) fn keep(&mut self, number: u64, events: Vec<ReportEvent>) {
        self.keep_of(kim(), number, events);
    }

    /// Events of a report of this person.
    pub(super) fn keep_of(&mut self, person: SubjectId, number: u64, events: Vec<ReportEvent>) {
        let stream = Streams(self.plant.connection.id).report(id(number));
        self.append(&stream, events, Some(person));
        if !self.reports.contains(&id(number)) {
            self.reports.push(id(number));
            self.reports.sort_unstable();
        }
    }

    /// A report was captured, and judged by its rules under the chart as it stands.
    pub(super) fn coded(&mut self, number: u64, case: &Case) {
        let events = vec![captured(number, case), self.judged(number, case)];
        self.keep(number, events);
    }

    /// What the rules of a case make of it today.
    pub(super) fn judged(&self, number: u64, case: &Case) -> ReportEvent {
        self.judged_again(number, case, Generation::FIRST)
    }

    pub(super) fn judged_again(&self, number: u64, case: &Case, generation: Generation) -> ReportEvent {
        let rules = RuleSet::parse(&case.rules).unwrap();
        let outcome = map_report(&MapInputs {
            payload: &payload(number, case),
            rules: &rules,
            version: &rules.version(3),
            chart: &self.chart(),
            zone: self.plant.connection.zone,
            today: day(JUDGED_ON),
            go_live: self.plant.connection.go_live,
            generation: &|_: DocumentKind| generation,
        });
        match outcome {
            MapOutcome::Mapped(mapping) => ReportEvent::Mapped(Arc::new(mapping)),
            MapOutcome::Rejected { basis, reasons } => ReportEvent::Rejected { basis, reasons },
            MapOutcome::Held {
                basis,
                reasons,
                until,
            } => ReportEvent::Held {
                basis,
                reasons,
                until,
            },
            MapOutcome::Excluded(why) => ReportEvent::Excluded(why),
        }
    }

    pub(super) fn under(&self, rules: &str) -> Told {
        self.tried(rules, Span::default(), ChartOf::Then)
    }

    pub(super) fn under_codes_of_today(&self, rules: &str) -> Told {
        self.tried(rules, Span::default(), ChartOf::Now)
    }

    pub(super) fn approved(&self, from: Option<&str>, to: Option<&str>) -> Told {
        let (from, to) = (from.map(day), to.map(day));
        self.tried(&travel_elsewhere(), Span { from, to }, ChartOf::Then)
    }

    fn tried(&self, rules: &str, span: Span, chart: ChartOf) -> Told {
        self.asked(|what_if| what_if, rules, span, chart)
    }

    /// The same, read so many reports ahead.
    pub(super) fn read_ahead(&self, reports: usize, rules: &str) -> Told {
        self.asked(
            |what_if| what_if.reading_ahead(reports),
            rules,
            Span::default(),
            ChartOf::Then,
        )
    }

    /// The same, judged by several at once.
    pub(super) fn helped(&self, rules: &str) -> Told {
        self.asked(
            |what_if| what_if.helped_by(&three_of_them),
            rules,
            Span::default(),
            ChartOf::Then,
        )
    }

    fn asked<'a>(
        &'a self,
        set: impl FnOnce(WhatIf<'a, MemoryLog, Keys>) -> WhatIf<'a, MemoryLog, Keys>,
        rules: &str,
        span: Span,
        chart: ChartOf,
    ) -> Told {
        let rules = RuleSet::parse(rules).unwrap_or_else(|faults| panic!("{faults:?}"));
        let trial = Trial {
            rules: &rules,
            against: None,
            span,
            chart,
        };
        let what_if = set(WhatIf::new(self.plant.world.reader(), &self.plant.connection));
        let mut changes = Vec::new();
        let before = now(self.plant.world.log.head()).unwrap();
        let said = now(what_if.backtest(trial, self.reports.clone(), |change| {
            changes.push(change.clone());
            Ok(())
        }))
        .unwrap();
        assert_eq!(
            now(self.plant.world.log.head()).unwrap(),
            before,
            "a backtest appends nothing"
        );
        Told { changes, said }
    }
}

pub(super) fn payload(number: u64, case: &Case) -> Payload {
    let mut payload = case.payload.clone();
    payload.facts.report = id(number);
    payload
}

pub(super) fn captured(number: u64, case: &Case) -> ReportEvent {
    discovered_as(Box::new(payload(number, case)))
}

pub(super) fn captured_anew(number: u64, case: &Case) -> ReportEvent {
    revised(Box::new(payload(number, case)))
}

impl Told {
    /// Which reports come out otherwise, and how.
    pub(super) fn kinds(&self) -> Vec<(u64, ChangeKind)> {
        self.changes
            .iter()
            .map(|change| {
                let number = (1..1_000).find(|number| id(*number) == change.report).unwrap();
                (number, change.kind)
            })
            .collect()
    }

    #[track_caller]
    pub(super) fn nothing_changes(&self) {
        assert_eq!(self.kinds(), [], "{:?}", self.changes);
        assert!(self.said.backtest.counts.nothing_changes());
        assert_eq!(self.said.movements.iter().count(), 0);
    }

    /// What moves: `account cost-centre before-debit before-credit > after-debit after-credit`.
    pub(super) fn moved(&self) -> Vec<String> {
        self.said
            .movements
            .iter()
            .map(|(key, movement)| {
                let place = match &key.place {
                    Place::Account(coding) => format!(
                        "{} {}",
                        coding.account,
                        coding.cost_centre.as_ref().map_or("-", |code| code.as_str())
                    ),
                    Place::Supplier(code) => code.to_string(),
                };
                format!(
                    "{} {}/{} {place}: {} {} > {} {}",
                    key.currency,
                    key.period.0,
                    key.period.1,
                    movement.before.debit,
                    movement.before.credit,
                    movement.after.debit,
                    movement.after.credit
                )
            })
            .collect()
    }

    /// In every currency and period, debit is credit: as it stands, and as it would.
    pub(super) fn balances(&self) -> bool {
        let balanced =
            |movement: &Movement| movement.before.net().is_zero() && movement.after.net().is_zero();
        self.said.movements.totals().values().all(balanced)
    }

    pub(super) fn hash(&self) -> &str {
        &self.said.backtest.result.0
    }
}

pub(super) fn approved_at(case: Case, instant: &str) -> Case {
    case.with(|case| case.payload.facts.approved = crate::time::SourceTime::new(instant))
}

pub(super) fn date(text: &str) -> NaiveDate {
    day(text)
}

fn three_of_them(work: &(dyn Fn() + Sync), meanwhile: &mut dyn FnMut()) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(work);
        }
        meanwhile();
    });
}
