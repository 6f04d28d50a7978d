//! Large events: split on the way in, whole on the way out, and nothing where the way in was cut short.

use std::sync::Arc;

use super::keeping::{draft, read, stream};
use super::world::{World, now, poller};
use crate::ids::ConnectionId;
use crate::journal::{APPEND_BYTES, Entry, JournalError, PART_BYTES, PART_KIND, Streams};
use crate::ports::{Expected, Log, MOST_APPEND_BYTES, Revision};
use crate::posting::Document;
use crate::report::tests::samples::*;
use crate::report::{Attempt, Personal, ReportEvent, StageName};
use crate::workflow::Roster;

/// A report whose comment has so many bytes.
fn large(bytes: usize) -> ReportEvent {
    let mut payload = payload();
    if let Personal::Known(personal) = &mut payload.personal {
        personal.lines[0].comment = "expense ".repeat(bytes / 8);
    }
    revised(payload)
}

fn keep(world: &World, expected: Expected, events: Vec<ReportEvent>) -> Result<Revision, JournalError> {
    let drafts = events.into_iter().map(draft).collect();
    now(world.journal().append(&stream(), expected, &poller(), drafts)).map(|(_, appended)| appended.revision)
}

fn events(entries: Vec<Entry<ReportEvent>>) -> Vec<ReportEvent> {
    entries.into_iter().map(|entry| entry.event).collect()
}

#[test]
fn a_report_of_20_mb_passes_in_parts_and_appends_of_bounded_size() {
    let world = World::new();
    let event = large(20 * 1024 * 1024);
    let head = keep(&world, Expected::NoStream, vec![event.clone()]).unwrap();
    let appends = world.log.appends.lock().unwrap().clone();
    assert!(appends.iter().flatten().all(|part| *part <= PART_BYTES));
    assert!(
        appends
            .iter()
            .all(|append| append.iter().sum::<usize>() <= APPEND_BYTES)
    );
    assert!(
        appends.iter().flatten().sum::<usize>() > 20 * 1024 * 1024,
        "all of it is there"
    );
    assert_eq!((PART_BYTES, APPEND_BYTES), (256 * 1024, 768 * 1024));
    let entries = read(&world);
    assert_eq!(
        entries[0].envelope.parts, head.0,
        "every event before it is a part of it"
    );
    assert_eq!(entries[0].revision, head);
    assert!(events(entries) == [event], "and it comes back whole");
}

#[test]
fn many_events_that_are_too_much_together_are_appended_as_a_prefix_and_the_rest() {
    let world = World::new();
    let told: Vec<ReportEvent> = (0..7).map(|_| large(150 * 1024)).collect();
    keep(&world, Expected::NoStream, told.clone()).unwrap();
    let all = world.log.all();
    assert!(all.iter().all(|recorded| recorded.event.kind != PART_KIND));
    let appends = world.log.appends.lock().unwrap().clone();
    assert!(appends.len() > 1);
    assert!(
        appends
            .iter()
            .all(|append| append.iter().sum::<usize>() < MOST_APPEND_BYTES)
    );
    assert!(events(read(&world)) == told);
}

#[test]
fn what_just_fits_is_not_split() {
    let world = World::new();
    keep(&world, Expected::NoStream, vec![large(150 * 1024)]).unwrap();
    assert_eq!(world.log.all().len(), 1);
}

#[test]
fn small_and_large_events_of_one_append_come_back_in_their_order() {
    let world = World::new();
    let told = vec![
        discovered(),
        large(600_000),
        rejected(),
        large(400_000),
        ReportEvent::Withdrawn,
    ];
    let head = keep(&world, Expected::NoStream, told.clone()).unwrap();
    let (entries, last) = now(world.reader().stream::<ReportEvent>(&stream())).unwrap();
    assert_eq!(last, Some(head));
    assert!(events(entries) == told);
}

#[test]
fn parts_of_an_attempt_that_was_cut_short_mean_nothing() {
    for survived in 1..4 {
        let world = World::new();
        keep(&world, Expected::NoStream, vec![discovered()]).unwrap();
        *world.log.appends_left.lock().unwrap() = Some(survived);
        let cut_short = keep(&world, Expected::At(Revision(0)), vec![large(1_900_000)]);
        assert!(cut_short.is_err());
        *world.log.appends_left.lock().unwrap() = None;
        assert!(world.kinds()[PART_KIND] >= survived);
        let (entries, head) = now(world.reader().stream::<ReportEvent>(&stream())).unwrap();
        assert!(events(entries) == [discovered()], "only parts were written");
        assert!(head.unwrap() > Revision(0), "and they count in the stream");

        // Whoever read before the attempt must read again; then the same attempt succeeds, right behind the old parts.
        assert!(
            keep(&world, Expected::At(Revision(0)), vec![large(1_900_000)])
                .unwrap_err()
                .is_conflict()
        );
        keep(
            &world,
            Expected::At(head.unwrap()),
            vec![large(1_900_000), rejected()],
        )
        .unwrap();
        assert!(events(read(&world)) == [discovered(), large(1_900_000), rejected()]);
    }
}

#[test]
fn a_small_event_behind_dangling_parts_is_itself() {
    let world = World::new();
    *world.log.appends_left.lock().unwrap() = Some(1);
    assert!(keep(&world, Expected::NoStream, vec![large(1_900_000)]).is_err());
    *world.log.appends_left.lock().unwrap() = None;
    keep(&world, Expected::Any, vec![discovered(), rejected()]).unwrap();
    assert!(events(read(&world)) == [discovered(), rejected()]);
}

#[test]
fn a_large_event_of_a_writer_who_comes_second_leaves_nothing() {
    let world = World::new();
    keep(&world, Expected::NoStream, vec![discovered()]).unwrap();
    let error = keep(&world, Expected::NoStream, vec![large(1_900_000)]).unwrap_err();
    assert!(error.is_conflict());
    assert_eq!(world.log.all().len(), 1);
}

#[test]
fn the_total_order_shows_an_event_once_with_its_parts_fetched() {
    let world = World::new();
    let told = vec![discovered(), large(1_900_000), rejected()];
    keep(&world, Expected::NoStream, told.clone()).unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = now(world.log.read_all(after, 2)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        for recorded in page {
            let (is_part, position) = (recorded.event.kind == PART_KIND, recorded.position);
            let entry = now(world.reader().entry::<ReportEvent>(recorded)).unwrap();
            assert_eq!(entry.is_none(), is_part, "a part is nothing by itself");
            assert!(entry.as_ref().is_none_or(|entry| entry.position == position));
            seen.extend(entry.map(|entry| entry.event));
        }
    }
    assert!(seen == told);
}

#[test]
fn a_part_that_is_missing_or_anothers_is_damage_and_said() {
    let damages: [fn(&mut Vec<crate::ports::Recorded>); 3] = [
        |events| drop(events.remove(0)),
        |events| events[0].event.metadata = br#"{"of":"00000000-0000-0000-0000-0000000000ff"}"#.to_vec(),
        |events| events[1].event.data.truncate(10),
    ];
    for damage in damages {
        let world = World::new();
        keep(&world, Expected::NoStream, vec![large(600_000)]).unwrap();
        world.damage(damage);
        assert!(now(world.reader().stream::<ReportEvent>(&stream())).is_err());
        let last = world.log.all().pop().unwrap();
        assert!(now(world.reader().entry::<ReportEvent>(last)).is_err());
    }
}

/// An invoice whose texts do not fit into one event, and the intent to send it.
fn long_invoice() -> (Document, ReportEvent) {
    let mut document = invoice();
    if let Personal::Known(texts) = &mut document.texts {
        texts.lines[0] = "expense ".repeat(60_000);
    }
    let started = ReportEvent::PostingStarted {
        document: Arc::new(document.clone()),
        attempt: Attempt(1),
        owner: owner(),
        material_hash: payload().material_hash(SALT),
    };
    (document, started)
}

/// What the roster reads past must not hide what it needs: a mapping of many long texts is in parts, and still to be sent.
#[test]
fn the_roster_sees_the_documents_of_what_is_in_parts() {
    let (document, started) = long_invoice();
    let mapped = ReportEvent::Mapped(Arc::new(mapping(vec![document], 1)));
    let world = World::new();
    let mut roster = Roster::new(Streams(ConnectionId(uuid::Uuid::from_u128(42))));
    let mut head = Expected::NoStream;
    for (event, lacks, in_flight) in [
        (discovered(), false, false),
        (mapped, true, false),
        (started, false, true),
    ] {
        head = Expected::At(keep(&world, head, vec![event]).unwrap());
        now(roster.catch_up(&world.log)).unwrap();
        let brief = roster.get(report_id()).unwrap();
        assert_eq!(
            (brief.lacks_a_document(), brief.in_flight()),
            (lacks, in_flight),
            "{brief:?}"
        );
    }
    assert!(
        world
            .log
            .all()
            .iter()
            .any(|recorded| recorded.event.kind == PART_KIND)
    );
}

#[test]
fn the_roster_reads_no_capture_so_that_one_whose_part_is_gone_moves_its_report_all_the_same() {
    let world = World::new();
    keep(&world, Expected::NoStream, vec![discovered()]).unwrap();
    keep(&world, Expected::At(Revision(0)), vec![large(600_000)]).unwrap();
    world.damage(|events| drop(events.remove(1)));
    let mut roster = Roster::new(Streams(ConnectionId(uuid::Uuid::from_u128(42))));
    now(roster.catch_up(&world.log)).unwrap();
    assert_eq!(roster.get(report_id()).unwrap().stage, StageName::Discovered);
}

#[test]
fn what_another_connection_is_sending_is_known_though_its_intent_is_in_parts() {
    let (_, started) = long_invoice();
    let world = World::new();
    keep(&world, Expected::NoStream, vec![started]).unwrap();
    assert!(world.kinds()[PART_KIND] > 0);
    let mut another = Roster::new(Streams(ConnectionId(uuid::Uuid::from_u128(43))));
    now(another.catch_up(&world.log)).unwrap();
    assert!(another.known().is_in_flight(i1()) && !another.known().is_in_flight(j1()));
    assert_eq!(another.iter().count(), 0, "the report is not its own");
}
