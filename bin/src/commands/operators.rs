//! `tieout operators`: who signs what they decide. Enrols, replaces a key, retires; each is an event that everybody sees,
//! with the user of the operating system whose process did it.

mod list;

use secrecy::SecretString;
use serde_json::{Value, json};
use tieout_domain::ids::PersonName;
use tieout_domain::journal::{Cause, Draft, Journal, Stamp};
use tieout_domain::operators::{OperatorEvent, OperatorRefusal, OsUser, PublicKey};
use tieout_domain::ports::{Clock as _, Expected};
use tieout_domain::workflow::person;
use tieout_vault::{OperatorKey, SecretFields};

use super::credentials::{new_passphrase, secret_from_stdin};
use super::terminal::safe;
use crate::cli::{ChangeArgs, OperatorsCommand, SignInArgs};
use crate::installation::{BUILD, Installation};
use crate::operator::{Book, PASSPHRASE, SignedIn, failure, name_of, os_user};
use crate::out::{DONE, Failure, Out};
use crate::ports::SystemEntropy;

/// What a new passphrase of an enrolled operator is taken from: another variable than the present one, which the same
/// command may need too.
const NEW_PASSPHRASE: &str = "TIEOUT_OPERATOR_NEW_PASSPHRASE";

/// Lists, or does what was asked.
pub async fn run(
    installation: &Installation,
    command: Option<OperatorsCommand>,
    out: Out,
) -> Result<u8, Failure> {
    match command {
        None => list::run(installation, out).await,
        Some(OperatorsCommand::Add {
            name,
            passphrase_stdin,
        }) => add(installation, &name, passphrase_stdin, out).await,
        Some(OperatorsCommand::ReplaceKey {
            name,
            change,
            passphrase_stdin,
        }) => replace_key(installation, &name, change, passphrase_stdin, out).await,
        Some(OperatorsCommand::Retire { name, change }) => retire(installation, &name, change, out).await,
        Some(OperatorsCommand::Check(args)) => check(installation, &args, out).await,
    }
}

fn refused(refusal: OperatorRefusal) -> Failure {
    use OperatorRefusal as R;
    match refusal {
        R::BadName(_) | R::Unknown(_) | R::Blank => Failure::Usage(refusal.to_string()),
        R::Enrolled(_) | R::GivenBefore(_) | R::Alike { .. } | R::Retired(_) | R::KeyKnown => {
            Failure::Person(refusal.to_string())
        }
    }
}

async fn add(installation: &Installation, name: &str, from_stdin: bool, out: Out) -> Result<u8, Failure> {
    let name = name_of(name)?;
    let book = Book::read(installation).await?;
    book.operators.may_enrol(&name).map_err(refused)?;
    let here = os_user();
    out.aside(&format!(
        "enrolling operator {name} from OS user {here}, which is recorded"
    ))?;
    let passphrase = passphrase(&name, PASSPHRASE, from_stdin)?;
    let (fields, public_key) = OperatorKey::create(&name, &passphrase).map_err(failure)?;
    let event = book
        .operators
        .enrol(name.clone(), here.clone(), public_key)
        .map_err(refused)?;
    let change = Change {
        name: &name,
        command: "operators add",
        here: &here,
    };
    change.put_and_record(installation, book, event, &fields).await?;
    out.words(&format!(
        "{name} is an operator from now on, enrolled by OS user {here}\n  fingerprint  {}\n  public key   {public_key}\n\
         Let {name} tell the fingerprint to whoever reads the signatures. The passphrase is kept nowhere: whoever loses it needs another key.",
        public_key.fingerprint()
    ))?;
    out.document(&told("enrolled", &name, &here, Some(&public_key), None))?;
    Ok(DONE)
}

async fn replace_key(
    installation: &Installation,
    name: &str,
    args: ChangeArgs,
    from_stdin: bool,
    out: Out,
) -> Result<u8, Failure> {
    let name = name_of(name)?;
    let book = Book::read(installation).await?;
    book.operators.may_change(&name, &args.why).map_err(refused)?;
    let here = os_user();
    let voucher = voucher(installation, &args, out).await?;
    let passphrase = passphrase(&name, NEW_PASSPHRASE, from_stdin)?;
    let (fields, public_key) = OperatorKey::create(&name, &passphrase).map_err(failure)?;
    let event = book
        .operators
        .replace_key(name.clone(), here.clone(), public_key, &args.why)
        .map_err(refused)?;
    let event = vouched(event, voucher.as_ref());
    let change = Change {
        name: &name,
        command: "operators replace-key",
        here: &here,
    };
    change.put_and_record(installation, book, event, &fields).await?;
    out.words(&format!(
        "{name} has another key from now on; the one before signs no more. By OS user {here}, {}\n  fingerprint  {}\n  public key   {public_key}",
        by_whom(voucher.as_ref()),
        public_key.fingerprint()
    ))?;
    out.document(&told(
        "key_replaced",
        &name,
        &here,
        Some(&public_key),
        voucher.as_ref(),
    ))?;
    Ok(DONE)
}

async fn retire(installation: &Installation, name: &str, args: ChangeArgs, out: Out) -> Result<u8, Failure> {
    let name = name_of(name)?;
    let book = Book::read(installation).await?;
    let here = os_user();
    let event = book
        .operators
        .retire(name.clone(), here.clone(), &args.why)
        .map_err(refused)?;
    let voucher = voucher(installation, &args, out).await?;
    let event = vouched(event, voucher.as_ref());
    let change = Change {
        name: &name,
        command: "operators retire",
        here: &here,
    };
    change.record(installation, &book, event).await?;
    // It signs nothing any more, in the vault or out of it.
    if let Err(still_there) = installation.set_operator_key(&name, None) {
        out.aside(&format!(
            "the key of {name} is still in the vault, and of no use: {still_there}"
        ))?;
    }
    out.words(&format!(
        "{name} has retired and signs no more. By OS user {here}, {}",
        by_whom(voucher.as_ref())
    ))?;
    out.document(&told("retired", &name, &here, None, voucher.as_ref()))?;
    Ok(DONE)
}

async fn check(installation: &Installation, args: &SignInArgs, out: Out) -> Result<u8, Failure> {
    let signed_in = SignedIn::sign_in(installation, args, out).await?;
    let fingerprint = signed_in.public_key().fingerprint();
    out.words(&format!(
        "{signed_in}\n  fingerprint  {fingerprint}\nNothing was signed."
    ))?;
    out.document(&json!({
        "operator": signed_in.name(),
        "os_user": signed_in.os_user(),
        "enrolled_by": signed_in.enrolled_by(),
        "public_key": signed_in.public_key(),
        "fingerprint": fingerprint,
    }))?;
    Ok(DONE)
}

/// The operator who vouches for a change, signed in; nobody, where none is named.
async fn voucher(
    installation: &Installation,
    args: &ChangeArgs,
    out: Out,
) -> Result<Option<SignedIn>, Failure> {
    let Some(name) = &args.signed_by else {
        return Ok(None);
    };
    let args = SignInArgs {
        operator: Some(name.clone()),
        other_os_user: args.other_os_user,
    };
    SignedIn::sign_in(installation, &args, out).await.map(Some)
}

fn vouched(event: OperatorEvent, voucher: Option<&SignedIn>) -> OperatorEvent {
    match (voucher, event.statement()) {
        (Some(voucher), Some(statement)) => event.vouched_by(voucher.sign(&statement)),
        _ => event,
    }
}

fn by_whom(voucher: Option<&SignedIn>) -> String {
    voucher.map_or_else(
        || "and no operator vouches for it: everybody sees that in `tieout operators`".to_owned(),
        |voucher| format!("signed by operator {}", voucher.name()),
    )
}

fn told(
    what: &str,
    name: &PersonName,
    here: &OsUser,
    key: Option<&PublicKey>,
    voucher: Option<&SignedIn>,
) -> Value {
    json!({
        "decided": what,
        "operator": name,
        "os_user": here,
        "public_key": key,
        "fingerprint": key.map(PublicKey::fingerprint),
        "signed_by": voucher.map(SignedIn::name),
    })
}

fn passphrase(name: &PersonName, variable: &str, from_stdin: bool) -> Result<SecretString, Failure> {
    if from_stdin {
        return secret_from_stdin();
    }
    new_passphrase(&format!("New passphrase of operator {name}: "), variable)
}

/// What is changed, and whose process does it.
struct Change<'a> {
    name: &'a PersonName,
    command: &'static str,
    here: &'a OsUser,
}

impl Change<'_> {
    /// Puts the key into the vault, then records it. The vault first, because it is what can be put back: where nothing was
    /// recorded, it is as it was before. Killed in between, it holds a key that the log does not know, which signs
    /// nothing; the same command, given again, mends that.
    async fn put_and_record(
        &self,
        installation: &Installation,
        book: Book,
        event: OperatorEvent,
        fields: &SecretFields,
    ) -> Result<(), Failure> {
        let before = installation.operator_key(self.name)?;
        installation.set_operator_key(self.name, Some(fields))?;
        let Err(error) = self.record(installation, &book, event.clone()).await else {
            return Ok(());
        };
        // Refused, or only not answered? The log knows.
        match Book::read(installation).await {
            Ok(found) if is_recorded(&found, &event) => Ok(()),
            Ok(_) => match installation.set_operator_key(self.name, before.as_ref()) {
                Ok(()) => Err(error),
                Err(stays) => Err(Failure::Outside(format!(
                    "{error}; and the new key of {} stays in the vault, where it signs nothing: {stays}",
                    self.name
                ))),
            },
            Err(unread) => Err(Failure::Outside(format!(
                "{error}; whether it was recorded all the same cannot be read ({unread}): the new key of {} stays in the vault, `tieout operators` tells later whether it is the one in force",
                self.name
            ))),
        }
    }

    async fn record(
        &self,
        installation: &Installation,
        book: &Book,
        event: OperatorEvent,
    ) -> Result<(), Failure> {
        let clock = &installation.clock;
        let journal = Journal::new(
            installation.log.as_ref(),
            clock,
            &SystemEntropy,
            installation.people(),
            BUILD,
        );
        // What the operating system says, and no name that anybody may claim.
        let actor = match &self.here.name {
            Some(name) => PersonName::new(name),
            None => PersonName::new(&format!("uid {}", self.here.uid)),
        };
        let stamp = Stamp {
            actor: person(actor.map_err(|e| Failure::Usage(format!("the OS user: {e}")))?),
            cause: Cause::Command {
                name: self.command.to_owned(),
            },
        };
        let draft = Draft {
            event,
            effective_at: clock.now(),
            subject: None,
        };
        let done = journal
            .append(
                &OperatorEvent::stream(),
                Expected::after(book.head),
                &stamp,
                vec![draft],
            )
            .await;
        match done {
            Ok(_) => Ok(()),
            Err(error) if error.is_conflict() => Err(Failure::Outside(
                "somebody else changed the operators at the same moment; nothing was changed here: look at `tieout operators`, and repeat".to_owned(),
            )),
            Err(error) => Err(Failure::from(error)),
        }
    }
}

fn is_recorded(book: &Book, event: &OperatorEvent) -> bool {
    let key = match event {
        OperatorEvent::OperatorEnrolled { public_key, .. }
        | OperatorEvent::OperatorKeyReplaced { public_key, .. } => public_key,
        OperatorEvent::OperatorRetired { .. } => return false,
    };
    book.operators
        .get(event.name())
        .is_some_and(|operator| operator.keys().any(|period| period.public_key == *key))
}

/// Words of the log as they may stand on a terminal.
fn shown(text: impl std::fmt::Display) -> String {
    safe(&text.to_string())
}

#[cfg(test)]
mod tests;
