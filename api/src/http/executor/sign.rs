//! How does the executor know that it is the desk who speaks? By a signature after Standard Webhooks, made with a secret that both have.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of one.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What the desk and its executor share.
#[derive(Clone)]
pub(crate) struct Secret(hmac::Key);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// Reads a secret: `whsec_` and 24 to 64 bytes in base64.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "the executor's secret is {PREFIX} and {} to {} random bytes in base64: `echo {PREFIX}$(openssl rand -base64 32)` makes one",
                BYTES.start(),
                BYTES.end()
            )
        };
        let text = text.trim().strip_prefix(PREFIX).ok_or_else(wrong)?;
        let bytes = BASE64_STANDARD.decode(text).ok().filter(|bytes| BYTES.contains(&bytes.len()));
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes.ok_or_else(wrong)?)))
    }

    /// The header `webhook-signature`: over id, moment in seconds and body.
    pub(super) fn signature(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example that its libraries are tested with.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_a_real_secret_is_taken_and_it_is_never_shown() {
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64!"]
        {
            let said = Secret::new(wrong).unwrap_err();
            assert!(
                said.contains("openssl rand") && (wrong.len() < 7 || !said.contains(&wrong[6..])),
                "{said}"
            );
        }
        let secret = Secret::new(" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
