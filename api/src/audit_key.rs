//! What signs the audit log? A secret of 32 random bytes in a file that only its owner may read, made where there is none yet.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use engine::Store;
use triage::audit::{CHECKPOINTS, Signer};

use crate::settings::Global;

/// Bytes of the secret.
const SECRET: usize = 32;

/// The file with the key of a desk.
fn path(global: &Global) -> PathBuf {
    global.data.join(global.tenant.as_str()).join("audit.key")
}

/// The desk's signer; its key is made when nothing was signed yet.
pub(crate) fn signer(global: &Global, store: &Store) -> anyhow::Result<Signer> {
    let path = path(global);
    let secret = match fs::read_to_string(&path) {
        Ok(text) => read(&text).with_context(|| format!("{} holds no key", path.display()))?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            ensure!(
                store.items(CHECKPOINTS, None, "", 1)?.is_empty(),
                "the key that signed this desk's audit log is not here: bring {} back from where the desk was before",
                path.display()
            );
            make(&path)?
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    Ok(Signer::new(&format!("triagraph/{}", global.tenant), &secret)?)
}

fn read(text: &str) -> anyhow::Result<[u8; SECRET]> {
    let text = text.trim();
    let digits = text.is_ascii() && text.len() == 2 * SECRET;
    ensure!(digits, "it is not {} hexadecimal digits: bring it back from where it was kept", 2 * SECRET);
    let mut secret = [0; SECRET];
    for (at, byte) in secret.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16)?;
    }
    Ok(secret)
}

fn make(path: &Path) -> anyhow::Result<[u8; SECRET]> {
    let mut secret = [0; SECRET];
    getrandom::fill(&mut secret)
        .map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    Ok(secret)
}
