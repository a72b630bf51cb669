//! What does a `traceparent` say? W3C Trace Context, read strictly and written in version 00.
//!
//! Source: W3C Recommendation "Trace Context", section 3.2.

use std::fmt::{self, Display};
use std::str::FromStr;

/// The flag that says that the caller keeps this trace.
const SAMPLED: u8 = 1;
/// Characters of version 00.
const LENGTH: usize = 55;

/// The place of a span in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// The trace; never 0.
    pub(crate) trace: u128,
    /// The span; never 0.
    pub(crate) span: u64,
    flags: u8,
}

impl TraceContext {
    /// The first span of a trace of its own.
    pub(crate) fn root() -> Self {
        Self { trace: fastrand::u128(1..), span: fastrand::u64(1..), flags: SAMPLED }
    }

    /// A span below this one.
    pub(crate) fn child(self) -> Self {
        Self { span: fastrand::u64(1..), ..self }
    }

    /// Whether the trace is kept.
    pub(crate) fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The trace as a correlation id.
    pub(crate) fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

/// A `traceparent` that is not one: it is left aside, as the standard asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoContext;

impl FromStr for TraceContext {
    type Err = NoContext;

    fn from_str(text: &str) -> Result<Self, NoContext> {
        let text = text.trim();
        let hex = |part: &str, length: usize| {
            let is_hex = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            u128::from_str_radix(part, 16).ok().filter(|_| is_hex && part.len() == length)
        };
        let mut parts = text.split('-');
        let mut part = |length| parts.next().and_then(|part| hex(part, length)).ok_or(NoContext);
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        // A later version may say more behind its flags; this one may not.
        let is_whole = text.len() == LENGTH || version > 0;
        if version == 0xff || trace == 0 || span == 0 || !is_whole {
            return Err(NoContext);
        }
        let (Ok(span), Ok(flags)) = (u64::try_from(span), u8::try_from(flags)) else { return Err(NoContext) };
        Ok(Self { trace, span, flags: flags & SAMPLED })
    }
}

impl Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_written_is_read_again() {
        let context: TraceContext = GIVEN.parse().unwrap();
        assert_eq!(context.to_string(), GIVEN);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.is_sampled());
        let child = context.child();
        assert_eq!(child.to_string().parse(), Ok(child));
        assert!(child.trace == context.trace && child.span != context.span);
        let root = TraceContext::root();
        assert_eq!(root.to_string().parse(), Ok(root));
    }

    #[test]
    fn what_is_no_context_is_left_aside() {
        let later = format!("cc{}-what-comes", &GIVEN[2..]);
        assert_eq!(later.parse::<TraceContext>().unwrap().to_string(), GIVEN);
        let unsampled = format!("{}00", &GIVEN[..53]);
        assert!(!unsampled.parse::<TraceContext>().unwrap().is_sampled());
        let wrong = [
            String::new(),
            "00".to_owned(),
            format!("{GIVEN}-more"),
            GIVEN.to_uppercase(),
            format!("ff{}", &GIVEN[2..]),
            GIVEN.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GIVEN.replace("b7ad6b7169203331", &"0".repeat(16)),
            GIVEN.replace("b7ad6b7169203331", "+7ad6b7169203331"),
            GIVEN.replace('-', "_"),
        ];
        for text in wrong {
            assert_eq!(text.parse::<TraceContext>(), Err(NoContext), "{text}");
        }
    }
}
