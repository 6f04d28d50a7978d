//! A person reversed a document: QAD is asked first, and the correction posts once, whatever dies or is lost on the way.

use std::time::Duration;

use tieout_sandbox::expensify::world::ReportState;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::qad::FaultKind;
use tieout_scenarios::text;

use super::office::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reversal_is_taken_down_only_once_qad_shows_it_and_the_correction_posts_once_as_the_source_then_shows_it()
 {
    let scene = posted(2).await;
    let report = reports(&scene).remove(0);
    let first = documents(&scene, report.id).remove(0);
    edit(&scene, dearer(&report, 1_000));
    assert_eq!(told(&recheck(&scene).await), (1, 0));

    let refused = reverse(&scene, report.id, "--again", &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).contains("reverse it there first"),
        "{}",
        text(&refused)
    );
    assert_eq!(
        cases(&scene, &report.id.to_string()).await,
        ["source_drifted"],
        "nothing was recorded"
    );
    scene.settle(2).await;
    assert_eq!(
        documents(&scene, report.id),
        std::slice::from_ref(&first),
        "without a reversal nothing is posted again"
    );

    reverse_in_qad(&scene, &first);
    let decided = reversed(&scene, report.id, "--again").await;
    assert_eq!(decided["reference"], first.reference.as_str());
    assert_eq!(
        decided["released"].as_array().map(Vec::len),
        Some(2),
        "{decided:#}"
    );
    assert_eq!(decided["state"], "mapped", "{decided:#}");
    let refused = reverse(&scene, report.id, "--again", &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(
        text(&refused).contains("there is nothing to reverse"),
        "{}",
        text(&refused)
    );
    let id = report.id.to_string();
    let named = [
        "reverse",
        &id,
        "--by",
        "2026/SINV/9001",
        "--again",
        "--reference",
        &first.reference,
        "--why",
        WHY,
        "--as",
        "you",
    ];
    let twice = scene.tieout(&named).await;
    assert_eq!(twice.status.code(), Some(0), "{}", text(&twice));
    assert!(text(&twice).contains("was on record already"), "{}", text(&twice));

    let plan = json(&scene, &["sync", "--dry-run"]).await;
    assert!(plan.to_string().contains(&report.id.to_string()), "{plan:#}");

    done_again(&scene, 2, 2, "corrected").await;
    let after = documents(&scene, report.id);
    let [old, new] = after.as_slice() else {
        panic!("{after:#?}")
    };
    assert!(old.reversal.is_some() && new.reversal.is_none());
    assert_eq!(
        old.reference.replace("I1", "I2"),
        new.reference,
        "the next generation"
    );
    assert_eq!(
        new.total() - old.total(),
        rust_decimal::Decimal::new(1_000, 2),
        "as the source shows it now"
    );
    let trail = words(&scene, &["trail", &report.id.to_string()]).await;
    assert!(
        trail.contains("was reversed in QAD by 2026/SINV/9001") && trail.contains(WHY),
        "{trail}"
    );
    assert_eq!(told(&recheck(&scene).await), (0, 0), "and nothing is open");
    assert_eq!(documents(&scene, report.id).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_left_out_after_a_reversal_stays_out_until_a_person_takes_it_in_again() {
    let scene = posted(2).await;
    let report = reports(&scene).remove(0);
    let id = report.id.to_string();
    reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
    let decided = reversed(&scene, report.id, "--leave-out").await;
    assert_eq!(decided["state"], "excluded");
    scene.settle(3).await;
    assert_eq!(documents(&scene, report.id).len(), 1);
    scene.must_tie_out("left out").await;

    let replayed = scene
        .tieout(&["replay", &id, "--why", WHY, "--as", "controller"])
        .await;
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed));
    done_again(&scene, 2, 2, "taken in again").await;
    assert_eq!(documents(&scene, report.id).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_reversed_and_then_deleted_or_unapproved_is_withdrawn_and_comes_back_by_itself() {
    let scene = posted(1).await;
    let report = reports(&scene).remove(0);
    reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
    reversed(&scene, report.id, "--again").await;
    edit(&scene, state(&report, ReportState::Open));
    let last = scene.settle(3).await;
    assert_eq!(last["stages"]["withdrawn"], 1, "{last:#}");
    assert_eq!(documents(&scene, report.id).len(), 1);

    edit(&scene, state(&report, ReportState::Approved));
    done_again(&scene, 1, 1, "approved again").await;
    assert_eq!(documents(&scene, report.id).len(), 2);
}

/// Killed anywhere on the way from the reversal to the flag, the correction stands once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_at_any_point_after_a_reversal_the_correction_is_posted_once() {
    for point in [
        "reversed",
        "released:1",
        "polled",
        "captured",
        "mapped",
        "claimed",
        "intent",
        "looked",
        "sent",
        "recorded",
        "marking",
        "marked",
        "rechecked source",
        "rechecked ledger",
    ] {
        let scene = posted(1).await;
        let report = reports(&scene).remove(0);
        edit(&scene, dearer(&report, 500));
        reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
        let in_the_command = ["reversed", "released:1"].contains(&point);
        let crash = [("TIEOUT_CRASH_AT", point)];
        let output = reverse(
            &scene,
            report.id,
            "--again",
            if in_the_command { &crash } else { &[] },
        )
        .await;
        let killed = if in_the_command {
            output
        } else {
            assert_eq!(output.status.code(), Some(0), "{}", text(&output));
            tokio::time::sleep(Duration::from_millis(1_050)).await;
            scene.run(&["sync"], &crash).await
        };
        assert_eq!(
            killed.status.code(),
            None,
            "the process is to die at `{point}`: {}",
            text(&killed)
        );
        done_again(&scene, 1, 1, point).await;
        assert_eq!(documents(&scene, report.id).len(), 2, "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_correction_whose_answer_is_lost_or_that_never_arrives_posts_once() {
    for fault in [
        FaultKind::DropAfter,
        FaultKind::DropBefore,
        FaultKind::ErrorAfter { status: 502 },
    ] {
        let when = format!("{fault:?}");
        let scene = posted(1).await;
        let report = reports(&scene).remove(0);
        reverse_in_qad(&scene, &documents(&scene, report.id)[0]);
        reversed(&scene, report.id, "--again").await;
        let faults = scene.stand_ins.qad.handle().faults();
        faults.add(FaultRule::next("post:*", fault));
        done_again(&scene, 1, 1, &when).await;
        assert_eq!(documents(&scene, report.id).len(), 2, "{when}");
        assert!(faults.pending().is_empty(), "{when}: the fault has struck");
    }
}
