//! Bad input of each kind but reports (those are in `bad_reports`): what is said names the thing and the remedy, the exit
//! status tells whose turn it is, a poll that was not whole is an event, and nothing is lost: once the fault is gone, the
//! report posts.

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

/// Once the fault is gone the one report posts, and is marked.
async fn posts(scene: &Scene, name: &str) {
    let last = scene.settle(6).await;
    scene.all_is_done(1, &last, name).await;
}

#[tokio::test]
async fn a_bad_installation_is_refused_by_name() {
    let scene = Scene::with(ONE, |_| {}).await;
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
            "a store of another kind",
            config("sqlite:tieout.db", "postgres://db/tieout"),
            says(2, &["[store] url", "sqlite:tieout.db"]),
        ),
        (
            "a vault that is not there",
            config("tieout.vault", "no.vault"),
            says(2, &["no.vault", "tieout init"]),
        ),
        (
            "a workspace that is no domain and entity",
            config("10USA_10USACO", "10USA"),
            says(2, &["10USA", "workspace"]),
        ),
        (
            "a profile that is not there",
            config("profile.toml", "no-profile.toml"),
            says(2, &["no-profile.toml", "larkfield"]),
        ),
        (
            "a rule that sets what there is not",
            file(
                "rules.toml",
                rules.replacen("set = { account", "set = { acount", 1),
            ),
            says(2, &["rules.toml", "acount"]),
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
    let nowhere = scene.tieout(&["sync", "--connection", "nowhere"]).await;
    check(
        "a connection that is not there",
        &nowhere,
        &says(2, &["no connection `nowhere`", "larkfield"]),
    );
    fs::rename(&scene.config, scene.file("elsewhere.toml")).unwrap();
    let missing = scene.tieout(&["sync"]).await;
    check(
        "no configuration",
        &missing,
        &says(2, &["tieout.toml", "tieout init", "--config"]),
    );
    fs::rename(scene.file("elsewhere.toml"), &scene.config).unwrap();
    posts(&scene, "an installation put right").await;
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_refused_by_name() {
    let scene = Scene::uncertified(ONE, |_| {}).await;
    let db = scene.file("tieout.db");
    let whole = fs::read(&db).unwrap();
    for (name, content) in [
        ("a text file", b"not a log".to_vec()),
        ("a torn log", whole[..whole.len() / 2].to_vec()),
        ("an empty file", Vec::new()),
    ] {
        fs::write(&db, content).unwrap();
        check(name, &scene.tieout(&["sync"]).await, &says(2, &["tieout.db"]));
    }
    fs::write(&db, whole).unwrap();

    let key = scene.file("tieout.key");
    let right = fs::read(&key).unwrap();
    fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    check(
        "a wrong key",
        &scene.tieout(&["sync"]).await,
        &says(2, &["tieout.key does not open the vault", "find the right one"]),
    );
    fs::write(&key, right).unwrap();
    let wide = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(&key, wide).unwrap();
    check(
        "a key that others may read",
        &scene.tieout(&["sync"]).await,
        &says(2, &["tieout.key", "600"]),
    );
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    scene.certify().await;
    posts(&scene, "files put back").await;
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
