//! `unsafe` stands only in the matching kernels, and every block says why it is sound.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_the_kernels_are_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut allowing = 0;
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap();
        let allows = text.contains("allow(unsafe_code");
        assert!(!text.contains("expect(unsafe_code"), "{name:?}");
        assert!(!allows || name.starts_with("matching/kernel"), "{name:?} allows unsafe code");
        allowing += usize::from(allows);
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            if line.contains("unsafe {") {
                let before = &lines[number.saturating_sub(4)..number];
                let argued = before.iter().any(|line| line.contains("SAFETY:"));
                assert!(argued, "{name:?} line {}: no safety argument", number + 1);
            }
        }
    }
    assert!(allowing >= 3, "{allowing} files allow unsafe code: nothing was read");
}
