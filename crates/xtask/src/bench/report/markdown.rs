//! The page: bars first, then ratios, then what was measured.

use std::fmt::Write as _;

use super::super::bars;
use super::super::figures::{Metric, Spread, number};
use super::super::results::Results;
use super::super::subject::programs::REFERENCE;
use super::super::workload::Workload;

/// All of it.
pub(crate) fn page(results: &Results) -> String {
    let mut page = String::new();
    let facts = &results.facts;
    let quick = if results.quick { " (quick: not to be quoted)" } else { "" };
    line(&mut page, &format!("# Benchmarks{quick}\n"));
    line(
        &mut page,
        &format!(
            "Measured on {} at commit {}: {}, {} processors, {} GiB, {}, {}; TCP's congestion control {}; load average before the run {}; {} rounds, {} s.\n",
            facts.date,
            facts.commit,
            facts.cpu,
            facts.processors,
            facts.memory_gib,
            facts.kernel,
            facts.rustc,
            facts.congestion,
            facts.load,
            results.rounds,
            results.took,
        ),
    );
    line(
        &mut page,
        &format!(
            "To repeat it, run `cargo xtask bench --congestion {}`, which writes this page. See also [messages](messages.md) and [TLS](tls.md).\n",
            facts.congestion
        ),
    );
    bars_table(&mut page, results);
    line(&mut page, "![Ratios to the reference](ratios.svg)\n");
    ratios(&mut page, results);
    for workload in Workload::ALL {
        figures(&mut page, results, workload);
    }
    memory(&mut page, results);
    scale(&mut page, results);
    notes(&mut page, results);
    page
}

fn bars_table(page: &mut String, results: &Results) {
    line(page, "## Bars\n\nMedians of the rounds (least–most).\n");
    table(
        page,
        &["what", "against", "measured", "bar", "met"],
        bars::all(results).into_iter().map(|bar| {
            let met = match bar.met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "–",
            };
            vec![bar.what, bar.reference.to_owned(), bar.measured, bar.limit, met.to_owned()]
        }),
    );
}

fn ratios(page: &mut String, results: &Results) {
    line(page, "## Ratios to the reference\n");
    line(page, "Processor time for the same work; 1 is the reference, less is better.\n");
    let workloads = Workload::ALL;
    let names: Vec<_> =
        std::iter::once("program".to_owned()).chain(workloads.map(Workload::name)).collect();
    let heads: Vec<_> = names.iter().map(String::as_str).collect();
    let others = results.subjects.iter().filter(|subject| subject.name != REFERENCE);
    let rows = others.filter_map(|subject| {
        let cells = workloads.map(|workload| {
            let of = (&*workload.name(), subject.name, workload.headline());
            results.figures.ratio(of.0, of.1, REFERENCE, of.2)
        });
        let shown = |cell: &Option<Spread>| {
            cell.map_or_else(|| "–".to_owned(), |ratio| number(ratio.median))
        };
        let row = std::iter::once(subject.name.to_owned()).chain(cells.iter().map(shown));
        cells.iter().any(Option::is_some).then(|| row.collect())
    });
    table(page, &heads, rows);
}

fn figures(page: &mut String, results: &Results, workload: Workload) {
    let name = workload.name();
    let has = |metric: &Metric| {
        results
            .subjects
            .iter()
            .any(|subject| results.figures.of(&name, subject.name, *metric).is_some())
    };
    let metrics: Vec<_> = Metric::ALL.into_iter().filter(has).collect();
    if metrics.is_empty() {
        return;
    }
    line(page, &format!("## Measured: {name}\n"));
    let heads: Vec<_> =
        std::iter::once("program").chain(metrics.iter().map(|metric| metric.name())).collect();
    let rows = results.subjects.iter().filter_map(|subject| {
        let cells: Vec<_> =
            metrics.iter().map(|metric| results.figures.of(&name, subject.name, *metric)).collect();
        cells.iter().any(Option::is_some).then(|| {
            let shown =
                cells.into_iter().map(|cell| cell.map_or_else(|| "–".to_owned(), Spread::shown));
            std::iter::once(subject.name.to_owned()).chain(shown).collect()
        })
    });
    table(page, &heads, rows);
}

fn memory(page: &mut String, results: &Results) {
    if results.memory.is_empty() {
        return;
    }
    line(page, "## Measured: memory\n");
    line(
        page,
        "Private: `Private_Dirty` of all processes, before the first connection. For each session: anonymous \
                memory beyond that, divided by the sessions, before any byte and after 256 KiB each way on every one. \
                The kernel's memory for sockets isn't included.\n",
    );
    let heads = [
        "program",
        "private at start, KiB",
        "resident at start, KiB",
        "sessions",
        "idle session, B",
        "after 256 KiB each way, B",
        "resident then, KiB",
    ];
    table(
        page,
        &heads,
        results.memory.iter().map(|memory| {
            vec![
                memory.subject.clone(),
                memory.private.to_string(),
                memory.resident.to_string(),
                memory.sessions.to_string(),
                number(memory.idle),
                number(memory.after),
                memory.loaded.to_string(),
            ]
        }),
    );
    for message in &results.messages {
        line(
            page,
            &format!(
                "A message of {} MiB in {}: {} CPU s, memory grew by at most {} KiB.\n",
                message.bytes >> 20,
                message.name,
                number(message.cpu.as_secs_f64()),
                message.grown,
            ),
        );
    }
}

fn scale(page: &mut String, results: &Results) {
    if results.scale.is_empty() {
        return;
    }
    line(page, "## Measured: many sessions\n");
    line(
        page,
        "Processor time per byte with the load spread over all sessions, relative to one session that has all of the \
                load.\n\n![Cost of a byte by the number of sessions](sessions.svg)\n",
    );
    table(
        page,
        &["program", "sessions", "ratio"],
        results.scale.iter().map(|point| {
            vec![point.subject.clone(), point.sessions.to_string(), point.ratio.shown()]
        }),
    );
}

fn notes(page: &mut String, results: &Results) {
    line(page, "## How\n");
    line(page, HOW);
    table(
        page,
        &["program", "version", "started as"],
        results.subjects.iter().map(|subject| {
            vec![subject.name.to_owned(), subject.version.clone(), format!("`{}`", subject.command)]
        }),
    );
    for name in &results.missing {
        line(page, &format!("- `{name}` was not found, and is not in the tables."));
    }
    for note in &results.notes {
        line(page, &format!("- {}", note.replace('\n', " ")));
    }
}

fn table(page: &mut String, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    line(page, &format!("| {} |", heads.join(" | ")));
    line(page, &format!("|{}", "---|".repeat(heads.len())));
    for row in rows {
        let cells: Vec<_> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        line(page, &format!("| {} |", cells.join(" | ")));
    }
    page.push('\n');
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a string takes everything");
}

const HOW: &str = "\
The subjects run on processor 0, the load on processor 1. The reference has one thread there, and so have the forwarder \
(without `--threads`, the default), HAProxy and nginx. For memory, all may run on both.

- *The reference* copies between two TCP sockets with tokio, one thread, a buffer of 32 KiB each way.
- *there* is from the client to the destination, *back* the other way. A write has 64 KiB of payload, in WebSocket \
  messages of the stated size, each masked with a separate key; the reference gets the same payload in the same \
  writes, without frames. 2 MiB are in flight.
- *round trip* is 64 B there and back, with one in flight on each session. The load never sleeps.
- *session* is the accept of a client (for WebSocket, with its handshake) and the connection to the destination; 16 \
  clients connect at once, and stay until the processor time has been read.
- Processor time is that of all the subject's threads and children. A ratio is computed in each round, and the median \
  is shown, so that a temporary load on the machine affects both sides of a ratio. Other programs take part in every \
  ninth round.
- TCP's congestion control is the machine's. `cubic`, Linux's default, sends at once; `bbr` paces, and sets a kernel \
  timer for data that it holds back, over loopback too. This costs the programs that send much at once. `--congestion` \
  sets it for a run.
- In the first round, all received data is compared with the sent data, outside the measured time.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_a_row_and_keeps_its_columns() {
        let mut page = String::new();
        table(&mut page, &["a", "b"], [vec!["1|2".to_owned(), "3".to_owned()]].into_iter());
        assert_eq!(page, "| a | b |\n|---|---|\n| 1\\|2 | 3 |\n\n");
    }
}
