//! Some cases in one role: the processes, and what they leave behind.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{DEADLINE, Forwarder, Peer, Process, python};

use super::verdict::{self, Case};
use super::{Programs, Role};
use crate::Failure;

/// Cases, by patterns that the testsuite understands, in a role.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) role: Role,
    pub(super) cases: Vec<String>,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.cases.join(","))
    }
}

impl Job {
    /// Runs them, with reports to `folder`.
    pub(super) fn run(&self, programs: &Programs, folder: &Path) -> Result<Vec<Case>, Failure> {
        let io = |error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(io)?;
        }
        fs::create_dir_all(folder).map_err(io)?;
        match self.role {
            Role::Server => {
                let forwarder = listening(programs, "echo");
                self.fuzzing_client(programs, folder, &forwarder)
            }
            Role::Client => self.fuzzing_server(programs, folder),
            Role::Through => {
                let (_echo, port) = echo();
                let destination = format!("ws:{{tcp:127.0.0.1:{port}}}:compression=on");
                let forwarder = listening(programs, &destination);
                self.fuzzing_client(programs, folder, &forwarder)
            }
        }?;
        self.read(folder)
    }

    /// Returns the name of its reports.
    pub(super) fn name(&self) -> String {
        let first = self.cases.first().map_or("none", String::as_str);
        format!("{}-{}", self.role, first.trim_end_matches(".*"))
    }

    /// Returns `true` if there are reports in `folder`, which are written last.
    pub(super) fn is_done(&self, folder: &Path) -> bool {
        folder.join(INDEX).is_file()
    }

    /// The cases of its reports.
    pub(super) fn read(&self, folder: &Path) -> Result<Vec<Case>, Failure> {
        verdict::read(self.role, &folder.join(INDEX))
    }

    fn fuzzing_client(
        &self,
        programs: &Programs,
        folder: &Path,
        forwarder: &Forwarder,
    ) -> Result<(), Failure> {
        let url = format!("ws://127.0.0.1:{}", forwarder.port(0));
        let servers = json!([{ "agent": AGENT, "url": url }]);
        let mut client =
            self.testsuite(programs, folder, "client", json!({ "servers": servers }))?;
        match client.wait_exit_within(LONGEST) {
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                Err(format!("{self}: the testsuite ended: {status}\n{}", client.report()))
            }
            None => Err(format!("{self}: the testsuite is not done after {LONGEST:?}")),
        }
    }

    /// A process of ours a case, as a user would start it.
    fn fuzzing_server(&self, programs: &Programs, folder: &Path) -> Result<(), Failure> {
        let server =
            self.testsuite(programs, folder, "server", json!({ "url": "ws://127.0.0.1" }))?;
        let said = |before: &str| -> Result<u32, Failure> {
            let line = server.stdout().wait_for_line(DEADLINE, before);
            let number =
                line.as_ref().and_then(|line| line.strip_prefix(before)?.split(' ').next());
            number
                .and_then(|number| number.parse().ok())
                .ok_or_else(|| format!("{self}: no `{before}`\n{}", server.report()))
        };
        let count = said("Ok, will run ")?;
        let port = said("port ")?;
        let cases = (1..=count).map(|case| format!("/runCase?case={case}&agent={AGENT}"));
        for path in cases.chain([format!("/updateReports?agent={AGENT}")]) {
            let ws =
                format!("ws:{{tcp:127.0.0.1:{port}}}:path={{{path}}}:subprotocol=:compression=on");
            let mut join = Process::spawn("join", Command::new(&programs.join).args(["echo", &ws]));
            match join.wait_exit_within(LONGEST) {
                Some(status) if status.success() => {}
                _ => return Err(format!("{self}: {path} is not done\n{}", join.report())),
            }
        }
        Ok(())
    }

    /// An end of the testsuite.
    fn testsuite(
        &self,
        programs: &Programs,
        folder: &Path,
        end: &str,
        more: Value,
    ) -> Result<Process, Failure> {
        let mut specification = json!({
            "outdir": folder,
            "cases": self.cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        });
        let Value::Object(more) = more else { return Err("the specification is an object".into()) };
        specification.as_object_mut().expect("it is one").extend(more);
        let file = folder.join("specification.json");
        fs::write(&file, specification.to_string())
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let script = crate::root().join("tests/peers/autobahn_fuzzing.py");
        let mut python = Command::new(&programs.python);
        python.arg("-u").arg(script).arg(end).arg(&file);
        Ok(Process::spawn("the testsuite", &mut python))
    }
}

/// The forwarder, on loopback and any free port.
fn listening(programs: &Programs, destination: &str) -> Forwarder {
    let endpoint = "ws:{tcp:0:interface=127.0.0.1}:compression=on";
    let args = ["--endpoint", endpoint, "--dest-endpoint", destination];
    Forwarder::start_binary(&programs.forwarder, &args)
}

/// A WebSocket server that echoes and isn't ours, and its port.
fn echo() -> (Peer, u16) {
    let server = python("autobahn_server.py", &["none", "on"]);
    let line = server.wait_for_line("port ");
    let port = line.split(' ').nth(1).and_then(|port| port.parse().ok());
    (server, port.expect("it says its port"))
}

/// All cases of a report.
const INDEX: &str = "index.json";
/// The name that reports have us under.
const AGENT: &str = "endpointforward";
/// Far more than all cases take.
const LONGEST: Duration = Duration::from_secs(45 * 60);
