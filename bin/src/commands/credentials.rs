//! `tieout credentials`: secrets into the vault, rotated there, and the vault's own key. What is secret is never printed,
//! and never an argument, since every process of the machine may read those.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{Table, presets};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tieout_domain::ports::Clock as _;
use tieout_vault::{
    KeySource, OPERATOR_SETS, SecretFields, SetInfo, SetName, Vault, VaultError, create_key_file,
};

use crate::cli::{CredentialsArgs, System};
use crate::config::{Config, ConnectionConfig};
use crate::installation::{STORE_SET, key_source, set_name};
use crate::out::{DONE, Failure, Out};
use crate::ports::SystemClock;

/// What a new secret is taken from, if not from standard input.
const SECRET: &str = "TIEOUT_SECRET";

/// Sets, rotates or lists.
pub fn run(config: &Path, args: CredentialsArgs, out: Out) -> Result<u8, Failure> {
    let config = Config::read(config)?;
    let now = SystemClock::from_environment().now();
    match args.system {
        None => list(&config, &args, out),
        Some(System::Key) => rotate_key(&config, &args, now, out),
        Some(System::Expensify) => put(&config, &EXPENSIFY, &args, now, out),
        Some(System::Qad) => put(&config, &QAD, &args, now, out),
        Some(System::Store) => put(&config, &STORE, &args, now, out),
    }
}

/// The fields of a system's set: names as `Installation` asks for them, and as people know them.
struct Fields {
    system: &'static str,
    client: Option<(&'static str, &'static str)>,
    user: (&'static str, &'static str),
    secret: (&'static str, &'static str),
}
/// Contract expensify §1.2.
const EXPENSIFY: Fields = Fields {
    system: "expensify",
    client: None,
    user: ("partner_user_id", "partnerUserID"),
    secret: ("partner_user_secret", "partnerUserSecret"),
};
/// Contract qad §1.4.
const QAD: Fields = Fields {
    system: "qad",
    client: Some(("client_id", "client id")),
    user: ("username", "user name"),
    secret: ("password", "password"),
};

/// The cluster that keeps the log; for all connections.
const STORE: Fields = Fields {
    system: "store",
    client: None,
    user: ("username", "user name"),
    secret: ("password", "password"),
};

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::Usage(error.to_string())
}

fn open(config: &Config) -> Result<Vault, Failure> {
    Vault::open(&config.at(&config.vault.path), &key_source(config)?).map_err(usage)
}

/// The connection that is meant: the only one, or the one that is named.
fn the_connection<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a ConnectionConfig, Failure> {
    match config.chosen(name)?.as_slice() {
        [one] => Ok(*one),
        several => {
            let names: Vec<&str> = several.iter().map(|c| c.name.as_str()).collect();
            Err(Failure::Usage(format!(
                "whose credentials? Name one with --connection: {}",
                names.join(", ")
            )))
        }
    }
}

/// Whose credentials, in words, and the set they are kept in.
fn whose(config: &Config, fields: &Fields, connection: Option<&str>) -> Result<(String, SetName), Failure> {
    if fields.system != STORE.system {
        let connection = the_connection(config, connection)?;
        return Ok((connection.name.to_string(), set_name(connection, fields.system)?));
    }
    if connection.is_some() {
        return Err(Failure::Usage(
            "the log is one for all connections: leave out --connection".into(),
        ));
    }
    Ok((config.store.url.clone(), SetName::new(STORE_SET).map_err(usage)?))
}

fn put(
    config: &Config,
    fields: &Fields,
    args: &CredentialsArgs,
    now: DateTime<Utc>,
    out: Out,
) -> Result<u8, Failure> {
    if args.new_key_file.is_some() {
        return Err(Failure::Usage(
            "--new-key-file belongs to `tieout credentials key`".into(),
        ));
    }
    let (whose, set) = whose(config, fields, args.connection.as_deref())?;
    let mut vault = open(config)?;
    let before = match vault.get(&set) {
        Ok(found) => found,
        Err(VaultError::NoSuchSet { .. }) => SecretFields::new(),
        Err(other) => return Err(usage(other)),
    };
    let mut named = SecretFields::new();
    let mut kept = Vec::new();
    let given = [
        (fields.client, &args.client_id, "--client-id"),
        (Some(fields.user), &args.user, "--user"),
    ];
    for (field, given, flag) in given {
        let Some((key, label)) = field else { continue };
        // A rotation is of the secret: who we are stays, unless it is given anew.
        let value = match (given, before.get(key)) {
            (Some(given), _) => SecretString::from(given.trim()),
            (None, Some(held)) => {
                kept.push(label);
                held.clone()
            }
            (None, None) => ask(label, flag, args.secret_stdin, out)?,
        };
        named.insert(key, not_blank(value, label)?);
    }
    let (key, label) = fields.secret;
    let prompt = format!("{label} of {} for `{whose}`: ", fields.system);
    let secret = match given_secret(args.secret_stdin)? {
        Some(secret) => secret,
        None => rpassword::prompt_password(&prompt)
            .map(SecretString::from)
            .map_err(|e| no_terminal(label, &e))?,
    };
    named.insert(key, not_blank(secret, label)?);
    let version = vault.put(&set, &named, now).map_err(usage)?;
    let also = if kept.is_empty() {
        String::new()
    } else {
        format!("; kept as it was: {}", kept.join(", "))
    };
    out.words(&format!(
        "{} credentials of `{whose}` are in the vault, version {version}{also}\n{}",
        fields.system,
        match fields.system {
            "store" =>
                "A running `tieout serve` takes them when it is started again. `tieout doctor` tries them.",
            _ => "A running `tieout serve` takes them with its next cycle. `tieout doctor` tries them.",
        }
    ))?;
    out.document(&json!({
        "connection": (fields.system != "store").then_some(&whose),
        "system": fields.system,
        "version": version,
        "put_at": instant(now),
        "kept": kept,
    }))?;
    Ok(DONE)
}

fn no_terminal(what: &str, error: &io::Error) -> Failure {
    Failure::Usage(format!(
        "no {what}: there is no terminal to ask on ({error}); set {SECRET}, or pipe it in with --secret-stdin"
    ))
}

fn not_blank(value: SecretString, label: &str) -> Result<SecretString, Failure> {
    if value.expose_secret().trim().is_empty() {
        return Err(Failure::Usage(format!(
            "the {label} is blank; nothing was changed"
        )));
    }
    Ok(value)
}

/// Asks for what is no secret, on standard error so that the result stays alone on standard output.
fn ask(label: &str, flag: &str, stdin_is_taken: bool, out: Out) -> Result<SecretString, Failure> {
    let input = io::stdin();
    if stdin_is_taken || !input.is_terminal() {
        return Err(Failure::Usage(format!(
            "the {label} is not known yet: give it with {flag}"
        )));
    }
    out.aside(&format!("{label}?"))?;
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    Ok(SecretString::from(line.trim()))
}

/// A secret from standard input, if that was asked for, else from the environment.
fn given_secret(from_stdin: bool) -> Result<Option<SecretString>, Failure> {
    if !from_stdin {
        return Ok(std::env::var(SECRET).ok().map(SecretString::from));
    }
    secret_from_stdin().map(Some)
}

/// All of standard input, without the end of its line.
pub(super) fn secret_from_stdin() -> Result<SecretString, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|e| Failure::Usage(format!("the secret cannot be read from standard input: {e}")))?;
    Ok(without_line_end(&text))
}

/// `echo` and editors end a line; nothing else is taken off, since blanks may belong to a password.
fn without_line_end(text: &str) -> SecretString {
    let text = text.strip_suffix('\n').unwrap_or(text);
    SecretString::from(text.strip_suffix('\r').unwrap_or(text))
}

/// A new passphrase: from `variable`, else asked twice, because one mistyped would shut the vault for good.
pub(super) fn new_passphrase(prompt: &str, variable: &str) -> Result<SecretString, Failure> {
    if let Ok(value) = std::env::var(variable) {
        return Ok(SecretString::from(value));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(|e| {
                Failure::Usage(format!(
                    "no passphrase: there is no terminal to ask on ({e}); set {variable}"
                ))
            })
    };
    let first = ask(prompt)?;
    if ask("The same again: ")?.expose_secret() != first.expose_secret() {
        return Err(Failure::Usage(
            "the two passphrases differ; nothing was changed".into(),
        ));
    }
    Ok(first)
}

fn rotate_key(config: &Config, args: &CredentialsArgs, now: DateTime<Utc>, out: Out) -> Result<u8, Failure> {
    if args.connection.is_some() {
        return Err(Failure::Usage(
            "the vault has one key, for every connection: leave --connection out".into(),
        ));
    }
    let mut vault = open(config)?;
    let (source, setting, key_file) = match &args.new_key_file {
        Some(path) => {
            let path = std::path::absolute(path)?;
            if in_use(config).is_some_and(|used| same_file(&used, &path)) {
                return Err(Failure::Usage(format!(
                    "{} is the key in use: name another file, the old key is needed until the vault is locked with the new one",
                    path.display()
                )));
            }
            if !path.exists() {
                create_key_file(&path).map_err(usage)?;
            }
            let setting = format!("key_file = {}", toml::Value::from(from_folder(config, &path)));
            (KeySource::File(path.clone()), setting, Some(path))
        }
        None => {
            let passphrase = match given_secret(args.secret_stdin)? {
                Some(given) => given,
                None => new_passphrase("New passphrase of the vault: ", SECRET)?,
            };
            (
                KeySource::Passphrase(not_blank(passphrase, "passphrase")?),
                "passphrase = true".to_owned(),
                None,
            )
        }
    };
    vault.rotate_key(&source, now).map_err(usage)?;
    out.words(&format!(
        "{source} locks {} now (version {} of its key); every secret stayed sealed as it was.\n\
         Say so in tieout.toml, in the place of the old key's line:\n\n  [vault]\n  {setting}\n\n\
         and start `tieout serve` again. The old key still opens old copies of the vault: keep it as long as those, no longer.",
        vault.path().display(),
        vault.key_version()
    ))?;
    out.document(&json!({
        "vault": vault.path(),
        "key_version": vault.key_version(),
        "key_since": instant(vault.key_since()),
        "key_file": key_file,
        "setting": setting,
    }))?;
    Ok(DONE)
}

/// The key file that the configuration names, or means by naming none.
fn in_use(config: &Config) -> Option<PathBuf> {
    let vault = &config.vault;
    match &vault.key_file {
        Some(path) => Some(config.at(path)),
        None if vault.key_env.is_none() && !vault.passphrase => Some(config.at(Path::new("tieout.key"))),
        None => None,
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A path as the configuration would write it: from its own folder, if it lies there.
fn from_folder(config: &Config, path: &Path) -> String {
    let inside = config.folder.canonicalize().ok().and_then(|folder| {
        let path = path.canonicalize().ok()?;
        path.strip_prefix(folder).ok().map(Path::to_path_buf)
    });
    inside.as_deref().unwrap_or(path).display().to_string()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn list(config: &Config, args: &CredentialsArgs, out: Out) -> Result<u8, Failure> {
    let vault = open(config)?;
    let held: Vec<SetInfo> = vault.sets().collect();
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["connection", "system", "version", "put"]);
    let mut sets = Vec::new();
    let mut named = Vec::new();
    for connection in config.chosen(args.connection.as_deref())? {
        for fields in [&EXPENSIFY, &QAD] {
            let set = set_name(connection, fields.system)?;
            let info = held.iter().find(|info| info.name == set);
            let (version, put) = match info {
                Some(info) => (info.version.to_string(), instant(info.put_at)),
                None => (
                    "-".to_owned(),
                    format!("not yet: tieout credentials {}", fields.system),
                ),
            };
            table.add_row([connection.name.as_str(), fields.system, &version, &put]);
            sets.push(json!({
                "connection": connection.name,
                "system": fields.system,
                "set": set,
                "version": info.map(|info| info.version),
                "put_at": info.map(|info| instant(info.put_at)),
            }));
            named.push(set);
        }
    }
    if args.connection.is_none() {
        // The log's and the operators'; and of a connection that is configured no more: not lost, and not silently kept either.
        for info in held.iter().filter(|info| !named.contains(&info.name)) {
            let of_the_log = info.name.as_str() == STORE_SET;
            let of_an_operator = info.name.as_str().starts_with(OPERATOR_SETS);
            table.add_row([
                match (of_the_log, of_an_operator) {
                    (true, _) => "(the log)",
                    (false, true) => "(an operator)",
                    (false, false) => "(none)",
                },
                info.name.as_str(),
                &info.version.to_string(),
                &instant(info.put_at),
            ]);
            sets.push(json!({
                "connection": null,
                "system": of_the_log.then_some(STORE.system),
                "set": info.name,
                "version": info.version,
                "put_at": instant(info.put_at),
            }));
        }
    }
    out.words(&format!(
        "{}, version {} of its key since {}\n\n{table}",
        vault.path().display(),
        vault.key_version(),
        instant(vault.key_since())
    ))?;
    out.document(&json!({
        "vault": vault.path(),
        "key_version": vault.key_version(),
        "key_since": instant(vault.key_since()),
        "sets": sets,
    }))?;
    Ok(DONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_line_is_taken_off_a_secret() {
        let read = |text: &str| without_line_end(text).expose_secret().to_owned();
        assert_eq!(read(" pass word \r\n"), " pass word ");
        assert_eq!(read("pass\n\n"), "pass\n");
        assert_eq!(read("pass"), "pass");
    }

    #[test]
    fn a_blank_secret_is_refused_and_not_repeated() {
        assert!(not_blank(SecretString::from(" \t"), "password").is_err());
        assert!(not_blank(SecretString::from("x"), "password").is_ok());
    }
}
