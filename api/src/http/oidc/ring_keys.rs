//! What checks the signatures of tokens? `ring`, which TLS brings along, behind `jsonwebtoken`. Nothing is signed here.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// Checks, and does not sign.
pub(super) static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn no_signer(_algorithm: &Algorithm, _key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Checked { algorithm: *algorithm, key: key.clone() }))
}

/// A key, and what it is used for.
struct Checked {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Checked {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl ::signature::Verifier<Vec<u8>> for Checked {
    fn verify(&self, message: &[u8], signed: &Vec<u8>) -> Result<(), ::signature::Error> {
        let is_right = match self.algorithm {
            Algorithm::RS256 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA256, message, signed),
            Algorithm::RS384 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA384, message, signed),
            Algorithm::RS512 => self.rsa(&signature::RSA_PKCS1_2048_8192_SHA512, message, signed),
            Algorithm::PS256 => self.rsa(&signature::RSA_PSS_2048_8192_SHA256, message, signed),
            Algorithm::PS384 => self.rsa(&signature::RSA_PSS_2048_8192_SHA384, message, signed),
            Algorithm::PS512 => self.rsa(&signature::RSA_PSS_2048_8192_SHA512, message, signed),
            Algorithm::ES256 => self.point(&signature::ECDSA_P256_SHA256_FIXED, message, signed),
            Algorithm::ES384 => self.point(&signature::ECDSA_P384_SHA384_FIXED, message, signed),
            Algorithm::EdDSA => self.point(&signature::ED25519, message, signed),
            // Those with a shared secret, and what may come.
            _ => false,
        };
        if is_right { Ok(()) } else { Err(::signature::Error::new()) }
    }
}

impl Checked {
    fn rsa(&self, parameters: &'static RsaParameters, message: &[u8], signed: &[u8]) -> bool {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.key.kind() else { return false };
        RsaPublicKeyComponents { n, e }.verify(parameters, message, signed).is_ok()
    }

    fn point(&self, parameters: &'static dyn VerificationAlgorithm, message: &[u8], signed: &[u8]) -> bool {
        let Ok(key) = self.key.try_get_as_bytes() else { return false };
        UnparsedPublicKey::new(parameters, key).verify(message, signed).is_ok()
    }
}
