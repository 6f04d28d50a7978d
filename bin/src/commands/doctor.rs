//! `tieout doctor`: looks at everything, changes nothing. Each line says what was seen and, where that is not as it
//! should be, what to do.

mod finding;
mod ground;
mod recovery;
mod rules;
mod source;

use std::path::Path;

use serde_json::{Value, json};
use tieout_domain::ports::Ledger as _;
use tieout_domain::workflow::{Desk, Gate};

pub use self::finding::{Finding, status, words};
use self::source::GoingLive;
use crate::cli::ConnectionArg;
use crate::config::{Config, ConnectionConfig};
use crate::installation::Installation;
use crate::out::{Failure, Out, PERSON};
use crate::ports::SystemClock;

/// What to do about a profile that cannot be read.
pub const PROFILE_FIX: &str = "fill in the file that is named (`tieout guide profile`)";

/// What to do where a connection's credentials are missing.
fn credentials(system: &str, config: &ConnectionConfig) -> String {
    format!(
        "`tieout credentials {system} --connection {}`, and check `url`",
        config.name
    )
}

/// Looks at what all connections stand on, then at each chosen one.
pub async fn run(config_path: &Path, args: &ConnectionArg, out: Out) -> Result<u8, Failure> {
    let config = Config::read(config_path)?;
    // A connection that does not exist is wrong usage, whatever else is found.
    config.chosen(args.connection.as_deref())?;
    let mut ground = vec![
        Finding::good("configuration", format!("{} is read", config_path.display())),
        ground::log(&config).await,
        ground::key(&config),
    ];
    // With such a setting not even a listing may be asked of the real systems.
    ground.extend(ground::trial(&config));
    let opened = if ground.iter().all(|finding| finding.ok) {
        let opened = Installation::open_at(config.clone(), SystemClock::from_environment()).await;
        ground.push(match &opened {
            Ok(_) => Finding::good(
                "vault",
                format!("{} opens", config.at(&config.vault.path).display()),
            ),
            Err(failure) => Finding::failed(
                "vault",
                failure,
                "bring back the vault, the people file and the key that belong together (`tieout guide secrets-and-keys`)",
            ),
        });
        opened.ok()
    } else {
        None
    };
    // Said after that: a way that others can hear is a way all the same.
    ground.extend(ground::way(&config));
    out.words(&words("installation", &ground))?;
    let mut all = ground.clone();
    let mut connections = Vec::new();
    if let Some(installation) = &opened {
        for config in installation.config.chosen(args.connection.as_deref())? {
            let (findings, going_live) = connection(installation, config).await;
            out.words(&words(config.name.as_str(), &findings))?;
            connections
                .push(json!({"connection": config.name, "checks": findings, "going_live": going_live}));
            all.extend(findings);
        }
    } else {
        out.words("The connections were not looked at: mend the above first.")?;
    }
    let status = match opened {
        Some(_) => status(&all),
        None => PERSON,
    };
    let wrong = all.iter().filter(|finding| !finding.ok).count();
    out.words(&match wrong {
        0 => format!("All {} lines are as they should be.", all.len()),
        _ => format!("{wrong} of {} lines are not as they should be.", all.len()),
    })?;
    out.document(&json!({"checks": ground, "connections": connections}))?;
    Ok(status)
}

/// Everything about one connection.
async fn connection(installation: &Installation, config: &ConnectionConfig) -> (Vec<Finding>, Value) {
    let mut findings = Vec::new();
    let file = installation.rules(config);
    findings.push(match &file {
        Ok((rules, _)) => Finding::good(
            "rule set",
            format!(
                "{}: {} rules, no fault",
                config.rules.display(),
                rules.rules().len()
            ),
        ),
        Err(failure) => Finding::failed(
            "rule set",
            failure,
            "correct the file (`tieout guide rules`, `tieout rules check`)",
        ),
    });
    findings.push(match installation.profile(config) {
        Ok(_) => Finding::good("profile", format!("{} is whole", config.qad.profile.display())),
        Err(failure) => Finding::failed("profile", &failure, PROFILE_FIX),
    });
    let sound = findings.iter().all(|finding| finding.ok);
    if let Ok((file, _)) = &file {
        findings.extend(rules::look(installation, config, file).await);
    }
    let taken = expensify(installation, config, &mut findings).await;
    let of_ledger = ledger(installation, config).await;
    let logged_in = of_ledger
        .iter()
        .any(|finding| finding.ok && finding.name == "qad token");
    findings.extend(of_ledger);
    findings.push(if sound && logged_in {
        certification(installation, config).await
    } else {
        Finding::bad(
            "certification",
            "not looked at: it takes the rule set, the profile and QAD",
            "mend those first",
        )
    });
    if sound && logged_in {
        findings.push(recovery::look(installation, config).await);
    }
    if let Some(taken) = &taken {
        findings.push(taken.finding(config.expensify.go_live));
    }
    (findings, json!(taken))
}

/// Credentials, policies, coverage, and what going live would take, as far as Expensify answers.
async fn expensify(
    installation: &Installation,
    config: &ConnectionConfig,
    findings: &mut Vec<Finding>,
) -> Option<GoingLive> {
    let client = match installation.expensify(config) {
        Ok(client) => client,
        Err(failure) => {
            findings.push(Finding::failed(
                "expensify credentials",
                &failure,
                credentials("expensify", config),
            ));
            return None;
        }
    };
    match source::policies(&client, config).await {
        Ok(seen) => findings.extend(seen),
        Err(error) => {
            findings.push(Finding::source("expensify credentials", &error));
            return None;
        }
    }
    if let Ok((_, text)) = installation.rules(config) {
        coverage(installation, config, &text, findings).await;
    }
    match source::going_live(installation, &client, config).await {
        Ok(taken) => Some(taken),
        Err(error) => {
            findings.push(Finding::source("going live", &error));
            None
        }
    }
}

/// Is there a rule for whatever people may choose?
async fn coverage(
    installation: &Installation,
    config: &ConnectionConfig,
    rules: &str,
    findings: &mut Vec<Finding>,
) {
    const NAME: &str = "coverage";
    match super::rules::cover(installation, config, rules).await {
        Ok(policies) => findings.extend(policies.iter().map(|policy| {
            let detail = policy.words();
            let detail = detail.trim();
            if policy.is_complete() {
                Finding::good(NAME, detail)
            } else {
                let fix = "add rules, or disable in Expensify what nobody should choose; until then such lines are rejected";
                Finding::bad(NAME, detail, fix)
            }
        })),
        Err(failure) => findings.push(Finding::failed(NAME, &failure, "`tieout rules check --coverage` once Expensify answers")),
    }
}

/// What QAD's client finds of the connection's profile, workspace and metadata.
pub async fn ledger(installation: &Installation, config: &ConnectionConfig) -> Vec<Finding> {
    let qad = match installation.qad(config, None) {
        Ok(qad) => qad,
        // A client takes the profile and the credentials.
        Err(failure) => {
            let fix = match installation.profile(config) {
                Ok(_) => credentials("qad", config),
                Err(_) => PROFILE_FIX.to_owned(),
            };
            return vec![Finding::failed("qad", &failure, fix)];
        }
    };
    let mut findings: Vec<Finding> = qad.check().await.into_iter().map(Finding::ledger).collect();
    // A check that ended early may have ended because nobody answered. A login that was refused is remembered by the
    // client and not tried again, so this cannot lock the user.
    let early = ["qad token", "qad workspace"];
    if findings
        .last()
        .is_some_and(|last| !last.ok && early.contains(&last.name.as_str()))
        && let Err(error) = qad.contract_hash().await
        && let Some(last) = findings.pop()
    {
        findings.push(last.unless_reached(&error));
    }
    findings
}

/// May documents be posted?
async fn certification(installation: &Installation, config: &ConnectionConfig) -> Finding {
    const NAME: &str = "certification";
    let gate = async {
        let world = installation.world(config)?;
        let connection = installation.connection(config)?;
        let desk = Desk::for_command(&world, &connection, installation.instance, "doctor");
        Ok::<_, Failure>(desk.gate().await?)
    };
    match gate.await {
        Ok(Gate::Open) => Finding::good(
            NAME,
            "QAD's metadata and the profile are those that were certified: posting is open",
        ),
        Ok(Gate::Shut { why }) => Finding::bad(
            NAME,
            why,
            "`tieout profile certify` with a non-production workspace (`tieout guide profile`); nothing posts before that",
        ),
        Err(failure) => Finding::failed(
            NAME,
            &failure,
            "see to the log's file and its disk, and try again",
        ),
    }
}
