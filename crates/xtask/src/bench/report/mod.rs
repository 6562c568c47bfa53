//! The results, for people and for programs.

pub(crate) mod markdown;
pub(crate) mod svg;

use serde_json::{Value, json};

use super::bars;
use super::results::Results;

/// Every figure of every round.
pub(crate) fn json(results: &Results) -> String {
    let facts = &results.facts;
    let figures: Vec<Value> = results
        .figures
        .iter()
        .map(|(workload, subject, metric, rounds)| {
            json!({ "workload": workload, "subject": subject, "metric": metric.name(), "rounds": rounds })
        })
        .collect();
    let memory = results.memory.iter().map(|memory| {
        json!({
            "subject": memory.subject, "sessions": memory.sessions, "private KiB": memory.private,
            "resident KiB": memory.resident, "idle B": memory.idle, "after B": memory.after,
            "loaded KiB": memory.loaded,
        })
    });
    let messages = results.messages.iter().map(|message| {
        json!({
            "name": message.name, "bytes": message.bytes, "grown KiB": message.grown,
            "CPU s": message.cpu.as_secs_f64(),
        })
    });
    let scale = results.scale.iter().map(|point| {
        json!({ "subject": point.subject, "sessions": point.sessions, "ratio": point.ratio.median })
    });
    let bars = bars::all(results);
    let bars = bars.iter().map(|bar| {
        json!({ "what": bar.what, "measured": bar.measured, "bar": bar.limit, "met": bar.met })
    });
    let all = json!({
        "date": facts.date, "cpu": facts.cpu, "kernel": facts.kernel, "commit": facts.commit, "quick": results.quick,
        "bars": bars.collect::<Vec<_>>(), "figures": figures, "memory": memory.collect::<Vec<_>>(),
        "messages": messages.collect::<Vec<_>>(), "scale": scale.collect::<Vec<_>>(), "notes": results.notes,
    });
    format!("{all:#}\n")
}
