//! What goes into the log comes out as it was, with everything that stands beside it; and what is personal stands
//! nowhere in the open.

use super::world::{World, event_id, kim, now, poller};
use crate::ids::{ConnectionId, PersonName, TransactionId};
use crate::journal::{Actor, Cause, CodecError, Draft, Entry, JournalError, Stamp, StoredEvent, Streams};
use crate::ports::{Expected, Revision, StreamName};
use crate::report::tests::samples::*;
use crate::report::{Personal, ReportEvent};

pub(super) fn stream() -> StreamName {
    Streams(ConnectionId(uuid::Uuid::from_u128(42))).report(report_id())
}

pub(super) fn draft(event: ReportEvent) -> Draft<ReportEvent> {
    Draft {
        event,
        effective_at: instant("2026-11-06T10:00:00Z"),
        subject: Some(kim()),
    }
}

pub(super) fn read(world: &World) -> Vec<Entry<ReportEvent>> {
    now(world.reader().stream(&stream())).unwrap().0
}

fn keep(world: &World, events: Vec<ReportEvent>) {
    let drafts = events.into_iter().map(draft).collect();
    now(world
        .journal()
        .append(&stream(), Expected::Any, &poller(), drafts))
    .unwrap();
}

#[test]
fn every_event_in_every_shape_comes_back_as_it_went_in() {
    let world = World::new();
    let events: Vec<ReportEvent> = every_shape().into_iter().map(|(_, event)| event).collect();
    keep(&world, events.clone());
    let back: Vec<ReportEvent> = read(&world).into_iter().map(|entry| entry.event).collect();
    assert_eq!(back, events);
}

#[test]
fn beside_an_event_stand_both_clocks_the_actor_the_cause_the_build_and_its_place() {
    let world = World::at(["2026-11-07T00:00:00.123456789Z"]);
    let stamp = Stamp {
        actor: Actor::Person {
            name: PersonName::new("A. Perez").unwrap(),
        },
        cause: Cause::Command {
            name: "exclude".into(),
        },
    };
    let excluded = ReportEvent::Excluded(by_hand());
    let drafts = vec![draft(discovered()), draft(excluded.clone())];
    let (ids, appended) = now(world
        .journal()
        .append(&stream(), Expected::NoStream, &stamp, drafts))
    .unwrap();
    let entries = read(&world);
    let entry = &entries[1];
    assert_eq!(ids, [event_id(1), event_id(2)]);
    assert_eq!((entry.id, entry.revision), (ids[1], appended.revision));
    assert_eq!(
        (entry.position, &entry.stream),
        (world.log.all()[1].position, &stream())
    );
    assert_eq!(entry.event, excluded);
    let envelope = &entry.envelope;
    assert_eq!(
        envelope.recorded_at,
        instant("2026-11-07T00:00:00.123456Z"),
        "to the microsecond"
    );
    assert_eq!(envelope.effective_at, instant("2026-11-06T10:00:00Z"));
    assert_eq!((&envelope.actor, &envelope.cause), (&stamp.actor, &stamp.cause));
    assert_eq!(
        (envelope.build.as_str(), envelope.schema, envelope.parts),
        ("tieout 0.1.0 (test)", 1, 0)
    );
}

#[test]
fn nothing_personal_stands_in_the_open_part_of_any_event() {
    let world = World::new();
    keep(
        &world,
        every_shape().into_iter().map(|(_, event)| event).collect(),
    );
    let personal = [
        "kim@acme.example",
        "kim olsen",
        // The supplier code may well be made of it, and is what QAD needs; the id itself is sealed.
        "\"e1001",
        "p1001",
        "boss@acme",
        "sundown",
        "rhône",
        "toledo",
        "4111",
        "lee@supplier",
        "w_kim",
        SALT,
    ];
    for recorded in world.log.all() {
        for bytes in [&recorded.event.data, &recorded.event.metadata] {
            let text = String::from_utf8_lossy(bytes).to_lowercase();
            for word in personal {
                assert!(
                    !text.contains(word),
                    "{} holds `{word}`: {text}",
                    recorded.event.kind
                );
            }
        }
    }
    // The search would find them: they are there, sealed.
    let plain = discovered().personal().unwrap().unwrap().to_lowercase();
    assert!(plain.contains("kim@acme.example") && plain.contains("sundown"));
}

#[test]
fn once_a_person_is_forgotten_the_personal_part_is_gone_and_every_hash_and_amount_stays() {
    let world = World::new();
    let went_in = vec![discovered(), mapped_two(), started(i1()), revised(edited())];
    keep(&world, went_in.clone());
    world.keys.forgotten.lock().unwrap().insert(kim());
    let back: Vec<ReportEvent> = read(&world).into_iter().map(|entry| entry.event).collect();
    let [
        ReportEvent::Discovered {
            payload: seen,
            payload_hash,
            material_hash,
        },
        ReportEvent::Mapped(mapped),
        ReportEvent::PostingStarted { document, .. },
        ReportEvent::Revised { payload: again, .. },
    ] = back.as_slice()
    else {
        panic!("{back:?}")
    };
    assert_eq!(
        (&seen.personal, &again.personal),
        (&Personal::Forgotten, &Personal::Forgotten)
    );
    assert_eq!(seen.facts, payload().facts);
    assert_eq!(*payload_hash, payload().payload_hash().unwrap());
    assert_eq!(*material_hash, payload().material_hash(SALT));
    assert_eq!(document.texts, Personal::Forgotten);
    assert_eq!(document.lines, invoice().lines);
    assert!(
        mapped
            .documents
            .iter()
            .all(|document| document.texts == Personal::Forgotten && document.balances())
    );
}

#[test]
fn a_personal_part_without_a_person_to_seal_it_for_is_refused_and_nothing_is_written() {
    let world = World::new();
    let nobody = Draft {
        subject: None,
        ..draft(discovered())
    };
    let drafts = vec![draft(ReportEvent::Posted), nobody];
    let error = now(world
        .journal()
        .append(&stream(), Expected::Any, &poller(), drafts))
    .unwrap_err();
    assert!(
        error.to_string().contains("names no person to seal for"),
        "{error}"
    );
    assert!(world.log.all().is_empty());
}

#[test]
fn an_event_without_a_personal_part_needs_no_person() {
    let world = World::new();
    let draft = Draft {
        subject: None,
        ..draft(ReportEvent::Withdrawn)
    };
    now(world
        .journal()
        .append(&stream(), Expected::Any, &poller(), vec![draft]))
    .unwrap();
    assert_eq!(read(&world)[0].event, ReportEvent::Withdrawn);
}

#[test]
fn a_sealed_section_moved_to_another_event_does_not_open() {
    let world = World::new();
    keep(&world, vec![discovered(), discovered()]);
    world.damage(|events| events[1].event.data = events[0].event.data.clone());
    assert!(now(world.reader().stream::<ReportEvent>(&stream())).is_err());
}

// ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn recorded_at_never_decreases_though_the_wall_clock_steps_back() {
    let world = World::at([
        "2026-11-06T12:00:00Z",
        "2026-11-06T11:00:00Z",
        "2026-11-06T12:00:00.000001Z",
        "2020-01-01T00:00:00Z",
        "2026-11-06T13:00:00Z",
    ]);
    let journal = world.journal();
    for _ in 0..5 {
        let drafts = vec![draft(ReportEvent::SourceGone)];
        now(journal.append(&stream(), Expected::Any, &poller(), drafts)).unwrap();
    }
    let recorded: Vec<_> = read(&world)
        .iter()
        .map(|entry| entry.envelope.recorded_at)
        .collect();
    let expected = [
        "2026-11-06T12:00:00Z",
        "2026-11-06T12:00:00Z",
        "2026-11-06T12:00:00.000001Z",
        "2026-11-06T12:00:00.000001Z",
        "2026-11-06T13:00:00Z",
    ];
    assert_eq!(recorded, expected.map(instant));
}

// ── conflicts, names, damage ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_writer_who_comes_second_is_told_so_and_writes_nothing() {
    let world = World::new();
    keep(&world, vec![discovered()]);
    for expected in [Expected::NoStream, Expected::At(Revision(7))] {
        let error = now(world
            .journal()
            .append(&stream(), expected, &poller(), vec![draft(rejected())]))
        .unwrap_err();
        assert!(error.is_conflict(), "{error}");
    }
    assert_eq!(world.log.all().len(), 1);
}

#[test]
fn another_failure_of_the_log_is_no_conflict() {
    let world = World::new();
    *world.log.appends_left.lock().unwrap() = Some(0);
    let error = now(world
        .journal()
        .append(&stream(), Expected::Any, &poller(), vec![draft(rejected())]))
    .unwrap_err();
    assert!(!error.is_conflict());
}

#[test]
fn a_stream_bears_the_connection_and_the_decimal_id_whatever_form_the_id_came_in() {
    let streams = Streams(ConnectionId(uuid::Uuid::from_u128(42)));
    let name = "report-00000000-0000-0000-0000-00000000002a-2080715894610667";
    assert_eq!(streams.report("R009WqAY45L1".parse().unwrap()).0, name);
    assert_eq!(streams.report("2080715894610667".parse().unwrap()).0, name);
    assert_eq!(streams.report_of(&StreamName(name.into())), Some(report_id()));
    let other = Streams(ConnectionId(uuid::Uuid::from_u128(43)));
    assert_eq!(other.report_of(&StreamName(name.into())), None);
    assert_eq!(streams.report_of(&streams.chart()), None);
    let expense = streams.expense(&TransactionId::new("4721").unwrap());
    assert_eq!(expense.0, "expense-00000000-0000-0000-0000-00000000002a-4721");
    assert_eq!(streams.rules().0, "rules-00000000-0000-0000-0000-00000000002a");
    assert_eq!(streams.polls().0, "poll-00000000-0000-0000-0000-00000000002a");
}

#[test]
fn a_stream_that_is_not_there_has_no_events_and_no_head() {
    let (entries, head) = now(World::new().reader().stream::<ReportEvent>(&stream())).unwrap();
    assert!(entries.is_empty() && head.is_none());
}

#[test]
fn an_event_of_a_newer_build_is_named_and_not_guessed() {
    let world = World::new();
    keep(&world, vec![discovered()]);
    world.damage(|events| {
        let metadata = String::from_utf8(events[0].event.metadata.clone()).unwrap();
        events[0].event.metadata = metadata.replace(r#""schema":1"#, r#""schema":9"#).into_bytes();
    });
    let error = now(world.reader().stream::<ReportEvent>(&stream())).unwrap_err();
    assert!(
        matches!(
            error,
            JournalError::Codec {
                source: CodecError::Unknown { schema: 9, .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn metadata_or_data_that_cannot_be_read_names_the_stream_and_the_event() {
    for (at, bytes) in [(0, b"{".to_vec()), (1, b"not json".to_vec())] {
        let world = World::new();
        keep(&world, vec![discovered(), rejected()]);
        world.damage(|events| match at {
            0 => events[1].event.metadata = bytes,
            _ => events[1].event.data = bytes,
        });
        let error = now(world.reader().stream::<ReportEvent>(&stream()))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(&format!("{} event 1", stream())), "{error}");
    }
}
