//! What a host does about key files: list, fetch, hand over, and never lose one.

use chikaku_core::engine::{Input, KeyFile};

use super::World;
use crate::scenario::Defence;

/// How long a process that died by itself stays away.
const RESTART_SECONDS: u32 = 3600;

impl World<'_> {
    /// One run: every file that is listed and not done is fetched and handed to the engine.
    pub(super) fn download(&mut self, phone: usize) {
        let isolates = self.has(Defence::FileIsolation);
        let cursor_moves_late = self.has(Defence::AtomicCursor);
        let process = self.phones[phone].process_number;
        let listed: Vec<_> = (0..self.server.files().len())
            .filter(|number| !self.phones[phone].files_done.contains(number))
            .collect();
        if listed.is_empty() {
            return;
        }
        let fails = self.phones[phone].downloads_fail > 0;
        let lost = |number: &&usize| fails || self.server.files()[**number].lost;
        let missing = listed.iter().filter(lost).count();
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let (listed_files, missing) = (count(listed.len()), count(missing));
        // The engine knows of nothing missing and nothing refused; it need not hear so again.
        if missing > 0 || self.phones[phone].last_run_failed {
            self.tell(phone, Input::FilesListed { listed: listed_files, missing });
        }
        self.phones[phone].last_run_failed = missing > 0;

        for number in listed {
            if !cursor_moves_late {
                self.phones[phone].files_done.insert(number);
            }
            let file = &self.server.files()[number];
            if fails || file.lost {
                if isolates {
                    continue;
                }
                return;
            }
            let bytes = file.bytes.clone();
            self.phones[phone].bytes += bytes.len() as u64;
            if core::mem::take(&mut self.phones[phone].dies_in_download) {
                self.kill(phone, self.now.saturating_add(RESTART_SECONDS));
                return;
            }
            let source = format!("file {number}");
            let refused_before = self.refused_files.len();
            let file = KeyFile { bytes: &bytes, cursor: Some((&source, 1)) };
            self.tell(phone, Input::KeyFile(file));
            let refused = self.refused_files.len() > refused_before;
            self.phones[phone].last_run_failed |= refused;
            if refused && !isolates {
                return;
            }
            if refused || self.phones[phone].has_matched(&source) {
                self.phones[phone].files_done.insert(number);
            }
            if self.phones[phone].process_number != process {
                return;
            }
        }
    }
}
