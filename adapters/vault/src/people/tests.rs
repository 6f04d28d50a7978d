//! Sealing and forgetting, and everything that may be wrong with a people file.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{KeySource, Vault};

const EVENT: &[u8] = b"event 1";

fn ann() -> Email {
    Email::new("ann.smith@acme.example").unwrap()
}

fn bob() -> Email {
    Email::new("bob@acme.example").unwrap()
}

fn plain(bytes: &[u8]) -> Opened {
    Opened::Plain(bytes.to_vec())
}

/// A folder with a vault and the people file that belongs to it.
struct House {
    folder: TempDir,
    vault: Vault,
}

impl House {
    fn new() -> (Self, People) {
        let folder = tempfile::tempdir().unwrap();
        let source = KeySource::Passphrase("x".into());
        let vault = Vault::create(&folder.path().join("tieout.vault"), &source, Default::default()).unwrap();
        let house = Self { folder, vault };
        let people = People::create(&house.path(), house.vault.people_keys().unwrap()).unwrap();
        (house, people)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tieout.people")
    }

    fn open(&self) -> Result<People, PeopleError> {
        People::open(&self.path(), self.vault.people_keys().unwrap())
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.path())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn write_lines(&self, lines: &[String]) {
        fs::write(
            self.path(),
            lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
        )
        .unwrap();
    }

    fn append(&self, bytes: &[u8]) {
        fs::OpenOptions::new()
            .append(true)
            .open(self.path())
            .unwrap()
            .write_all(bytes)
            .unwrap();
    }
}

// ── sealing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_person_is_the_same_subject_in_any_case_and_after_opening_again() {
    let (house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    assert_eq!(
        people
            .subject_for(&Email::new(" Ann.Smith@ACME.example ").unwrap())
            .unwrap(),
        subject
    );
    assert_ne!(people.subject_for(&bob()).unwrap(), subject);
    let again = house.open().unwrap();
    assert_eq!(again.subject_for(&ann()).unwrap(), subject);
    assert_eq!(again.find(&ann()).unwrap(), Some(subject));
    assert_eq!(
        again.find(&Email::new("nobody@acme.example").unwrap()).unwrap(),
        None
    );
    assert_eq!(again.count().unwrap(), (2, 0));
}

#[test]
fn what_was_sealed_opens_in_another_process() {
    let (house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    let sealed = people.seal(subject, b"Ann Smith", EVENT).unwrap();
    assert_eq!(
        house
            .open()
            .unwrap()
            .open_section(subject, &sealed, EVENT)
            .unwrap(),
        plain(b"Ann Smith")
    );
}

#[test]
fn a_section_opens_only_for_its_person_and_its_event_and_only_unaltered() {
    let (_house, people) = House::new();
    let (ann, bob) = (
        people.subject_for(&ann()).unwrap(),
        people.subject_for(&bob()).unwrap(),
    );
    let sealed = people.seal(ann, b"Ann Smith", EVENT).unwrap();
    let altered = |result| matches!(result, Err(PeopleError::Altered { .. }));
    assert!(altered(people.open_section(bob, &sealed, EVENT)));
    assert!(altered(people.open_section(ann, &sealed, b"event 2")));
    for length in 0..sealed.len() {
        assert!(
            altered(people.open_section(ann, &sealed[..length], EVENT)),
            "cut to {length}"
        );
    }
    for place in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[place] ^= 0x80;
        assert!(altered(people.open_section(ann, &flipped, EVENT)), "byte {place}");
    }
}

#[test]
fn the_same_text_sealed_twice_looks_different() {
    let (_house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    assert_ne!(
        people.seal(subject, b"x", EVENT).unwrap(),
        people.seal(subject, b"x", EVENT).unwrap()
    );
}

#[test]
fn the_file_is_private_and_names_nobody() {
    let (house, people) = House::new();
    people.subject_for(&ann()).unwrap();
    assert_eq!(
        fs::metadata(house.path()).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    assert!(!fs::read_to_string(house.path()).unwrap().contains("acme"));
    assert!(!format!("{people:?}").contains("acme"));
}

#[test]
fn debug_shows_no_key_even_of_those_in_memory() {
    let (_house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    let key = people.key_of(&mut people.index(), subject).unwrap().unwrap();
    let bytes = |key: &SecretKey| format!("{:?}", key.bytes()).trim_matches(['[', ']']).to_owned();
    let shown = format!("{people:?}");
    for hidden in [
        bytes(&key),
        bytes(&people.keys.lookup),
        bytes(&people.keys.wrapping),
    ] {
        assert!(!shown.contains(&hidden));
    }
}

#[test]
fn rotating_the_vaults_key_leaves_people_as_they_are() {
    let (mut house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    let sealed = people.seal(subject, b"Ann", EVENT).unwrap();
    house
        .vault
        .rotate_key(&KeySource::Passphrase("y".into()), Default::default())
        .unwrap();
    assert_eq!(
        house
            .open()
            .unwrap()
            .open_section(subject, &sealed, EVENT)
            .unwrap(),
        plain(b"Ann")
    );
}

#[test]
fn the_port_answers_as_the_file_does() {
    let (_house, people) = House::new();
    let port: &dyn Sealer = &people;
    let subject = port.subject_for(&ann()).unwrap();
    let sealed = port.seal(subject, b"Ann", EVENT).unwrap();
    assert_eq!(port.open(subject, &sealed, EVENT).unwrap(), plain(b"Ann"));
    let refusal = port.open(subject, &sealed, b"another").unwrap_err().to_string();
    assert!(
        refusal.contains("could not be opened") && refusal.contains(&subject.to_string()),
        "{refusal}"
    );
    people.forget(&ann()).unwrap();
    assert_eq!(port.open(subject, &sealed, EVENT).unwrap(), Opened::Forgotten);
    assert!(
        port.seal(subject, b"Ann", EVENT)
            .unwrap_err()
            .to_string()
            .contains("was forgotten")
    );
}

// ── forgetting ───────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_forgotten_person_cannot_be_read_again_and_everybody_else_can() {
    let (house, people) = House::new();
    let (first, other) = (
        people.subject_for(&ann()).unwrap(),
        people.subject_for(&bob()).unwrap(),
    );
    let sealed = people.seal(first, b"Ann", EVENT).unwrap();
    let kept = people.seal(other, b"Bob", EVENT).unwrap();
    assert_eq!(people.forget(&ann()).unwrap(), Some(first));
    for people in [people, house.open().unwrap()] {
        assert_eq!(
            people.open_section(first, &sealed, EVENT).unwrap(),
            Opened::Forgotten
        );
        assert_eq!(people.open_section(other, &kept, EVENT).unwrap(), plain(b"Bob"));
        assert!(matches!(
            people.seal(first, b"x", EVENT),
            Err(PeopleError::Forgotten { .. })
        ));
        assert_eq!(
            (people.find(&ann()).unwrap(), people.count().unwrap()),
            (None, (1, 1))
        );
    }
}

#[test]
fn forgetting_takes_the_key_out_of_the_file_and_not_only_out_of_sight() {
    let (house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    people.subject_for(&bob()).unwrap();
    let record: serde_json::Value = serde_json::from_str(&house.lines()[1]).unwrap();
    let (lookup, key) = (
        record["person"]["lookup"].as_str().unwrap(),
        record["person"]["key"]["text"].as_str().unwrap(),
    );
    people.forget(&ann()).unwrap();
    let after = fs::read_to_string(house.path()).unwrap();
    assert!(
        !after.contains(lookup) && !after.contains(key) && after.contains(&subject.to_string()),
        "{after}"
    );
}

#[test]
fn forgetting_somebody_unknown_changes_nothing_and_says_so() {
    let (house, people) = House::new();
    people.subject_for(&ann()).unwrap();
    let before = fs::read(house.path()).unwrap();
    assert_eq!(people.forget(&bob()).unwrap(), None);
    assert_eq!(fs::read(house.path()).unwrap(), before);
}

#[test]
fn somebody_who_comes_back_is_somebody_new() {
    let (house, people) = House::new();
    let before = people.subject_for(&ann()).unwrap();
    people.forget(&ann()).unwrap();
    let after = people.subject_for(&ann()).unwrap();
    assert_ne!(after, before);
    people.forget(&ann()).unwrap();
    assert_eq!(house.open().unwrap().count().unwrap(), (0, 2));
}

#[test]
fn a_process_that_holds_the_key_in_memory_forgets_too() {
    let (house, here) = House::new();
    let there = house.open().unwrap();
    let subject = here.subject_for(&ann()).unwrap();
    let sealed = there.seal(subject, b"Ann", EVENT).unwrap();
    here.forget(&ann()).unwrap();
    assert_eq!(
        there.open_section(subject, &sealed, EVENT).unwrap(),
        Opened::Forgotten
    );
    assert!(
        there
            .index()
            .records()
            .all(|record| matches!(record, Record::Forgotten { .. }))
    );
}

#[test]
fn a_key_of_a_forgotten_person_copied_back_is_refused() {
    let (house, people) = House::new();
    people.subject_for(&ann()).unwrap();
    let line = house.lines()[1].clone();
    people.forget(&ann()).unwrap();
    house.append(format!("{line}\n").as_bytes());
    assert!(matches!(house.open(), Err(PeopleError::Damaged { line: 3, .. })));
    assert!(matches!(
        people.find(&ann()),
        Err(PeopleError::Damaged { line: 3, .. })
    ));
    assert!(
        matches!(people.find(&ann()), Err(PeopleError::Damaged { line: 3, .. })),
        "and so it stays"
    );
}

// ── many persons, many processes ─────────────────────────────────────────────────────────────────────────────────────

#[test]
fn ten_thousand_persons_are_added_with_one_write_and_found_again() {
    let (house, people) = House::new();
    let persons: Vec<Email> = (0..10_000)
        .map(|n| Email::new(&format!("p{n}@acme.example")).unwrap())
        .collect();
    let subjects = people.subjects_for(&persons).unwrap();
    let length = fs::metadata(house.path()).unwrap().len();
    people.subject_for(&ann()).unwrap();
    let grown = fs::metadata(house.path()).unwrap().len() - length;
    assert!(grown < 400, "one person more is one line more, not {grown} bytes");
    let again = house.open().unwrap();
    assert_eq!(again.find(&persons[9_999]).unwrap(), Some(subjects[9_999]));
    assert_eq!(again.count().unwrap(), (10_001, 0));
}

#[test]
fn a_person_named_twice_in_one_call_is_one_person() {
    let (house, people) = House::new();
    let subjects = people.subjects_for(&[ann(), bob(), ann()]).unwrap();
    assert_eq!(subjects[0], subjects[2]);
    assert_ne!(subjects[0], subjects[1]);
    assert_eq!(house.lines().len(), 3);
    assert!(people.subjects_for(&[]).unwrap().is_empty());
}

#[test]
fn two_openers_meet_the_same_person_as_the_same_subject() {
    let (house, here) = House::new();
    let there = house.open().unwrap();
    let subject = here.subject_for(&ann()).unwrap();
    assert_eq!(there.subject_for(&ann()).unwrap(), subject);
    let other = there.subject_for(&bob()).unwrap();
    let sealed = there.seal(other, b"Bob", EVENT).unwrap();
    assert_eq!(here.open_section(other, &sealed, EVENT).unwrap(), plain(b"Bob"));
}

#[test]
fn many_openers_at_once_add_each_person_once() {
    let (house, _) = House::new();
    let all: Vec<Vec<SubjectId>> = std::thread::scope(|threads| {
        let openers: Vec<_> = (0..4)
            .map(|_| {
                let people = house.open().unwrap();
                threads.spawn(move || {
                    (0..25)
                        .map(|n| {
                            people
                                .subject_for(&Email::new(&format!("p{n}@acme.example")).unwrap())
                                .unwrap()
                        })
                        .collect()
                })
            })
            .collect();
        openers.into_iter().map(|opener| opener.join().unwrap()).collect()
    });
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(house.open().unwrap().count().unwrap(), (25, 0));
}

#[test]
fn forgetting_and_adding_at_once_lose_nobody() {
    let (house, people) = House::new();
    let person = |n: u32| Email::new(&format!("p{n}@acme.example")).unwrap();
    people
        .subjects_for(&(0..20).map(person).collect::<Vec<_>>())
        .unwrap();
    std::thread::scope(|threads| {
        let (here, there) = (house.open().unwrap(), house.open().unwrap());
        threads.spawn(move || (0..20).for_each(|n| assert!(here.forget(&person(n)).unwrap().is_some())));
        threads.spawn(move || (20..40).for_each(|n| assert!(there.subject_for(&person(n)).is_ok())));
    });
    assert_eq!(people.count().unwrap(), (20, 20));
}

// ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_absent_file_is_a_loss_and_never_made_silently() {
    let (house, people) = House::new();
    fs::remove_file(house.path()).unwrap();
    assert!(matches!(house.open(), Err(PeopleError::Absent { .. })));
    assert!(matches!(
        people.subject_for(&ann()),
        Err(PeopleError::Absent { .. })
    ));
    assert!(!house.path().exists());
}

#[test]
fn a_file_that_is_there_is_never_created_over() {
    let (house, people) = House::new();
    people.subject_for(&ann()).unwrap();
    let refusal = People::create(&house.path(), house.vault.people_keys().unwrap()).unwrap_err();
    assert!(
        matches!(refusal, PeopleError::File(FileError::AlreadyExists { .. })),
        "{refusal}"
    );
    assert_eq!(house.open().unwrap().count().unwrap(), (1, 0));
}

#[test]
fn wider_permissions_are_refused() {
    let (house, _) = House::new();
    fs::set_permissions(house.path(), Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        house.open(),
        Err(PeopleError::File(FileError::TooOpen { mode: 0o640, .. }))
    ));
}

#[test]
fn a_file_of_another_vault_is_named_so() {
    let (house, _) = House::new();
    let (other, _) = House::new();
    let refusal = People::open(&house.path(), other.vault.people_keys().unwrap()).unwrap_err();
    assert!(matches!(refusal, PeopleError::OtherVault { .. }), "{refusal}");
}

#[test]
fn a_later_layout_is_told_from_a_damaged_one() {
    let (house, _) = House::new();
    let header = house.lines()[0].clone();
    house.write_lines(&[header.replace("tieout-people/1", "tieout-people/2")]);
    assert!(matches!(house.open(), Err(PeopleError::OtherFormat { .. })));
}

#[test]
fn a_subject_the_file_never_knew_is_an_error_and_not_a_forgotten_person() {
    let (_house, people) = House::new();
    let stranger = SubjectId(random_uuid().unwrap());
    assert!(matches!(
        people.open_section(stranger, b"x", EVENT),
        Err(PeopleError::UnknownSubject { .. })
    ));
    assert!(matches!(
        people.seal(stranger, b"x", EVENT),
        Err(PeopleError::UnknownSubject { .. })
    ));
}

#[test]
fn a_line_that_a_dying_process_left_unfinished_is_cut_off() {
    let (house, people) = House::new();
    let subject = people.subject_for(&ann()).unwrap();
    let whole = fs::read(house.path()).unwrap();
    house.append(b"{\"person\":{\"lookup\":\"");
    assert_eq!(house.open().unwrap().subject_for(&ann()).unwrap(), subject);
    assert_eq!(fs::read(house.path()).unwrap(), whole);

    house.append(b"{\"person\":{\"lookup\":\"");
    let other = people.subject_for(&bob()).unwrap();
    assert_eq!(house.open().unwrap().find(&bob()).unwrap(), Some(other));
}

#[test]
fn a_file_cut_at_any_place_is_refused_or_lacks_only_whole_persons() {
    let (house, people) = House::new();
    let subjects = people.subjects_for(&[ann(), bob()]).unwrap();
    let sealed = people.seal(subjects[1], b"Bob", EVENT).unwrap();
    let whole = fs::read(house.path()).unwrap();
    let header = house.lines()[0].len() + 1;
    for length in 0..whole.len() {
        fs::write(house.path(), &whole[..length]).unwrap();
        match house.open() {
            Err(PeopleError::Damaged { line: 1, .. }) => assert!(length < header, "cut to {length}"),
            Ok(people) => {
                let lost = people.open_section(subjects[1], &sealed, EVENT);
                assert!(
                    matches!(lost, Err(PeopleError::UnknownSubject { .. })),
                    "cut to {length}: {lost:?}"
                );
            }
            other => panic!("cut to {length}: {other:?}"),
        }
    }
}

#[test]
fn a_file_that_shrinks_under_an_open_handle_is_noticed() {
    let (house, people) = House::new();
    people.subject_for(&ann()).unwrap();
    house.write_lines(&house.lines()[..1]);
    assert!(matches!(people.find(&ann()), Err(PeopleError::Damaged { .. })));
}

#[test]
fn any_garbled_byte_is_noticed_before_a_key_is_used() {
    let (house, people) = House::new();
    let ann_before = people.subject_for(&ann()).unwrap();
    people.subject_for(&bob()).unwrap();
    people.forget(&bob()).unwrap();
    let sealed = people.seal(ann_before, b"Ann", EVENT).unwrap();
    let whole = fs::read(house.path()).unwrap();
    for place in 0..whole.len() {
        let mut garbled = whole.clone();
        garbled[place] ^= 0x01;
        fs::write(house.path(), &garbled).unwrap();
        let opened = house.open().and_then(|people| {
            people.open_section(ann_before, &sealed, EVENT)?;
            people.subject_for(&ann())
        });
        // A line is cut off only at the very end of the file: there the last line's own end was garbled.
        let at_the_end = place == whole.len() - 1;
        assert!(
            opened.is_err() || at_the_end,
            "byte {place} ({:?}): {opened:?}",
            char::from(whole[place])
        );
    }
}

#[test]
fn swapped_keys_and_borrowed_tombstones_are_noticed() {
    let (house, people) = House::new();
    let subjects = people.subjects_for(&[ann(), bob()]).unwrap();
    let mut lines = house.lines();
    let key = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["person"]["key"].to_string()
    };
    let (first, second) = (key(&lines[1]), key(&lines[2]));
    lines[1] = lines[1].replace(&first, &second);
    house.write_lines(&lines);
    let people = house.open().unwrap();
    assert!(matches!(
        people.subject_for(&ann()),
        Err(PeopleError::Damaged { line: 2, .. })
    ));
    assert!(matches!(
        people.seal(subjects[0], b"x", EVENT),
        Err(PeopleError::Damaged { line: 2, .. })
    ));
    assert!(people.subject_for(&bob()).is_ok());

    let (house, people) = House::new();
    let (first, second) = (
        people.subject_for(&ann()).unwrap(),
        people.subject_for(&bob()).unwrap(),
    );
    people.forget(&ann()).unwrap();
    let lines: Vec<_> = house
        .lines()
        .iter()
        .map(|line| line.replace(&first.to_string(), &second.to_string()))
        .collect();
    house.write_lines(&lines);
    assert!(matches!(house.open(), Err(PeopleError::Damaged { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_in_any_context_come_back(bytes: Vec<u8>, context: Vec<u8>) {
        let (_house, people) = House::new();
        let subject = people.subject_for(&ann()).unwrap();
        let sealed = people.seal(subject, &bytes, &context).unwrap();
        prop_assert_eq!(people.open_section(subject, &sealed, &context).unwrap(), Opened::Plain(bytes));
    }

    #[test]
    fn any_bytes_are_refused_as_a_section_without_a_panic(bytes: Vec<u8>) {
        let (_house, people) = House::new();
        let subject = people.subject_for(&ann()).unwrap();
        prop_assert!(people.open_section(subject, &bytes, EVENT).is_err());
    }
}
