//! `cargo xtask bench --tls`: the cost of TLS in front of a TCP destination, compared with other programs that
//! terminate it, and with no TLS at all.
//!
//! 1. [`measure`] does the rounds, all subjects interleaved, and then the memory of each.
//! 2. [`bars`] puts the forwarder against what it may cost.
//! 3. [`page`] shows it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use ::tests::procfs;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::figures::{Figures, Metric, Sample, Spread, number};
use super::load::end::Lane;
use super::load::wire::WRITE;
use super::machine::{Facts, version};
use super::memory::{self, Memory};
use super::subject::Subject;
use super::subject::programs::{Mode, Program, REFERENCE, TCP_TCP};
use super::subject::terminators::{HAPROXY, TLS_TCP};
use super::workload::Workload;
use crate::{Failure, root};

/// Measures everything, and writes docs/benchmarks/tls.md.
pub(super) fn run(
    programs: &[Program],
    missing: &[&str],
    rounds: usize,
    facts: &Facts,
) -> Result<(), Failure> {
    let found = measure(programs, rounds)?;
    let page = page(&found, programs, missing, facts)?;
    print!("{page}");
    let file = root().join("docs/benchmarks/tls.md");
    std::fs::write(&file, page).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("written to {}", file.display());
    Ok(())
}

/// All that was found.
#[derive(Default)]
struct Found {
    rounds: usize,
    figures: Figures,
    memory: Vec<Memory>,
    notes: Vec<String>,
}

/// One thing to do.
#[derive(Clone, Copy)]
enum Task {
    Common(Workload),
    /// Connections, each with a byte there and back, and then reset; resumed or not.
    Connections(bool),
}

impl Task {
    const ALL: [Self; 6] =
        [UP, DOWN, Self::Connections(false), Self::Connections(true), ONE, HUNDRED];

    fn name(self) -> String {
        match self {
            Self::Common(workload) => workload.name(),
            Self::Connections(false) => "connections, full handshakes".to_owned(),
            Self::Connections(true) => "connections, resumed".to_owned(),
        }
    }
}

const UP: Task = Task::Common(Workload::There(WRITE));
const DOWN: Task = Task::Common(Workload::Back);
const ONE: Task = Task::Common(Workload::Trips(1));
const HUNDRED: Task = Task::Common(Workload::Trips(100));
const FULL: Task = Task::Connections(false);
const RESUMED: Task = Task::Connections(true);

fn measure(programs: &[Program], rounds: usize) -> Result<Found, Failure> {
    let mut found = Found { rounds, ..Found::default() };
    let mut running = Vec::new();
    for program in programs {
        running.push((program, program.start(Mode::Pinned)?));
    }
    let mut failed = Vec::new();
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        found.figures.add(AES, AES, round, vec![(Metric::CpuPerGb, aes()?)]);
        for task in Task::ALL {
            for (program, subject) in &mut running {
                let name = (task.name(), program.name);
                if failed.contains(&name) {
                    continue;
                }
                let sample = match task {
                    Task::Common(workload) => workload.measure(subject, false, TIME, round == 0),
                    Task::Connections(resume) => {
                        // There is nothing to resume without TLS; it is the same for both.
                        let resume = resume && program.name != REFERENCE && program.name != TCP_TCP;
                        connections(subject, resume)
                    }
                };
                match sample {
                    Ok(sample) => found.figures.add(&name.0, name.1, round, sample),
                    Err(why) if program.is_needed() => {
                        return Err(format!("{}, {}: {why}", name.1, name.0));
                    }
                    Err(why) => {
                        found.notes.push(format!("{}, {}: {why}", name.1, name.0));
                        found.figures.forget(&name.0, name.1);
                        failed.push(name);
                        *subject = program.start(Mode::Pinned)?;
                    }
                }
            }
        }
        running.reverse();
    }
    drop(running);
    for program in programs {
        println!("memory: {}", program.name);
        match memory::measure(program, SESSIONS) {
            Ok(memory) => found.memory.push(memory),
            Err(why) => found.notes.push(format!("memory, {}: {why}", program.name)),
        }
    }
    Ok(found)
}

/// Opens one connection after another, each with a byte there and back.
fn connections(subject: &mut Subject, resume: bool) -> Result<Sample, Failure> {
    // The first one gets a ticket.
    connection(subject, resume)?;
    let start = Instant::now();
    let (count, cpu) = subject.spent(|subject| {
        let mut count = 0_u32;
        while start.elapsed() < TIME {
            if connection(subject, resume)? != resume {
                return Err("the session is not resumed".to_owned());
            }
            count += 1;
        }
        Ok(count)
    })?;
    Ok(vec![
        (Metric::CpuEach, cpu.as_secs_f64() * 1e6 / f64::from(count)),
        (Metric::PerSecond, f64::from(count) / start.elapsed().as_secs_f64()),
    ])
}

/// Returns `true` if the session was resumed.
fn connection(subject: &Subject, resume: bool) -> Result<bool, Failure> {
    let Lane { mut near, mut far } = subject.open_as(resume)?;
    let mut buffer = [0; 4096];
    near.send_all(b"x")?;
    far.await_payload(&mut buffer)?;
    // Tickets may come with it.
    far.send_all(b"y")?;
    near.await_payload(&mut buffer)?;
    let is_resumed = near.is_resumed();
    near.reset()?;
    far.wait_end()?;
    Ok(is_resumed)
}

/// Processor seconds to encrypt 10⁹ bytes, and nothing else, in records of 16 KiB.
fn aes() -> Result<f64, Failure> {
    let fail = |_| "ring refuses to encrypt".to_owned();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(fail)?);
    let own = || procfs::cpu(std::process::id()).ok_or("no processor time is told");
    let mut record = vec![0; 16 << 10];
    let before = own()?;
    let mut bytes = 0;
    while bytes < FLOOR {
        let nonce = Nonce::assume_unique_for_key([1; NONCE_LEN]);
        let _tag =
            key.seal_in_place_separate_tag(nonce, Aad::empty(), &mut record).map_err(fail)?;
        bytes += record.len();
    }
    Ok((own()?.saturating_sub(before)).as_secs_f64() / bytes as f64 * 1e9)
}

/// One bar with what was measured.
struct Bar {
    what: &'static str,
    measured: Option<f64>,
    unit: &'static str,
    limit: f64,
    /// The least that it may be; otherwise the most.
    is_least: bool,
}

fn bars(found: &Found) -> Vec<Bar> {
    let median = |task: &str, by: &str, metric| {
        found.figures.of(task, by, metric).map(|spread| spread.median)
    };
    let ratio = |task: Task, to: &str, metric| {
        let ratio = found.figures.ratio(&task.name(), TLS_TCP, to, metric);
        ratio.map(|ratio| ratio.median)
    };
    let memory = |name: &str| found.memory.iter().find(|memory| memory.subject == name);
    let (ours, plain, haproxy) = (memory(TLS_TCP), memory(TCP_TCP), memory(HAPROXY));
    let over = |of: fn(&Memory) -> f64| Some((of(ours?) - of(plain?)) / 1e3);
    let share = |of: fn(&Memory) -> f64| Some(of(ours?) / of(haproxy?));
    // Copied by the reference, which encrypts nothing.
    let floor = |task: Task| {
        let plain = median(&task.name(), REFERENCE, Metric::CpuPerGb)?;
        let aes = median(AES, AES, Metric::CpuPerGb)?;
        Some(median(&task.name(), TLS_TCP, Metric::CpuPerGb)? / (plain + aes))
    };
    let faster = |task| ratio(task, HAPROXY, Metric::CpuEach).map(|ratio| 1.0 / ratio);
    let most = |what, measured, limit, unit| Bar { what, measured, unit, limit, is_least: false };
    let least = |what, measured, limit| Bar { what, measured, unit: "×", limit, is_least: true };
    vec![
        most("idle session, over a plain one of ours", over(|it| it.idle), 4.0, "kB"),
        most("idle session, against HAProxy's", share(|it| it.idle), 0.4, "×"),
        most("after 256 KiB each way, over a plain one of ours", over(|it| it.after), 4.0, "kB"),
        most("after 256 KiB each way, against HAProxy's", share(|it| it.after), 0.4, "×"),
        most("CPU/GB up, against HAProxy", ratio(UP, HAPROXY, Metric::CpuPerGb), 0.7, "×"),
        most("CPU/GB up, against plain copied + AES", floor(UP), 1.3, "×"),
        most("CPU/GB down, against HAProxy", ratio(DOWN, HAPROXY, Metric::CpuPerGb), 0.7, "×"),
        most("CPU/GB down, against plain copied + AES", floor(DOWN), 1.4, "×"),
        least("connections per CPU second, full handshakes, against HAProxy", faster(FULL), 1.6),
        least("connections per CPU second, resumed, against HAProxy", faster(RESUMED), 1.5),
        most(
            "64 B round trip, 100 sessions, CPU, against HAProxy",
            ratio(HUNDRED, HAPROXY, Metric::CpuEach),
            0.85,
            "×",
        ),
        most(
            "64 B round trip, 100 sessions, CPU, against a plain one of ours",
            ratio(HUNDRED, TCP_TCP, Metric::CpuEach),
            1.15,
            "×",
        ),
    ]
}

fn page(
    found: &Found,
    programs: &[Program],
    missing: &[&str],
    facts: &Facts,
) -> Result<String, Failure> {
    let Facts { date, commit, cpu, processors, kernel, rustc, load, congestion, .. } = facts;
    let mut page = format!(
        "# TLS\n\nMeasured on {date} at commit {commit}: {cpu}, {processors} processors, {kernel}, {rustc}; TCP's congestion \
         control {congestion}; load average before the run {load}; {} rounds, interleaved.\n\nTo repeat it, run `cargo xtask bench \
         --tls --congestion {congestion}`, which writes this page.\n\n## Bars\n\nRatios of medians, or medians of the rounds' ratios.\n\n\
         | what | measured | bar | met |\n|---|---|---|---|\n",
        found.rounds
    );
    let mut line = |text: String| writeln!(page, "{text}").expect("a string takes everything");
    for Bar { what, measured, unit, limit, is_least } in bars(found) {
        let sign = if is_least { "≥" } else { "≤" };
        let met = measured.map(|it| if is_least { it >= limit } else { it <= limit });
        let met = met.map_or("–", |met| if met { "yes" } else { "**no**" });
        let measured =
            measured.map_or("not measured".to_owned(), |it| format!("{} {unit}", number(it)));
        line(format!("| {what} | {measured} | {sign} {limit} {unit} | {met} |"));
    }
    line(MEASURED.to_owned());
    for program in programs {
        let shown = |task: Task, metric| {
            let spread = found.figures.of(&task.name(), program.name, metric);
            spread.map_or("–".to_owned(), Spread::shown)
        };
        let per_second = |task: Task| {
            let spread = found.figures.of(&task.name(), program.name, Metric::CpuEach);
            spread.map_or("–".to_owned(), |spread| number(1e6 / spread.median))
        };
        let memory = found.memory.iter().find(|memory| memory.subject == program.name);
        let bytes =
            |of: fn(&Memory) -> f64| memory.map_or("–".to_owned(), |memory| number(of(memory)));
        let cells = [
            program.name.to_owned(),
            bytes(|memory| memory.idle),
            bytes(|memory| memory.after),
            shown(UP, Metric::CpuPerGb),
            shown(DOWN, Metric::CpuPerGb),
            per_second(FULL),
            per_second(RESUMED),
            shown(HUNDRED, Metric::CpuEach),
            shown(ONE, Metric::Median),
        ];
        line(format!("| {} |", cells.join(" | ")));
    }
    let aes = found.figures.of(AES, AES, Metric::CpuPerGb);
    let aes = aes.map_or("–".to_owned(), Spread::shown);
    line(format!(
        "\nAES-128-GCM alone, by ring, in records of 16 KiB: {aes} CPU s/GB.\n\n{HOW}\n\
         | program | version | started as |\n|---|---|---|"
    ));
    for program in programs {
        let version = match program.name {
            REFERENCE => "tokio, one thread, 32 KiB each way".to_owned(),
            _ if program.is_ours() => "of this repository".to_owned(),
            name => version(name),
        };
        line(format!("| {} | {version} | `{}` |", program.name, program.shown()?));
    }
    line(String::new());
    for name in missing {
        line(format!("- `{name}` was not found, and is not in the tables."));
    }
    for note in &found.notes {
        line(format!("- {}", note.replace('\n', " ")));
    }
    Ok(page.trim_end().to_owned() + "\n")
}

const MEASURED: &str = "
## Measured

Medians of the rounds (least–most).

| program | idle session, B | after 256 KiB each way, B | up, CPU s/GB | down, CPU s/GB | full handshakes, per CPU s | resumed, per CPU s | \
round trip, 100 sessions, CPU µs | round trip, 1 session, p50 µs |
|---|---|---|---|---|---|---|---|---|";

const HOW: &str = "\
The subjects run on processor 0, one thread each (stunnel has one for each connection), the load on processor 1. For memory, all \
may run on both. All have an ECDSA P-256 certificate; the client allows TLS 1.3, X25519 and TLS_AES_128_GCM_SHA256 alone. Two \
subjects have no TLS: *the reference* copies with tokio, 32 KiB each way, and ours moves bytes by `splice(2)`.

- *up* is from the client to the destination, *down* the other way, on one connection, in writes of 64 KiB, 512 KiB under way.
- *per CPU s* is the number of connections for each second of the subject's processor time. Each is opened, has a byte there \
  and back, and is reset by the client; one follows another. Ours logs both ends of every session, as it does by default; the \
  others log nothing.
- *round trip* is 64 B there and back, with one in flight on each session. The client's own encryption is in p50, and in no CPU.
- Memory is anonymous memory beyond that before the first connection, for each of 2,000 sessions.
";

/// The name of what is measured without any subject.
const AES: &str = "AES-128-GCM";

const TIME: Duration = Duration::from_millis(300);
const SESSIONS: usize = 2000;
/// Bytes to encrypt for one figure.
const FLOOR: usize = 256 << 20;
