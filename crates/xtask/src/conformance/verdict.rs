//! The results of the testsuite, and the known ones with their reasons.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Role;
use crate::Failure;

/// Cases that aren't OK, and why that is as it should be.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) cases: &'static [&'static str],
    pub(super) grade: Grade,
    pub(super) roles: &'static [Role],
    /// Set if it depends on timing: then they may be OK, too.
    pub(super) races: bool,
    pub(super) why: &'static str,
}

/// Every such case. One that is OK after all has to leave the list.
pub(super) const KNOWN: &[Known] = &[
    Known {
        cases: &["3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15"],
        grade: Grade::NonStrict,
        roles: &[Role::Through],
        races: true,
        why: "a good message and a forbidden frame come at once. We fail the connection as soon as we see that \
              (RFC 6455 section 7.1.7), and the message's echo is still on its way from the server behind us; so it is \
              a few more or less of them from run to run",
    },
    Known {
        cases: &["7.1.6"],
        grade: Grade::Informational,
        roles: &Role::ALL,
        races: false,
        why: "never judged: a message of 256 KiB, a Close and a ping, to see whether the message comes back",
    },
    Known {
        cases: &["7.13.1", "7.13.2"],
        grade: Grade::Informational,
        roles: &Role::ALL,
        races: false,
        why: "never judged: a Close with a code that RFC 6455 doesn't define, 5000 or 65535. We answer with 1002",
    },
];

/// A case that ran.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) role: Role,
    /// `12.1.3`, as numbers, for the order.
    pub(super) number: Vec<u32>,
    pub(super) grade: Grade,
    /// The testsuite's own text.
    pub(super) words: String,
}

/// The grade of a result.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Grade {
    Ok,
    NonStrict,
    Informational,
    Unimplemented,
    Failed,
}

impl Grade {
    pub(super) const ALL: [Self; 5] =
        [Self::Ok, Self::NonStrict, Self::Informational, Self::Unimplemented, Self::Failed];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NonStrict => "non-strict",
            Self::Informational => "informational",
            Self::Unimplemented => "unimplemented",
            Self::Failed => "failed",
        }
    }

    /// An unknown result is a failure: "FAILED BY CLIENT", "WRONG CODE", "UNCLEAN".
    fn of(words: &str) -> Self {
        match words {
            "OK" => Self::Ok,
            "NON-STRICT" => Self::NonStrict,
            "INFORMATIONAL" => Self::Informational,
            "UNIMPLEMENTED" => Self::Unimplemented,
            _ => Self::Failed,
        }
    }
}

impl Case {
    pub(super) fn id(&self) -> String {
        self.number.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
    }

    /// Why it isn't OK.
    pub(super) fn known(&self) -> Option<&'static Known> {
        self.listed().filter(|known| known.grade == self.grade)
    }

    fn listed(&self) -> Option<&'static Known> {
        let id = self.id();
        KNOWN.iter().find(|known| known.cases.contains(&&*id) && known.roles.contains(&self.role))
    }
}

/// The cases of a report.
pub(super) fn read(role: Role, index: &Path) -> Result<Vec<Case>, Failure> {
    let text =
        fs::read_to_string(index).map_err(|error| format!("{}: {error}", index.display()))?;
    cases(role, &text).ok_or_else(|| format!("{} is no report", index.display()))
}

/// Returns the failures of these cases, a line each.
pub(super) fn complaints(cases: &[Case]) -> Vec<String> {
    if cases.is_empty() {
        return vec!["no case ran".to_owned()];
    }
    let bad = cases.iter().filter(|case| case.grade != Grade::Ok && case.known().is_none());
    let bad = bad.map(|case| format!("{} {}: {}", case.role, case.id(), case.words));
    let stale = cases
        .iter()
        .filter(|case| case.grade == Grade::Ok && case.listed().is_some_and(|known| !known.races));
    let stale = stale.map(|case| {
        format!("{} {} is OK: take it from the list of those that aren't", case.role, case.id())
    });
    bad.chain(stale).collect()
}

fn cases(role: Role, report: &str) -> Option<Vec<Case>> {
    let report: BTreeMap<String, BTreeMap<String, Value>> = match serde_json::from_str(report) {
        Ok(report) => report,
        Err(_) => return None,
    };
    let case = |(id, found): (&String, &Value)| {
        let number: Result<Vec<u32>, _> = id.split('.').map(str::parse).collect();
        let (behavior, close) = (found["behavior"].as_str()?, found["behaviorClose"].as_str()?);
        let grade = match (Grade::of(behavior), Grade::of(close)) {
            // Nothing is closed as a case expects that wasn't run.
            (Grade::Unimplemented, _) => Grade::Unimplemented,
            (behavior, close) => behavior.max(close),
        };
        let words = format!("{behavior}, its end {close}, close code {}", found["remoteCloseCode"]);
        Some(Case { role, number: number.ok()?, grade, words })
    };
    report.values().flatten().map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: &str, behavior: &str, close: &str) -> Vec<Case> {
        let text = format!(
            r#"{{"us": {{"{id}": {{"behavior": "{behavior}", "behaviorClose": "{close}", "remoteCloseCode": 1000}}}}}}"#
        );
        cases(Role::Server, &text).unwrap()
    }

    #[test]
    fn only_what_is_ok_or_known_passes() {
        assert_eq!(complaints(&report("1.1.1", "OK", "OK")), [] as [&str; 0]);
        assert_eq!(complaints(&report("7.1.6", "INFORMATIONAL", "INFORMATIONAL")), [] as [&str; 0]);
        for (id, behavior, close) in [
            ("1.1.1", "FAILED", "OK"),
            ("1.1.1", "OK", "UNCLEAN"),
            ("1.1.1", "OK", "FAILED BY CLIENT"),
            ("1.1.1", "NON-STRICT", "OK"),
            ("1.1.1", "UNIMPLEMENTED", "OK"),
            ("1.1.1", "NEVER HEARD OF", "OK"),
            // Known to be informational, not to fail.
            ("7.1.6", "FAILED", "OK"),
            // Better than is known.
            ("7.1.6", "OK", "OK"),
        ] {
            let cases = report(id, behavior, close);
            assert_eq!(complaints(&cases).len(), 1, "{cases:?}");
        }
        assert_eq!(complaints(&[]).len(), 1);
    }

    #[test]
    fn what_is_no_report_is_seen() {
        for text in ["", "[]", r#"{"us": {"1.1": {}}}"#, r#"{"us": {"x": {"behavior": "OK"}}}"#] {
            assert!(cases(Role::Client, text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_case_is_listed_once_a_role() {
        for role in Role::ALL {
            let known = KNOWN.iter().filter(|known| known.roles.contains(&role));
            let cases: Vec<_> = known.flat_map(|known| known.cases).collect();
            for (at, case) in cases.iter().enumerate() {
                assert!(!cases[..at].contains(case), "{role} {case} is there twice");
            }
        }
        assert!(KNOWN.iter().all(|known| known.grade != Grade::Ok && known.why.len() > 20));
    }
}
