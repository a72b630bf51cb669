//! How does a small document of another server get here? Once, as it is, within a size and a time.

use std::io;
use std::time::Duration;

use ureq::Agent;

/// Gets a document. No redirect is followed and no proxy asked, so that what answers is what was named.
///
/// # Errors
/// When the server cannot be reached, answers with another status than 200, sends more than `most_bytes`, or takes longer than `wait`.
pub fn fetch(url: &str, most_bytes: u64, wait: Duration) -> io::Result<Vec<u8>> {
    let config = Agent::config_builder()
        .timeout_global(Some(wait))
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(true)
        .user_agent(concat!("triagraph/", env!("CARGO_PKG_VERSION")))
        .build();
    let failed = |error: ureq::Error| io::Error::other(format!("{url}: {error}"));
    let answer = Agent::new_with_config(config).get(url).call().map_err(failed)?;
    answer.into_body().into_with_config().limit(most_bytes).read_to_vec().map_err(failed)
}
