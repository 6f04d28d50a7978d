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
use std::process::Stdio;
use std::time::Duration;

use tieout_domain::journal::{Reader, Streams};
use tieout_domain::workflow::PollEvent;
use tieout_sandbox::expensify::FaultKind as Expensify;
use tieout_sandbox::fault::FaultRule;
use tieout_sandbox::month::{Size, credentials};
use tieout_sandbox::qad::FaultKind as Qad;
use tieout_scenarios::{Scene, text};

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
    // The line of the store, whichever it is.
    let store = |to: &'static str| -> SpoilFile<'_> {
        let (good, path) = (good.clone(), scene.config.clone());
        Box::new(move || {
            let line = good.lines().find(|line| line.starts_with("url = \"")).unwrap();
            fs::write(&path, good.replacen(line, &format!("url = \"{to}\""), 1)).unwrap();
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
            "a log that is not there",
            store("sqlite:other.db"),
            says(2, &["other.db"]),
        ),
        (
            "a plain address for a secret",
            config("http://127", "http://10.0.0.1:80/127"),
            says(2, &["https"]),
        ),
        (
            "a store of another kind",
            store("postgres://db/tieout"),
            says(2, &["[store] url", "sqlite:tieout.db"]),
        ),
        (
            "a cluster where nobody listens",
            store("esdb://127.0.0.1:9?tls=false"),
            says(3, &["127.0.0.1:9"]),
        ),
        (
            "a cluster with a password in its address",
            store("esdb://admin:changeit@127.0.0.1:9?tls=false"),
            says(2, &["[store] url", "tieout credentials store"]),
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
            "a profile with an unknown key",
            file("profile.toml", format!("colour = 1\n{profile}")),
            says(2, &["profile.toml", "colour"]),
        ),
    ];
    // The rule file is a draft: a bad one is refused where it is used, and what is in force goes on.
    let drafts: Vec<(&str, SpoilFile<'_>, Expected)> = vec![
        (
            "a rule set that is not there",
            config("rules.toml", "no-rules.toml"),
            says(2, &["no-rules.toml"]),
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
    ];
    for (name, spoil, expected) in drafts {
        spoil();
        if name != "a rule set that is not there" {
            let draft = scene.file("rules.toml");
            let draft = draft.to_str().unwrap();
            let args = ["sync", "--dry-run", "--rules", draft];
            check(name, &scene.tieout(&args).await, &expected);
        }
        let checked = scene.tieout(&["rules", "check"]).await;
        assert_ne!(checked.status.code(), Some(0), "{name}: {}", text(&checked));
        let goes_on = scene.tieout(&["sync", "--dry-run"]).await;
        assert_eq!(goes_on.status.code(), Some(0), "{name}: {}", text(&goes_on));
        fs::write(&scene.config, &good).unwrap();
        fs::write(scene.file("rules.toml"), &rules).unwrap();
    }
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
    // On a cluster this machine holds the views only.
    let name = if scene.is_on_a_cluster() {
        "tieout-views.db"
    } else {
        "tieout.db"
    };
    let db = scene.file(name);
    let whole = fs::read(&db).unwrap();
    for (what, content) in [
        ("a text file", b"not a log".to_vec()),
        ("a torn log", whole[..whole.len() / 2].to_vec()),
        ("an empty file", Vec::new()),
    ] {
        fs::write(&db, content).unwrap();
        let output = scene.tieout(&["sync"]).await;
        check(what, &output, &says(2, &[]));
        assert!(text(&output).contains(name), "{what}: {}", text(&output));
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

fn expensify_secret(scene: &Scene, secret: &str) {
    scene.stand_ins.expensify.world().edit(|world| {
        for account in world.accounts.values_mut() {
            account.secret = secret.into();
        }
    });
}

fn qad_password(scene: &Scene, password: &str) {
    scene.stand_ins.qad.handle().edit(|world| {
        for user in world.users.values_mut() {
            user.password = password.into();
        }
    });
}

#[tokio::test]
async fn wrong_credentials_are_said_once_and_tried_once() {
    let scene = Scene::with(ONE, |_| {}).await;
    expensify_secret(&scene, "rotated");
    scene.stand_ins.expensify.calls().clear();
    let told = &[
        "Expensify refused the credentials",
        "tieout credentials expensify",
    ];
    check("Expensify", &scene.tieout(&["sync"]).await, &says(3, told));
    let calls = scene.stand_ins.expensify.calls().all().len();
    assert_eq!(calls, 1, "a refused pair is not tried again");
    expensify_secret(&scene, credentials::EXPENSIFY_SECRET);

    qad_password(&scene, "rotated");
    scene.stand_ins.qad.handle().calls().clear();
    let told = &["QAD refused the credentials", "tieout credentials qad"];
    check("QAD", &scene.tieout(&["sync"]).await, &says(3, told));
    let logins = scene.stand_ins.qad.handle().calls().count("token");
    assert_eq!(logins, 1, "repeated failures would lock the user in QAD");
    qad_password(&scene, credentials::QAD_PASSWORD);
    posts(&scene, "credentials put right").await;
}

/// `serve` runs cycle after cycle, and a password that was refused is not tried in each: QAD would lock the user.
#[tokio::test]
async fn a_refused_password_is_tried_once_however_many_cycles_are_served() {
    let scene = Scene::with(ONE, |_| {}).await;
    scene.reconfigure(|text| {
        let quick = text.replace("every = \"1m\"", "every = \"1s\"");
        quick.replace(
            "[[connection]]",
            "[serve]\nlisten = \"127.0.0.1:0\"\n\n[[connection]]",
        )
    });
    qad_password(&scene, "rotated");
    scene.stand_ins.qad.handle().calls().clear();
    scene.stand_ins.expensify.calls().clear();
    let serve = scene
        .command(&["serve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = nix::unistd::Pid::from_raw(i32::try_from(serve.id().unwrap()).unwrap());
    // Each cycle polls, whatever QAD says: three polls are three cycles.
    let calls = scene.stand_ins.expensify.calls();
    tokio::time::timeout(Duration::from_secs(60), async {
        while calls.count("export") < 3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("three cycles");
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
    let output = serve.wait_with_output().await.unwrap();
    check(
        "serve",
        &output,
        &says(
            0,
            &["QAD refused the credentials", "so that the user is not locked"],
        ),
    );
    assert_eq!(
        scene.stand_ins.qad.handle().calls().count("token"),
        1,
        "{}",
        text(&output)
    );
    let locked = scene
        .stand_ins
        .qad
        .handle()
        .read(|world| world.users.values().any(|user| user.locked));
    assert!(!locked, "the user is locked in QAD");
    qad_password(&scene, credentials::QAD_PASSWORD);
    posts(&scene, "the password put right").await;
}

#[tokio::test]
async fn an_unknown_workspace_is_said() {
    let scene = Scene::with(ONE, |_| {}).await;
    scene.reconfigure(|text| text.replace("10USA_10USACO", "10USA_NOWHERE"));
    let told = says(3, &["QAD denied", "correct `workspace`"]);
    check("workspace", &scene.tieout(&["sync"]).await, &told);
    scene.reconfigure(|text| text.replace("10USA_NOWHERE", "10USA_10USACO"));
    posts(&scene, "the workspace put right").await;
}

/// What goes wrong with an answer.
enum Fault {
    Expensify(&'static str, Expensify),
    Qad(&'static str, Qad),
    /// Expensify's answer, rewritten on its way.
    Rewritten(fn(&str) -> String),
}

/// The file without its last line: cut at the end of a line, in good order.
fn without_trailer(answer: &str) -> String {
    match answer.find("{\"trailer\"") {
        Some(at) => answer[..at].to_owned(),
        None => answer.to_owned(),
    }
}

/// Every export refused with a code that nobody knows.
fn refused_with_666(answer: &str) -> String {
    if answer.contains(".txt") || answer.contains(".json") || answer.contains(".csv") {
        "{\"responseMessage\":\"No such thing\",\"responseCode\":666}".to_owned()
    } else {
        answer.to_owned()
    }
}

/// A fault of the wire: the cycle says it and keeps what it can; a poll that was not whole is an event that says the same;
/// and the report posts once the fault is gone.
#[tokio::test]
async fn a_bad_answer_is_said_and_loses_nothing() {
    use Fault::{Expensify as E, Qad as Q, Rewritten as R};
    let table: Vec<(&str, Fault, Expected)> = vec![
        (
            "an HTML page instead of a file name",
            E("export", Expensify::HtmlPage),
            says(3, &["Expensify", "export", "<html"]),
        ),
        (
            "an HTML page instead of the file",
            E("download", Expensify::HtmlPage),
            says(3, &["Expensify", "download", "<html"]),
        ),
        (
            "a file cut in a line",
            E("download", Expensify::TruncatedFile { bytes: Some(700) }),
            says(3, &["not whole", "absence proves nothing"]),
        ),
        (
            "a file cut at the end of a line",
            R(without_trailer),
            says(3, &["not whole", "without the trailer", "absence proves nothing"]),
        ),
        (
            "a connection that breaks in the file",
            E("download", Expensify::BrokenDownload { bytes: None }),
            says(3, &["not whole", "broke off"]),
        ),
        (
            "a line that is no JSON",
            E("download", Expensify::LineGarbled { line: 1 }),
            says(3, &["cannot be read", "line 2"]),
        ),
        (
            "a file that lacks a line",
            E("download", Expensify::LineDropped { line: 1 }),
            says(3, &["not whole", "counts 3 reports, and 2 came"]),
        ),
        (
            "an empty file",
            E("download", Expensify::EmptyDownload),
            says(3, &["did not appear", "empty"]),
        ),
        (
            "a file that is not there",
            E("download", Expensify::FileNotFound),
            says(3, &["did not appear", "File not found"]),
        ),
        (
            "a 500 of Expensify",
            E("export", Expensify::ServerError),
            says(3, &["Expensify refused the export job", "500"]),
        ),
        (
            "a code that nobody knows",
            R(refused_with_666),
            says(3, &["Expensify refused the export job", "666 No such thing"]),
        ),
        (
            "a gateway's page",
            E("export", Expensify::BadGateway),
            says(3, &["Expensify", "502"]),
        ),
        (
            "too many requests, for ever",
            E("export", Expensify::TooManyRequestsInBody),
            says(3, &["429", "the next cycle tries again"]),
        ),
        (
            "a connection that is dropped",
            E("export", Expensify::DropBefore),
            says(3, &["Expensify", "export"]),
        ),
        (
            "an HTML page instead of QAD's chart",
            Q("browse:accounts", Qad::HtmlPage),
            says(1, &["accounts", "not JSON"]),
        ),
        (
            "a chart that cannot be read",
            Q("browse:accounts", Qad::BrowseFails),
            says(1, &["accounts", "500"]),
        ),
        (
            "a chart that finds nothing",
            Q("browse:accounts", Qad::EmptyBrowse),
            says(1, &["accounts", "canary"]),
        ),
        (
            "an HTML page instead of a token",
            Q("token", Qad::HtmlPage),
            says(3, &["QAD", "token"]),
        ),
        (
            "metadata that is no JSON",
            Q("metadata", Qad::HtmlPage),
            says(1, &["metadata", "not JSON"]),
        ),
    ];
    let scene = Scene::with(Size::Many { reports: 3, lines: 2 }, |_| {}).await;
    let (source, ledger) = (
        scene.stand_ins.expensify.faults(),
        scene.stand_ins.qad.handle().faults(),
    );
    for (name, fault, expected) in table {
        let mut proxy = None;
        let of_the_source = !matches!(fault, Q(..));
        match fault {
            E(operation, kind) => source.add(FaultRule::next(operation, kind).times(99)),
            Q(operation, kind) => ledger.add(FaultRule::next(operation, kind).times(99)),
            R(rewrite) => {
                let between = scene.through_a_proxy().await;
                between.rewrite_answers(rewrite);
                proxy = Some(between);
            }
        }
        let output = scene.tieout(&["sync"]).await;
        check(name, &output, &expected);
        assert_eq!(scene.ledger().len(), 0, "{name}: nothing posts in such a cycle");
        if of_the_source {
            let installation = scene.installation().await;
            let reader = Reader {
                log: installation.log.as_ref(),
                sealer: installation.people(),
            };
            let (polls, _) = reader
                .stream::<PollEvent>(&Streams(scene.connection().id).polls())
                .await
                .unwrap();
            let Some(PollEvent::PollFailed { why, .. }) = polls.last().map(|entry| &entry.event) else {
                panic!("{name}: {:?}", polls.last());
            };
            assert!(
                text(&output).contains(why.lines().next().unwrap_or_default()),
                "{name}: {why}"
            );
        }
        source.clear();
        ledger.clear();
        if let Some(proxy) = proxy {
            scene.reconfigure(|text| text.replace(&proxy.url, &scene.stand_ins.expensify.url()));
        }
    }
    let last = scene.settle(6).await;
    scene.all_is_done(3, &last, "every fault gone").await;
}

#[tokio::test]
async fn an_html_page_instead_of_the_answer_to_a_post_is_doubt_that_settles() {
    let scene = Scene::with(ONE, |_| {}).await;
    scene
        .stand_ins
        .qad
        .handle()
        .faults()
        .add(FaultRule::next("post:*", Qad::HtmlPageAfter));
    check(
        "a post",
        &scene.tieout(&["sync"]).await,
        &says(0, &["1 in doubt"]),
    );
    posts(&scene, "the doubt settled").await;
}
