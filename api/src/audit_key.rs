//! What signs the audit log? A secret in a file of the desk's folder, made where there is none yet.

use anyhow::ensure;
use engine::Store;
use triage::audit::{CHECKPOINTS, Signer};

use crate::secret_file;
use crate::settings::Global;

/// The desk's signer; its key is made when nothing was signed yet.
pub(crate) fn signer(global: &Global, store: &Store) -> anyhow::Result<Signer> {
    let path = global.data.join(global.tenant.as_str()).join("audit.key");
    let secret = match secret_file::read(&path)? {
        Some(secret) => secret,
        None => {
            ensure!(
                store.items(CHECKPOINTS, None, "", 1)?.is_empty(),
                "the key that signed this desk's audit log is not here: bring {} back from where the desk was before",
                path.display()
            );
            secret_file::make(&path)?
        }
    };
    Ok(Signer::new(&format!("triagraph/{}", global.tenant), &secret)?)
}
