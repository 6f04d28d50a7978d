//! Faults of both stand-ins without end, from dice: every kind that a program can get over without a person.
//!
//! Left out, because each leaves what only a person may settle: a document stored with a field, a line or its date
//! changed, one delivered twice by the network, and refused credentials.

use tieout_sandbox::expensify::FaultKind as Source;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::FaultKind as Ledger;

use crate::{Dice, Scene};

/// Beyond the read time-out of a scene (2 s).
const TOO_LATE: u64 = 2_300;
/// Arrives when its sender has given it up, and before the quarantine (4 s) has ended.
const ZOMBIE: u64 = 3_000;

/// How often a fault strikes a call, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Where calls are many and cost nothing.
    Foul,
    /// Where each call of the source waits for its turn.
    Mixed,
}

/// Replaces the faults on the switches by fresh ones.
pub fn brew(scene: &Scene, dice: &mut Dice, weather: Weather) {
    let ledger = scene.stand_ins.qad.handle().faults();
    ledger.clear();
    for _ in 0..3 + dice.below(5) {
        let (operation, kind) = of_the_ledger(dice);
        let times = if dice.below(4) == 0 { 2 } else { 1 };
        ledger.add(FaultRule::next(operation, kind).after(few(dice, 9)).times(times));
    }
    // One answer that is silently empty, or short, and no more: nothing can tell many of them from the truth.
    let (operation, kind) = silence(dice);
    ledger.add(FaultRule::next(operation, kind).after(few(dice, 9)));
    // Behind the others: what nothing else strikes takes a while, so that a death can come within it.
    let ms = dice.below(12);
    ledger.add(FaultRule::next("post:*", Ledger::Delay { ms }).times(10_000));

    let source = scene.stand_ins.expensify.faults();
    source.clear();
    let strikes = match weather {
        Weather::Foul => dice.below(3),
        Weather::Mixed => u64::from(dice.below(3) == 0),
    };
    for _ in 0..strikes {
        let (operation, kind) = of_the_source(dice);
        source.add(FaultRule::next(operation, kind).after(few(dice, 2)));
    }
}

/// Takes every fault off.
pub fn heal(scene: &Scene) {
    scene.stand_ins.qad.handle().faults().clear();
    scene.stand_ins.expensify.faults().clear();
}

fn few(dice: &mut Dice, bound: u64) -> u32 {
    u32::try_from(dice.below(bound)).expect("small")
}

fn one_of<T: Clone>(dice: &mut Dice, of: &[T]) -> T {
    of[usize::try_from(dice.below(of.len() as u64)).expect("small")].clone()
}

fn of_the_ledger(dice: &mut Dice) -> (&'static str, Ledger) {
    let anywhere = [
        Ledger::DropBefore,
        Ledger::DropAfter,
        Ledger::Delay { ms: TOO_LATE },
        Ledger::HtmlPage,
        Ledger::HtmlPageAfter,
        Ledger::ErrorBefore { status: 429 },
        Ledger::ErrorBefore { status: 503 },
        Ledger::ErrorAfter { status: 502 },
        Ledger::ErrorAfter { status: 500 },
        Ledger::TruncatedBody,
        Ledger::TokenExpired,
    ];
    match dice.below(20) {
        0..9 => {
            let operation = one_of(
                dice,
                &["post:*", "post:*", "post:supplier_invoice", "post:journal_entry"],
            );
            let kind = match dice.below(4) {
                0 => Ledger::Zombie { ms: ZOMBIE },
                1 => one_of(
                    dice,
                    &[Ledger::WarnedAsFailure, Ledger::Forbidden, Ledger::DropAfter],
                ),
                _ => one_of(dice, &anywhere),
            };
            (operation, kind)
        }
        9..15 => {
            let operation = one_of(dice, &["browse:invoice_lookup", "browse:journal_lookup"]);
            let kind = match dice.below(3) {
                0 => Ledger::BrowseFails,
                _ => one_of(dice, &anywhere),
            };
            (operation, kind)
        }
        15..17 => ("get:*", one_of(dice, &anywhere)),
        17..19 => (
            "browse:*",
            one_of(
                dice,
                &[Ledger::BrowseFails, Ledger::DropBefore, Ledger::TokenExpired],
            ),
        ),
        _ => (
            "token",
            one_of(
                dice,
                &[Ledger::DropBefore, Ledger::DropAfter, Ledger::TokenExpired],
            ),
        ),
    }
}

/// A browse that is answered in good form, and not with what is there.
fn silence(dice: &mut Dice) -> (&'static str, Ledger) {
    if dice.below(2) == 0 {
        let operation = one_of(dice, &["browse:invoice_lookup", "browse:journal_lookup"]);
        return (
            operation,
            one_of(dice, &[Ledger::EmptyBrowse, Ledger::BrokenCanary]),
        );
    }
    let operation = one_of(
        dice,
        &[
            "browse:suppliers",
            "browse:accounts",
            "browse:periods",
            "browse:sub_accounts",
        ],
    );
    let shrinks = Ledger::RowsMissing { rows: 40 };
    (
        operation,
        one_of(dice, &[Ledger::EmptyBrowse, Ledger::BrokenCanary, shrinks]),
    )
}

fn of_the_source(dice: &mut Dice) -> (&'static str, Source) {
    let anywhere = [
        Source::DropBefore,
        Source::DropAfter,
        Source::BadGateway,
        Source::BadGatewayAfter,
        Source::HtmlPage,
        Source::TooManyRequests,
        Source::TooManyRequestsInBody,
        Source::ServerError,
        Source::ServerErrorAfter,
        Source::Slow { ms: 200 },
        Source::Late { ms: 200 },
    ];
    match dice.below(3) {
        // The mark holds, though the call failed, in four of these.
        0 => ("mark", one_of(dice, &anywhere)),
        1 => ("export", one_of(dice, &anywhere)),
        _ => {
            let line = usize::try_from(dice.below(6)).expect("small");
            let kind = match dice.below(2) {
                0 => one_of(dice, &anywhere),
                _ => one_of(
                    dice,
                    &[
                        Source::EmptyDownload,
                        Source::FileNotFound,
                        Source::TruncatedFile { bytes: None },
                        Source::BrokenDownload { bytes: None },
                        Source::LineDropped { line },
                        Source::LineGarbled { line },
                    ],
                ),
            };
            ("download", kind)
        }
    }
}
