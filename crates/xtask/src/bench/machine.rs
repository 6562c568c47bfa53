//! The machine: its processors, its limits, and what a reader has to know about it.

use std::fs;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::congestion;
use crate::Failure;

/// The facts in a table about where and when it was made.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The day, as `2026-11-21`.
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) processors: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    /// The commit that was measured, with a `+` when there were changes on top.
    pub(crate) commit: String,
    /// The load of the machine before the run: the load average of a minute.
    pub(crate) load: String,
    /// TCP's congestion control.
    pub(crate) congestion: String,
    /// The maximum number of descriptors of a process.
    pub(crate) descriptors: u64,
}

impl Facts {
    pub(crate) fn gather() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = field(&memory, "MemTotal")
            .and_then(|total| total.split(' ').next()?.parse::<u64>().ok());
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let changes =
            if said("git status --porcelain --untracked-files=no").is_empty() { "" } else { "+" };
        Self {
            date: said("date -u +%F"),
            cpu: field(&cpu, "model name").unwrap_or_else(|| "unknown".to_owned()),
            processors: cpu.lines().filter(|line| line.starts_with("processor")).count(),
            memory_gib: memory.map_or(0, |kib| (kib + (1 << 19)) >> 20),
            kernel: said("uname -sr"),
            rustc: said("rustc --version"),
            commit: format!("{}{changes}", said("git rev-parse --short HEAD")),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
            congestion: congestion::now(),
            descriptors: descriptors(),
        }
    }
}

/// Returns the version of the program's package, or else the one that the program prints.
pub(crate) fn version(program: &str) -> String {
    let package = said(&format!("dpkg-query --show --showformat=${{Version}} {program}"));
    if !package.is_empty() {
        return package;
    }
    let file = ::tests::binary::program(program).unwrap_or_else(|| program.into());
    let Ok(output) = Command::new(file).arg("--version").output() else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_version =
        |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    text.split_whitespace().find(is_version).unwrap_or_default().to_owned()
}

/// Raises our limit of descriptors as far as it goes; programs that we start inherit it. Returns what it is then.
pub(crate) fn descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _refused =
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Moves this thread, and those that it starts, to the load's processor.
pub(crate) fn to_load_cpu() -> Result<(), Failure> {
    let all = sched_getaffinity(None).map_err(|error| format!("our processors: {error}"))?;
    if !(all.is_set(SUBJECTS) && all.is_set(LOAD)) {
        return Err(format!(
            "processors {SUBJECTS} and {LOAD} are needed: one for the subjects, one for the load"
        ));
    }
    let mut set = CpuSet::new();
    set.set(LOAD);
    sched_setaffinity(None, &set).map_err(|error| format!("cannot choose a processor: {error}"))
}

/// `command`, on the subjects' processor alone or on both (our own choice would be inherited), and killed when we are.
pub(crate) fn elsewhere(command: &Command, alone: bool) -> Command {
    let mut elsewhere = Command::new("taskset");
    let cpus = if alone { SUBJECTS.to_string() } else { format!("{SUBJECTS},{LOAD}") };
    elsewhere.arg("--cpu-list").arg(cpus).args(["setpriv", "--pdeathsig", "KILL"]);
    elsewhere.arg(command.get_program()).args(command.get_args());
    elsewhere
}

fn said(line: &str) -> String {
    let output = crate::sh::command(line).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

/// The processor of the subjects, and that of the load.
const SUBJECTS: usize = 0;
const LOAD: usize = 1;
