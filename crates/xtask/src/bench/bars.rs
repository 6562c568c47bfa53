//! The bars: limits for the cost of the forwarder, and the check that it keeps to them.

use super::figures::{Metric, number};
use super::results::Results;
use super::subject::programs::{REFERENCE, TCP_TCP, TCP_UNIX, UNIX_TCP, WS_TCP};
use super::workload::Workload;

/// One bar with what was measured.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) what: String,
    /// The reference that it is compared with.
    pub(crate) reference: &'static str,
    pub(crate) measured: String,
    pub(crate) limit: String,
    /// `None`: it was not measured.
    pub(crate) met: Option<bool>,
}

/// All of them.
pub(crate) fn all(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    let bulk = |what: &str, workload: Workload, subject: &str, limit| {
        ratio(results, what, workload, subject, Metric::CpuPerGb, limit)
    };
    bars.push(bulk("client→tcp, 64 KiB frames, CPU/GB", Workload::There(64 << 10), WS_TCP, 1.15));
    bars.push(bulk("client→tcp, 16 KiB frames, CPU/GB", Workload::There(16 << 10), WS_TCP, 1.15));
    bars.push(bulk("client→tcp, 1 KiB frames, CPU/GB", Workload::There(1 << 10), WS_TCP, 1.25));
    bars.push(bulk(
        "client→tcp, 64 B frames back to back, CPU/GB",
        Workload::There(64),
        WS_TCP,
        2.0,
    ));
    bars.push(bulk("tcp→client, CPU/GB", Workload::Back, WS_TCP, 1.1));
    for (name, subject) in [("tcp→tcp", TCP_TCP), ("tcp→unix", TCP_UNIX), ("unix→tcp", UNIX_TCP)]
    {
        bars.push(bulk(&format!("{name} there, CPU/GB"), Workload::There(64 << 10), subject, 0.85));
        bars.push(bulk(&format!("{name} back, CPU/GB"), Workload::Back, subject, 0.85));
    }
    for count in [1, 100] {
        for (metric, name) in [(Metric::Median, "p50"), (Metric::CpuEach, "CPU")] {
            let what = format!("64 B round trip, {}, ws, {name}", sessions(count));
            bars.push(ratio(results, &what, Workload::Trips(count), WS_TCP, metric, 1.1));
        }
    }
    bars.extend(memory(results));
    let what = "accepted and forwarded ws session, CPU each";
    bars.push(ratio(results, what, Workload::Sessions, WS_TCP, Metric::CpuEach, 3.5));
    bars.extend(messages(results));
    bars.push(flat(results));
    bars
}

fn ratio(
    results: &Results,
    what: &str,
    workload: Workload,
    subject: &str,
    metric: Metric,
    limit: f64,
) -> Bar {
    let found = results.figures.ratio(&workload.name(), subject, REFERENCE, metric);
    Bar {
        what: what.to_owned(),
        reference: "the reference",
        measured: found.map_or_else(missing, |found| format!("{} ×", found.shown())),
        limit: format!("≤ {limit} ×"),
        met: found.map(|found| found.median <= limit),
    }
}

fn memory(results: &Results) -> Vec<Bar> {
    let ours = results.memory.iter().find(|memory| memory.subject == WS_TCP);
    let count = ours.map_or(0, |ours| ours.sessions);
    let bar = |what: String, found: Option<f64>, limit: f64, unit: &str| Bar {
        what,
        reference: "–",
        measured: found.map_or_else(missing, |found| format!("{} {unit}", number(found))),
        limit: format!("≤ {limit} {unit}"),
        met: found.map(|found| found <= limit),
    };
    vec![
        bar(
            format!("idle ws→tcp session at {count}, user memory"),
            ours.map(|m| m.idle / 1e3),
            3.0,
            "kB",
        ),
        bar(
            format!("the same after 256 KiB each way, at {count}"),
            ours.map(|m| m.after / 1e3),
            3.0,
            "kB",
        ),
        bar(
            "private memory at the start".to_owned(),
            ours.map(|m| m.private as f64 * 1.024),
            600.0,
            "kB",
        ),
    ]
}

fn messages(results: &Results) -> Vec<Bar> {
    let bar = |message: &super::memory::Message| Bar {
        what: format!(
            "a message of {} MiB in {}, growth of memory",
            message.bytes >> 20,
            message.name
        ),
        reference: "before it",
        measured: format!("{} kB", number(message.grown as f64 * 1.024)),
        limit: format!("flat (≤ {FLAT} kB)"),
        met: Some(message.grown <= FLAT),
    };
    results.messages.iter().map(bar).collect()
}

fn flat(results: &Results) -> Bar {
    let ours: Vec<_> = results.scale.iter().filter(|point| point.subject == WS_TCP).collect();
    let most = ours.iter().map(|point| point.ratio.median).fold(f64::NAN, f64::max);
    let last = ours.last().map_or(0, |point| point.sessions);
    Bar {
        what: format!("CPU per byte, 1 to {last} sessions, the worst"),
        reference: "1 session",
        measured: if ours.is_empty() { missing() } else { format!("{} ×", number(most)) },
        limit: "≤ 1.2 ×".to_owned(),
        met: (!ours.is_empty()).then_some(most <= 1.2),
    }
}

fn sessions(count: usize) -> String {
    if count == 1 { "1 session".to_owned() } else { format!("{count} sessions") }
}

fn missing() -> String {
    "not measured".to_owned()
}

/// KiB that memory may grow by and still be flat: a few buffers, and nothing like a message.
const FLAT: u64 = 256;
