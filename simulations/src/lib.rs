//! Thousands of real nodes in virtual time.
