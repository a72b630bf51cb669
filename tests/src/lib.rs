//! Harness of the tests that drive the binary.
