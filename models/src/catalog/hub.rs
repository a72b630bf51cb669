//! How do a model's files come from a model hub?

use std::io;
use std::path::Path;
use std::time::Duration;

use ureq::Agent;

use super::{CatalogEntry, CatalogError};

/// A server that does not answer within this is taken for gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Long enough for the largest file of the catalog over a slow line.
const FILE_TIMEOUT: Duration = Duration::from_secs(1800);

impl CatalogEntry {
    /// Downloads the model from a hub into `folder`, which appears whole or not at all.
    ///
    /// A file lies at `{base}/{repository}/resolve/{revision}/{file}`, as on the usual hubs and their mirrors. What
    /// `folder` held before is replaced.
    ///
    /// # Errors
    /// When the hub cannot be reached or does not have the file, when a file differs, or when writing fails.
    pub fn install_from_hub(
        &self,
        base: &str,
        repository: &str,
        revision: &str,
        folder: &Path,
    ) -> Result<(), CatalogError> {
        let config = Agent::config_builder()
            .timeout_connect(Some(ANSWER_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_global(Some(FILE_TIMEOUT))
            .user_agent(concat!("triagraph/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::new_with_config(config);
        self.install(folder, |file, target| {
            let url = format!("{}/{repository}/resolve/{revision}/{}", base.trim_end_matches('/'), file.name);
            let asked = agent.get(&url).call();
            let answer = asked.map_err(|error| io::Error::other(format!("{url}: {error}")))?;
            // One byte more than allowed is enough to be found out.
            let mut body = answer.into_body().into_with_config().limit(file.bytes + 1).reader();
            io::copy(&mut body, target).map(drop)
        })
    }
}
