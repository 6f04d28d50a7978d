//! The few faults of a demo: each of a kind that posts twice or loses a report elsewhere.

use tieout_sandbox::expensify::FaultKind as Expensify;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::FaultKind as Qad;

use super::stage::StandIns;

/// Puts them on their switches.
pub fn inject(stand_ins: &StandIns) {
    let source = stand_ins.expensify.faults();
    source.add(FaultRule::next("export", Expensify::TooManyRequests));
    source.add(FaultRule::next("mark", Expensify::DropAfter).after(1));
    let ledger = stand_ins.qad.handle();
    let ledger = ledger.faults();
    ledger.add(FaultRule::next("post:supplier_invoice", Qad::DropAfter).after(20));
    ledger.add(FaultRule::next("post:supplier_invoice", Qad::DropBefore).after(60));
    ledger.add(FaultRule::next("post:supplier_invoice", Qad::ErrorAfter { status: 502 }).after(90));
    ledger.add(FaultRule::next("post:journal_entry", Qad::WarnedAsFailure).after(5));
    ledger.add(FaultRule::next("post:supplier_invoice", Qad::TokenExpired).after(120));
}

/// What a reader is told of them.
pub fn announcement() -> String {
    "Injected faults: a 429; an answer lost after QAD had stored the document; a request lost before; a 502 after; a stored\n\
     document answered as failed with a warning; an expired token; a mark whose answer was lost.\n"
        .to_owned()
}
