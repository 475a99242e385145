//! The fuzz target `statement` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starfish_fuzz::run("statement", bytes));
