//! An exported diary, as JSON or as the text of a QR code. What was read survives both forms.

#![no_main]

use chikaku_core::diary::DiaryRules;
use chikaku_core::diary::export::DiaryExport;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _table = DiaryRules::read(text);
    let read = DiaryExport::from_qr_text(text).or_else(|_| DiaryExport::from_json(text));
    let Ok(export) = read else { return };
    assert_eq!(DiaryExport::from_json(&export.to_json()).expect("we wrote it"), export);
    assert_eq!(DiaryExport::from_qr_text(&export.to_qr_text()).expect("we wrote it"), export);
});
