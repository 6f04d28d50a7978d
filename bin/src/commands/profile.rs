//! `tieout profile`: the template a QAD profile begins with, its check against the installation's own metadata, and its
//! certification in a non-production workspace.

use serde_json::json;
use tieout_qad::profile::TEMPLATE;

use super::certify::{Certificate, certify_in};
use super::doctor::{Finding, PROFILE_FIX, ledger, status, words};
use crate::cli::{CertifyArgs, ConnectionArg, ProfileCommand};
use crate::installation::Installation;
use crate::out::{DONE, Failure, Out};

/// Prints the commented template.
pub fn template(out: Out) -> Result<u8, Failure> {
    out.words(TEMPLATE)?;
    out.document(&json!({"template": TEMPLATE}))?;
    Ok(DONE)
}

/// Checks or certifies.
pub async fn run(installation: &Installation, command: ProfileCommand, out: Out) -> Result<u8, Failure> {
    match command {
        ProfileCommand::Template => template(out),
        ProfileCommand::Check(args) => check(installation, &args, out).await,
        ProfileCommand::Certify(args) => certify(installation, args, out).await,
    }
}

/// Compares each chosen connection's profile with what its QAD says of itself.
async fn check(installation: &Installation, args: &ConnectionArg, out: Out) -> Result<u8, Failure> {
    let mut worst = DONE;
    let mut documents = Vec::new();
    for config in installation.config.chosen(args.connection.as_deref())? {
        let path = installation.config.at(&config.qad.profile);
        let mut findings = Vec::new();
        match installation.profile(config) {
            Err(failure) => findings.push(Finding::failed("profile", &failure, PROFILE_FIX)),
            Ok(_) => {
                findings.push(Finding::good("profile", format!("{} is whole", path.display())));
                findings.extend(ledger(installation, config).await);
            }
        }
        out.words(&words(
            &format!("{} in {}", config.name, config.qad.workspace),
            &findings,
        ))?;
        worst = worst.max(status(&findings));
        documents.push(json!({"connection": config.name, "checks": findings}));
    }
    out.document(&documents)?;
    Ok(worst)
}

/// Posts a test document of each kind where nothing is at stake, and opens posting if all of them read back as sent.
async fn certify(installation: &Installation, args: CertifyArgs, out: Out) -> Result<u8, Failure> {
    let chosen = installation.config.chosen(args.connection.as_deref())?;
    let [config] = chosen.as_slice() else {
        let names: Vec<&str> = chosen.iter().map(|config| config.name.as_str()).collect();
        return Err(Failure::Usage(format!(
            "a certification is of one connection: name one of {} with --connection",
            names.join(", ")
        )));
    };
    let certificate = Certificate::from(args);
    out.words(&format!(
        "{}: certifying {} in the test workspace {}",
        config.name,
        config.qad.profile.display(),
        certificate.workspace
    ))?;
    let evidence = certify_in(installation, config, &certificate, &mut |step| {
        out.words(&format!("  {step}"))
    })
    .await?;
    let documents: Vec<_> = evidence
        .iter()
        .map(|(reference, key)| json!({"kind": reference.kind, "reference": reference, "voucher": key.to_string()}))
        .collect();
    out.document(&json!({
        "connection": config.name, "workspace": certificate.workspace, "certified_by": certificate.person,
        "documents": documents,
    }))?;
    Ok(DONE)
}

impl From<CertifyArgs> for Certificate {
    fn from(args: CertifyArgs) -> Self {
        Self {
            workspace: args.workspace,
            supplier: args.supplier,
            account: args.account,
            clearing: args.clearing,
            cost_centre: args.cost_centre,
            currency: args.currency,
            date: args.date,
            person: args.person,
        }
    }
}
