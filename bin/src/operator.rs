//! Who signs: an operator who signs in with their key, from a user of the operating system; and whether a signature on
//! record is good.
//!
//! The user is the process's real one, as the kernel says; no variable of the environment is asked. The key is the vault's,
//! the passphrase the operator's own, and the log says whether that key is in force.

use secrecy::SecretString;
use tieout_domain::ids::PersonName;
use tieout_domain::operators::{
    At, Fingerprint, Operator, OperatorEvent, Operators, OsUser, Proof, PublicKey, Statement,
};
use tieout_domain::ports::Revision;
use tieout_vault::{OperatorKey, OperatorKeyError, Signer, signed_bytes, verify};

use crate::cli::SignInArgs;
use crate::installation::Installation;
use crate::out::{Failure, Out};

/// Where an operator's passphrase is taken from, if not from the terminal.
pub const PASSPHRASE: &str = "TIEOUT_OPERATOR_PASSPHRASE";

/// The operators as the log has them, and the end of their stream.
pub struct Book {
    /// Who they are.
    pub operators: Operators,
    /// The last event of the stream.
    pub head: Option<Revision>,
}

impl Book {
    /// Reads the stream.
    ///
    /// # Errors
    /// As the log says.
    pub async fn read(installation: &Installation) -> Result<Self, Failure> {
        let (entries, head) = installation
            .reader()
            .stream::<OperatorEvent>(&OperatorEvent::stream())
            .await?;
        Ok(Self {
            operators: Operators::of(&entries),
            head,
        })
    }
}

/// The user of the operating system whose process this is, and the machine: by the real user id, so that neither a variable
/// nor a program that changes its effective user says otherwise.
pub fn os_user() -> OsUser {
    let uid = nix::unistd::getuid();
    let name = nix::unistd::User::from_uid(uid).ok().flatten();
    let host = nix::unistd::gethostname().ok();
    OsUser {
        uid: uid.as_raw(),
        name: name.map(|user| user.name),
        host: host.map(|host| host.to_string_lossy().into_owned()),
    }
}

/// A name of an operator, as given.
///
/// # Errors
/// Where it is blank or holds control characters.
pub fn name_of(text: &str) -> Result<PersonName, Failure> {
    PersonName::new(text).map_err(|e| Failure::Usage(format!("the operator: {e}")))
}

/// An operator who gave the right passphrase, with the key that is in force.
#[derive(Debug)]
pub struct SignedIn {
    name: PersonName,
    os_user: OsUser,
    enrolled_by: Option<OsUser>,
    signer: Signer,
}

impl SignedIn {
    /// Signs an operator in. Where the user of the operating system is not the one who enrolled, and that was allowed, it is
    /// said on standard error too.
    ///
    /// # Errors
    /// [`Failure::Usage`] where nobody or nobody known is named, the passphrase is wrong, or another user enrolled;
    /// [`Failure::Person`] where the operator retired, or the vault's key is not the one that the log says is in force.
    pub async fn sign_in(installation: &Installation, args: &SignInArgs, out: Out) -> Result<Self, Failure> {
        let operators = Book::read(installation).await?.operators;
        let here = os_user();
        let operator = match &args.operator {
            Some(name) => named(&operators, &name_of(name)?)?,
            None => the_one_of(&operators, &here)?,
        };
        let name = operator.name.clone();
        if let Some(retired) = &operator.retired {
            return Err(Failure::Person(format!(
                "operator {name} retired on {} and signs no more: {}",
                retired.since.at.format("%Y-%m-%d %H:%M UTC"),
                retired.why
            )));
        }
        let in_force = operator.last_key().public_key;
        let fields = installation.operator_key(&name)?.ok_or_else(|| {
            Failure::Usage(format!(
                "the vault here holds no key of operator {name}: use the vault it was put in, or give {name} another key with `tieout operators replace-key`"
            ))
        })?;
        same_key(
            &name,
            &in_force,
            &OperatorKey::public_key(&name, &fields).map_err(failure)?,
        )?;
        let enrolled_by = (!operator.os_user.is(&here)).then(|| operator.os_user.clone());
        if let Some(user) = &enrolled_by
            && !args.other_os_user
        {
            return Err(Failure::Usage(format!(
                "operator {name} was enrolled by OS user {user}, and this is {here}: sign in from there, or go on with --other-os-user, which is recorded with the signature"
            )));
        }
        let passphrase = passphrase(&name)?;
        let signer = OperatorKey::unlock(&name, &fields, &passphrase).map_err(failure)?;
        let signed_in = Self {
            name,
            os_user: here,
            enrolled_by,
            signer,
        };
        if signed_in.enrolled_by.is_some() {
            out.aside(&signed_in.to_string())?;
        }
        Ok(signed_in)
    }

    /// The operator.
    pub fn name(&self) -> &PersonName {
        &self.name
    }
    /// The user of the operating system whose process this is.
    pub fn os_user(&self) -> &OsUser {
        &self.os_user
    }
    /// Who enrolled the operator, where that is another user.
    pub fn enrolled_by(&self) -> Option<&OsUser> {
        self.enrolled_by.as_ref()
    }
    /// The key that signs.
    pub fn public_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    /// Signs a statement; the proof stands in the event that the statement is made of.
    pub fn sign(&self, statement: &Statement) -> Proof {
        Proof::over(
            statement,
            self.name.clone(),
            self.os_user.clone(),
            self.enrolled_by.clone(),
            self.public_key(),
            |text| self.signer.sign(text),
        )
    }
}

impl std::fmt::Display for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "signed in as {} from OS user {}", self.name, self.os_user)?;
        match &self.enrolled_by {
            None => Ok(()),
            Some(user) => write!(f, ", NOT the one who enrolled: {user}"),
        }
    }
}

fn named<'a>(operators: &'a Operators, name: &PersonName) -> Result<&'a Operator, Failure> {
    operators.get(name).ok_or_else(|| {
        Failure::Usage(format!(
            "no operator is called `{name}`: `tieout operators` lists them, `tieout operators add` enrols one"
        ))
    })
}

fn the_one_of<'a>(operators: &'a Operators, here: &'a OsUser) -> Result<&'a Operator, Failure> {
    let mut found = operators.enrolled_by(here);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Failure::Usage(format!(
            "who signs? OS user {here} enrolled no operator: name one with --operator, or enrol with `tieout operators add NAME`"
        ))),
        (Some(_), Some(_)) => {
            let names: Vec<&str> = operators.enrolled_by(here).map(|one| one.name.as_str()).collect();
            Err(Failure::Usage(format!(
                "who signs? OS user {here} enrolled several operators: name one with --operator: {}",
                names.join(", ")
            )))
        }
    }
}

/// Somebody who may write the vault may put a key of their own there; the log knows which one counts.
fn same_key(name: &PersonName, in_force: &PublicKey, found: &PublicKey) -> Result<(), Failure> {
    if in_force == found {
        return Ok(());
    }
    Err(Failure::Person(format!(
        "the vault holds another key of operator {name} ({}) than the one that the log says is in force ({}): somebody swapped it, or one of the two was brought back from a backup. Nothing is signed with it; find out which, then restore the vault or give {name} another key with `tieout operators replace-key`",
        found.fingerprint(),
        in_force.fingerprint()
    )))
}

fn passphrase(name: &PersonName) -> Result<SecretString, Failure> {
    if let Ok(value) = std::env::var(PASSPHRASE) {
        return Ok(SecretString::from(value));
    }
    rpassword::prompt_password(format!("Passphrase of operator {name}: "))
        .map(SecretString::from)
        .map_err(|e| {
            Failure::Usage(format!(
                "no passphrase of operator {name}: there is no terminal to ask on ({e}); set {PASSPHRASE}"
            ))
        })
}

/// As the vault's own refusals: what is wrongly given or damaged is usage; a key in another's place needs a person.
pub fn failure(error: OperatorKeyError) -> Failure {
    match error {
        OperatorKeyError::Moved { .. } => Failure::Person(error.to_string()),
        other => Failure::Usage(other.to_string()),
    }
}

/// The exact text that a proof's signature is over, for whoever verifies it with a tool of their own.
pub fn signed_text(statement: &Statement, proof: &Proof) -> String {
    // Text before a line feed before text: never anything but UTF-8.
    String::from_utf8_lossy(&signed_bytes(proof.text(statement).as_bytes())).into_owned()
}

/// Why a proof on record does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// Nobody of that name was ever enrolled.
    #[error("no operator is called {0}")]
    Unknown(PersonName),
    /// The operator had no key then: not enrolled yet, or retired.
    #[error("operator {0} was not enrolled then, or had retired")]
    NoKeyThen(PersonName),
    /// It is signed with a key that was not the operator's then.
    #[error("it is signed with the key {used}; that of operator {operator} was {in_force} then")]
    OtherKey {
        /// The operator.
        operator: PersonName,
        /// The key it is signed with.
        used: Fingerprint,
        /// The key that counted.
        in_force: Fingerprint,
    },
    /// It hides that the user of the operating system was not the one who enrolled, or says so of the one who was.
    #[error("it is signed from OS user {os_user}, and does not say rightly who enrolled operator {operator}")]
    WrongMark {
        /// The operator.
        operator: PersonName,
        /// From where it is signed.
        os_user: OsUser,
    },
    /// The signature is not over this statement: it, or what is told of who signed it from where, was changed.
    #[error("the signature of operator {0} is not over this statement")]
    NotSigned(PersonName),
}

/// Does the proof show that the operator signed this statement, with the key that was in force then? For an event, `at` is
/// its position: it cannot be dated back into the time of a key that was replaced since.
///
/// # Errors
/// The first thing that does not hold.
pub fn verify_proof(
    operators: &Operators,
    statement: &Statement,
    proof: &Proof,
    at: At,
) -> Result<(), ProofFault> {
    let name = || proof.operator.clone();
    let operator = operators
        .get(&proof.operator)
        .ok_or_else(|| ProofFault::Unknown(name()))?;
    let in_force = operator
        .key_in_force(at)
        .ok_or_else(|| ProofFault::NoKeyThen(name()))?;
    if in_force.public_key != proof.public_key {
        return Err(ProofFault::OtherKey {
            operator: name(),
            used: proof.public_key.fingerprint(),
            in_force: in_force.public_key.fingerprint(),
        });
    }
    let mark = (!operator.os_user.is(&proof.os_user)).then_some(&operator.os_user);
    if proof.enrolled_by.as_ref() != mark {
        return Err(ProofFault::WrongMark {
            operator: name(),
            os_user: proof.os_user.clone(),
        });
    }
    if !verify(
        &proof.public_key,
        proof.text(statement).as_bytes(),
        &proof.signature,
    ) {
        return Err(ProofFault::NotSigned(name()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
