//! What is known to pass: a line a test file and mode, which may only get better.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// How a file's run ended, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Status {
    Ok,
    /// Ended a process, but the rest could be run in others.
    Crash,
    Hang,
    Memory,
    /// The module does not import.
    Import,
}

const STATUSES: [(Status, &str); 5] = [
    (Status::Ok, "ok"),
    (Status::Crash, "crash"),
    (Status::Hang, "hang"),
    (Status::Memory, "memory"),
    (Status::Import, "import"),
];

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = STATUSES
            .iter()
            .find(|(status, _)| status == self)
            .map_or("?", |(_, name)| name);
        f.write_str(name)
    }
}

/// Counts of one file's tests in one mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub status: Status,
}

impl Outcome {
    /// Whether this is worse than what was known.
    pub fn is_worse_than(&self, known: &Outcome) -> bool {
        self.passed < known.passed || self.status > known.status
    }
}

/// The outcomes by mode and name.
#[derive(Default)]
pub struct Baseline {
    /// Of the suite that was run.
    pub version: String,
    pub outcomes: BTreeMap<(String, String), Outcome>,
}

impl Baseline {
    pub fn read(path: &Path) -> Baseline {
        let mut baseline = Baseline::default();
        for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
            if let Some(version) = line.strip_prefix("# CPython ") {
                baseline.version = version.trim().to_owned();
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, mode, passed, failed, skipped, status] = words[..] else {
                continue;
            };
            let Some((status, _)) = STATUSES.iter().find(|(_, name)| *name == status) else {
                continue;
            };
            if let (Ok(passed), Ok(failed), Ok(skipped)) = (passed.parse(), failed.parse(), skipped.parse()) {
                let outcome = Outcome {
                    passed,
                    failed,
                    skipped,
                    status: *status,
                };
                baseline.outcomes.insert((name.to_owned(), mode.to_owned()), outcome);
            }
        }
        baseline
    }

    /// Takes in what a run gave, but for what is worse than what was known: that stays. Gives the outcomes that were worse, with what is known.
    pub fn raise(
        &mut self,
        finished: impl IntoIterator<Item = ((String, String), Outcome)>,
    ) -> Vec<((String, String), Outcome, Outcome)> {
        let mut worse = Vec::new();
        for (key, outcome) in finished {
            match self.outcomes.get(&key) {
                Some(known) if outcome.is_worse_than(known) => worse.push((key, outcome, *known)),
                _ => drop(self.outcomes.insert(key, outcome)),
            }
        }
        worse
    }

    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut text = format!(
            "# CPython {}\n# Written by `cargo run --release --bin conformance -- --update`.\n# file mode passed failed skipped status\n",
            self.version
        );
        for ((name, mode), outcome) in &self.outcomes {
            text.push_str(&format!(
                "{name} {mode} {} {} {} {}\n",
                outcome.passed, outcome.failed, outcome.skipped, outcome.status
            ));
        }
        std::fs::write(path, text)
    }
}
