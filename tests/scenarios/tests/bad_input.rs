//! Bad input of each kind: what is said names the thing and the remedy, the exit status tells whose turn it is, where it
//! concerns a report it ends in an event, and nothing is lost: once the fault is gone, the report posts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a surprise must end them"
)]

use std::fs;

use tieout_sandbox::expensify::FaultKind as Expensify;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::Size;
use tieout_sandbox::qad::FaultKind as Qad;
use tieout_scenarios::proxy::Rewrite;
use tieout_scenarios::{Scene, text};

/// Puts a fault on its switch.
type Spoil = Box<dyn Fn(&Scene)>;

const ONE: Size = Size::Many { reports: 1, lines: 2 };

/// What the program must say and how it must end.
struct Expected {
    status: i32,
    says: &'static [&'static str],
}

fn says(status: i32, says: &'static [&'static str]) -> Expected {
    Expected { status, says }
}

fn check(name: &str, output: &std::process::Output, expected: &Expected) {
    let all = text(output);
    assert_eq!(output.status.code(), Some(expected.status), "{name}: {all}");
    for said in expected.says {
        assert!(all.contains(said), "{name}: `{said}` is not said in:\n{all}");
    }
    assert!(!all.contains("panicked"), "{name}: {all}");
}

#[tokio::test]
async fn a_bad_installation_is_refused_by_name() {
    let scene = Scene::uncertified(ONE, |_| {}).await;
    let good = fs::read_to_string(&scene.config).unwrap();
    let rules = fs::read_to_string(scene.file("rules.toml")).unwrap();
    let profile = fs::read_to_string(scene.file("profile.toml")).unwrap();
    type SpoilFile<'a> = Box<dyn Fn() + 'a>;
    let config = |from: &'static str, to: &'static str| -> SpoilFile<'_> {
        let (good, path) = (good.clone(), scene.config.clone());
        Box::new(move || {
            assert!(good.contains(from), "{from}");
            fs::write(&path, good.replacen(from, to, 1)).unwrap();
        })
    };
    let file = |name: &'static str, content: String| -> SpoilFile<'_> {
        let path = scene.file(name);
        Box::new(move || fs::write(&path, &content).unwrap())
    };
    let ambiguous = format!(
        "{rules}\n[[rule]]\nwhen = {{ category = \"Made Up\" }}\nset = {{ account = \"6410\" }}\n\
         [[rule]]\nwhen = {{ kind = \"made up\" }}\nset = {{ account = \"6420\" }}\n"
    );
    let table: Vec<(&str, SpoilFile<'_>, Expected)> = vec![
        (
            "an unknown key",
            config("[store]", "[store]\ncolour = \"red\""),
            says(2, &["tieout.toml", "colour"]),
        ),
        (
            "a time zone that is none",
            config("America/New_York", "America/Gotham"),
            says(2, &["America/Gotham", "IANA"]),
        ),
        (
            "a span that is none",
            config("every = \"1m\"", "every = \"soon\""),
            says(2, &["`soon` is no time span"]),
        ),
        (
            "a rule set that is not there",
            config("rules.toml", "no-rules.toml"),
            says(2, &["no-rules.toml", "larkfield"]),
        ),
        (
            "a log that is not there",
            config("sqlite:tieout.db", "sqlite:other.db"),
            says(2, &["other.db"]),
        ),
        (
            "a plain address for a secret",
            config("http://127", "http://10.0.0.1:80/127"),
            says(2, &["https"]),
        ),
        (
            "a rule set that is no TOML",
            file("rules.toml", "rules = [".into()),
            says(2, &["rules.toml"]),
        ),
        (
            "a rule set that is ambiguous",
            file("rules.toml", ambiguous),
            says(2, &["Made Up", "account"]),
        ),
        (
            "a profile with an unknown key",
            file("profile.toml", format!("colour = 1\n{profile}")),
            says(2, &["profile.toml", "colour"]),
        ),
    ];
    for (name, spoil, expected) in table {
        spoil();
        check(name, &scene.tieout(&["sync"]).await, &expected);
        fs::write(&scene.config, &good).unwrap();
        fs::write(scene.file("rules.toml"), &rules).unwrap();
        fs::write(scene.file("profile.toml"), &profile).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_refused_by_name() {
    let scene = Scene::uncertified(ONE, |_| {}).await;
    let db = scene.file("tieout.db");
    let whole = fs::read(&db).unwrap();
    for (name, content) in [
        ("a text file", b"not a log".to_vec()),
        ("a torn log", whole[..whole.len() / 2].to_vec()),
    ] {
        fs::write(&db, content).unwrap();
        check(name, &scene.tieout(&["sync"]).await, &says(2, &["tieout.db"]));
    }
    fs::write(&db, whole).unwrap();

    let key = scene.file("tieout.key");
    let right = fs::read(&key).unwrap();
    fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    check("a wrong key", &scene.tieout(&["sync"]).await, &says(2, &["key"]));
    fs::write(&key, right).unwrap();
    let wide = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&key, wide).unwrap();
    check(
        "a key that others may read",
        &scene.tieout(&["sync"]).await,
        &says(2, &["tieout.key", "600"]),
    );
}

#[tokio::test]
async fn wrong_credentials_are_said_once_and_tried_once() {
    let scene = Scene::with(ONE, |_| {}).await;
    scene.stand_ins.expensify.world().edit(|world| {
        for account in world.accounts.values_mut() {
            account.secret = "rotated".into();
        }
    });
    scene.stand_ins.expensify.calls().clear();
    check(
        "Expensify",
        &scene.tieout(&["sync"]).await,
        &says(
            3,
            &[
                "Expensify refused the credentials",
                "tieout credentials expensify",
            ],
        ),
    );
    assert_eq!(
        scene.stand_ins.expensify.calls().all().len(),
        1,
        "a refused pair is not tried again"
    );

    let scene = Scene::with(ONE, |_| {}).await;
    scene.stand_ins.qad.handle().edit(|world| {
        for user in world.users.values_mut() {
            user.password = "rotated".into();
        }
    });
    scene.stand_ins.qad.handle().calls().clear();
    check(
        "QAD",
        &scene.tieout(&["sync"]).await,
        &says(3, &["QAD refused the credentials", "tieout credentials qad"]),
    );
    let logins = scene.stand_ins.qad.handle().calls().count("token");
    assert_eq!(logins, 1, "repeated failures would lock the user in QAD");
}

#[tokio::test]
async fn an_unknown_workspace_is_said() {
    let scene = Scene::with(ONE, |_| {}).await;
    scene.reconfigure(|text| text.replace("10USA_10USACO", "10USA_NOWHERE"));
    check(
        "workspace",
        &scene.tieout(&["sync"]).await,
        &says(3, &["workspace"]),
    );
}

/// A fault of the wire: the cycle says it, keeps what it can, and the report posts once the fault is gone.
#[tokio::test]
async fn a_bad_answer_is_said_and_loses_nothing() {
    let table: Vec<(&str, Spoil, Expected)> = vec![
        (
            "an HTML page instead of a file name",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .expensify
                    .faults()
                    .add(FaultRule::next("export", Expensify::HtmlPage).times(9))
            }),
            says(3, &["Expensify", "export"]),
        ),
        (
            "an HTML page instead of the file",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .expensify
                    .faults()
                    .add(FaultRule::next("download", Expensify::HtmlPage).times(9))
            }),
            says(3, &["Expensify", "download"]),
        ),
        (
            "a file cut in a line",
            Box::new(|scene| {
                let fault = Expensify::TruncatedFile { bytes: Some(700) };
                scene
                    .stand_ins
                    .expensify
                    .faults()
                    .add(FaultRule::next("download", fault));
            }),
            says(3, &["not whole", "absence proves nothing"]),
        ),
        (
            "a line that is no JSON",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .expensify
                    .faults()
                    .add(FaultRule::next("download", Expensify::LineGarbled { line: 1 }))
            }),
            says(3, &["cannot be read", "absence proves nothing"]),
        ),
        (
            "a file without its first line",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .expensify
                    .faults()
                    .add(FaultRule::next("download", Expensify::LineDropped { line: 1 }))
            }),
            says(3, &["not whole"]),
        ),
        (
            "a 500 of Expensify",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .expensify
                    .faults()
                    .add(FaultRule::next("export", Expensify::ServerError).times(9))
            }),
            says(3, &["Expensify"]),
        ),
        (
            "an HTML page instead of QAD's chart",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .qad
                    .handle()
                    .faults()
                    .add(FaultRule::next("browse:accounts", Qad::HtmlPage).times(9))
            }),
            says(1, &["accounts"]),
        ),
        (
            "a chart that finds nothing",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .qad
                    .handle()
                    .faults()
                    .add(FaultRule::next("browse:accounts", Qad::EmptyBrowse).times(9))
            }),
            says(1, &["accounts", "canary"]),
        ),
        (
            "an HTML page instead of QAD's answer to a post",
            Box::new(|scene| {
                scene
                    .stand_ins
                    .qad
                    .handle()
                    .faults()
                    .add(FaultRule::next("post:*", Qad::HtmlPageAfter))
            }),
            says(0, &["1 in doubt"]),
        ),
    ];
    for (name, spoil, expected) in table {
        let scene = Scene::with(ONE, |_| {}).await;
        spoil(&scene);
        check(name, &scene.tieout(&["sync"]).await, &expected);
        scene.stand_ins.expensify.faults().clear();
        scene.stand_ins.qad.handle().faults().clear();
        let last = scene.settle(6).await;
        assert_eq!(
            last["stages"]["marked_exported"], 1,
            "{name}: once the fault is gone it posts: {last:#}"
        );
        assert_eq!(scene.ledger().len(), 1, "{name}");
    }
}

/// What is wrong with one report ends in an event of that report, with its reason; put right at the source, it posts.
#[tokio::test]
async fn a_bad_report_is_rejected_with_its_reason_and_posts_once_put_right() {
    let table: Vec<(&str, &str, Rewrite)> = vec![
        (
            "line_count_disagrees",
            "a count that disagrees with the lines",
            Box::new(|t| {
                t.replace("\"n\":\"2\"", "\"n\":\"3\"")
                    .replace("\"n\":2", "\"n\":3")
            }),
        ),
        (
            "unknown_status",
            "a status nobody knows",
            Box::new(|t| t.replace("\"Approved\"", "\"Blessed\"")),
        ),
        (
            "unknown_currency",
            "a currency that is none",
            Box::new(|t| t.replace("\"USD\"", "\"XQQ\"")),
        ),
        (
            "unreadable_amount",
            "a total that is no number",
            Box::new(|t| replace_field(t, "total", "plenty")),
        ),
        (
            "unreadable_date",
            "an approval that is no date",
            Box::new(|t| replace_field(t, "approved", "last week")),
        ),
    ];
    for (code, name, rewrite) in table {
        let scene = Scene::with(ONE, |_| {}).await;
        let proxy = scene.through_a_proxy().await;
        proxy.rewrite_answers(rewrite);
        let output = scene.tieout(&["sync", "--json"]).await;
        let cycles: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(cycles[0]["stages"]["rejected"], 1, "{name}: {}", text(&output));
        assert_eq!(
            output.status.code(),
            Some(1),
            "{name}: a rejected report needs a person"
        );
        let dry = text(&scene.tieout(&["sync", "--dry-run"]).await);
        assert!(dry.contains(code), "{name}: `{code}` is not said in {dry}");
        assert_eq!(scene.ledger().len(), 0, "{name}");
        proxy.be_transparent();
        let last = scene.settle(6).await;
        assert_eq!(last["stages"]["marked_exported"], 1, "{name}: {last:#}");
    }
}

#[tokio::test]
async fn a_total_that_disagrees_with_its_lines_is_rejected() {
    let scene = Scene::with(ONE, |world| {
        for report in world.reports.values_mut() {
            report.total += 1;
        }
    })
    .await;
    let dry = text(&scene.tieout(&["sync", "--dry-run"]).await);
    assert!(dry.contains("total_disagrees"), "{dry}");
    scene.stand_ins.expensify.world().edit(|world| {
        for report in world.reports.values_mut() {
            report.total -= 1;
        }
    });
    assert_eq!(scene.settle(6).await["stages"]["marked_exported"], 1);
}

/// Replaces the text value of the first field of a name.
fn replace_field(text: &str, name: &str, value: &str) -> String {
    let key = format!("\"{name}\":\"");
    match text.split_once(&key) {
        Some((before, after)) => {
            let rest = after.split_once('"').map_or("", |(_, rest)| rest);
            format!("{before}{key}{value}\"{rest}")
        }
        None => text.to_owned(),
    }
}
