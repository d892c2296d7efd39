//! The fuzzer's way to the law `regex_lines`.

#![no_main]

#[path = "../laws/mod.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::hold("regex_lines", bytes));
