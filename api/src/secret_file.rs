//! How is a secret kept in a file? As 32 random bytes in hexadecimal, in a file that only its owner may read.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use zeroize::Zeroizing;

/// Bytes of a secret.
const SECRET: usize = 32;

/// A secret, which is wiped from memory when it is dropped.
pub(crate) type Secret = Zeroizing<[u8; SECRET]>;

/// The secret in a file; nothing where there is no such file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Option<Secret>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    decoded(text.trim()).map(Some).with_context(|| format!("{} holds no key", path.display()))
}

fn decoded(text: &str) -> anyhow::Result<Secret> {
    let digits = text.is_ascii() && text.len() == 2 * SECRET;
    ensure!(digits, "it is not {} hexadecimal digits: bring it back from where it was kept", 2 * SECRET);
    let mut secret = Secret::default();
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)?;
    }
    Ok(secret)
}

/// Makes a secret, and the file for it.
pub(crate) fn make(path: &Path) -> anyhow::Result<Secret> {
    let mut secret = Secret::default();
    getrandom::fill(secret.as_mut())
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    let mut text = Zeroizing::new(secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    text.push('\n');
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(secret)
}
