//! What seals the values that were hidden from language models? A secret in a file of the desk's folder, or where the environment says.

use std::path::PathBuf;

use anyhow::ensure;
use engine::Store;
use triage::vault::Vault;

use crate::secret_file;
use crate::settings::Global;

/// The variable that names another file: on a medium of its own, or one that a secrets manager mounts.
const FILE: &str = "TRIAGRAPH_VAULT_KEY_FILE";

/// The desk's vault; its key is made when nothing was sealed yet.
pub(crate) fn vault(global: &Global, store: &Store) -> anyhow::Result<Vault> {
    let own = || global.data.join(global.tenant.as_str()).join("vault.key");
    let path = std::env::var_os(FILE).map_or_else(own, PathBuf::from);
    let secret = match secret_file::read(&path)? {
        Some(secret) => secret,
        None => {
            ensure!(
                !Vault::has_sealed(store)?,
                "the key that sealed what was hidden on this desk is not here: bring {0} back from where it was before, or name its file in \
                 {FILE}. Where it is lost for good, `(umask 077; openssl rand -hex 32 > {0})` makes another: what was sealed stays shut until \
                 its tickets are triaged again",
                path.display()
            );
            secret_file::make(&path)?
        }
    };
    let draw = || {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).ok().map(|()| nonce)
    };
    Ok(Vault::new(global.tenant.clone(), &secret, draw))
}
