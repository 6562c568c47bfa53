//! The forwarder under test.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;

use crate::capture::whole_lines;
use crate::{DEADLINE, Process, binary};

/// The text before the descriptor in the line with a listener's address.
const LISTENING: &str = "listening on ";

/// A running `endpointforward` that listens. Everything of [`Process`] holds for it too.
#[derive(Debug)]
pub struct Forwarder {
    process: Process,
    listening: Vec<String>,
}

impl Forwarder {
    /// Starts it with `args` and waits until it listens on as many endpoints as `-e` was given.
    ///
    /// # Panics
    /// If it ends or prints nothing before the deadline; the message has all its output.
    pub fn start(args: &[&str]) -> Self {
        Self::start_by(command().args(args), args)
    }

    /// As [`Forwarder::start`], of another build.
    ///
    /// # Panics
    /// As [`Forwarder::start`].
    pub fn start_binary(binary: &Path, args: &[&str]) -> Self {
        Self::start_by(of(binary).args(args), args)
    }

    /// As [`Forwarder::start`], with a wrapper: a program that runs the command after its own arguments. The
    /// guarantees of [`Process`] hold for that program then.
    ///
    /// # Panics
    /// As [`Forwarder::start`].
    pub fn start_by_wrapper(wrapper: &[&str], args: &[&str]) -> Self {
        let [program, options @ ..] = wrapper else { panic!("a wrapper has a name") };
        let mut command = Command::new(program);
        command.args(options).arg(binary::endpointforward()).args(args).env_remove("RUST_LOG");
        Self::start_by(&mut command, args)
    }

    /// The usual pair: an endpoint to listen on and a destination.
    ///
    /// # Panics
    /// As [`Forwarder::start`].
    pub fn between(endpoint: &str, destination: &str) -> Self {
        Self::start(&["--endpoint", endpoint, "--dest-endpoint", destination])
    }

    /// As [`Forwarder::start`], with environment variables.
    ///
    /// # Panics
    /// As [`Forwarder::start`].
    pub fn start_with_env(args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_by(command().args(args).envs(env.iter().copied()), args)
    }

    /// Starts it without waiting for anything: for what doesn't listen, such as `stdio`.
    pub fn spawn(args: &[&str]) -> Self {
        let process = Process::spawn("endpointforward", command().args(args));
        Self { process, listening: Vec::new() }
    }

    /// Returns the descriptors in these lines, in the order of the lines.
    #[must_use]
    pub fn listening(&self) -> &[String] {
        &self.listening
    }

    /// The port of the `index`-th endpoint.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn port(&self, index: usize) -> u16 {
        let descriptor = &self.listening[index];
        port(descriptor).unwrap_or_else(|| panic!("no port in `{descriptor}`"))
    }

    /// The `index`-th endpoint on IPv4 loopback.
    #[must_use]
    pub fn address(&self, index: usize) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port(index)).into()
    }

    /// All it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.stderr().text()
    }

    /// Waits for a line that contains `text`, and returns it.
    ///
    /// # Panics
    /// After the deadline, with the whole log.
    pub fn wait_for_log(&self, text: &str) -> String {
        let line = self.process.stderr().wait_for_line(DEADLINE, text);
        line.unwrap_or_else(|| panic!("no `{text}` in the log:\n{}", self.log()))
    }

    /// The process alone.
    #[must_use]
    pub fn into_process(self) -> Process {
        self.process
    }

    fn start_by(command: &mut Command, args: &[&str]) -> Self {
        let process = Process::spawn("endpointforward", command);
        let wanted = endpoints_in(args);
        let listening = process.stderr().wait(DEADLINE, |log| {
            let found: Vec<_> =
                whole_lines(log).filter_map(listening_on).map(str::to_owned).collect();
            (found.len() >= wanted).then_some(found)
        });
        let listening = listening.unwrap_or_else(|| {
            panic!("`endpointforward {}` doesn't listen\n{}", args.join(" "), process.report())
        });
        Self { process, listening }
    }
}

impl Deref for Forwarder {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Forwarder {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn command() -> Command {
    of(binary::endpointforward())
}

fn of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    // Settings of the developer's shell are no part of a test.
    command.env_remove("RUST_LOG");
    command
}

fn endpoints_in(args: &[&str]) -> usize {
    let named =
        |arg: &&&str| matches!(**arg, "-e" | "--endpoint") || arg.starts_with("--endpoint=");
    args.iter().filter(named).count()
}

/// The descriptor in `… listening on DESC …`: it ends at a space or a quotation mark outside braces.
fn listening_on(line: &str) -> Option<&str> {
    let text = &line[line.find(LISTENING)? + LISTENING.len()..];
    let mut depth = 0_u32;
    let end = text.find(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (c.is_whitespace() || matches!(c, '"' | '`' | ','))
    });
    Some(&text[..end.unwrap_or(text.len())])
}

/// The last number that is a whole field: `tcp:H:P`, `ws:{tcp:H:P}`, `tcp:P:interface=H`, `tcp6:[::1]:P`.
fn port(descriptor: &str) -> Option<u16> {
    let fields = descriptor.split([':', '{', '}']).rev();
    fields
        .filter(|field| !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit()))
        .find_map(|n| n.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_gives_descriptor_and_port() {
        for (line, descriptor, number) in [
            ("INFO listening on tcp:127.0.0.1:41234", "tcp:127.0.0.1:41234", Some(41234)),
            (
                "listening on ws:{tcp:127.0.0.1:8080} to tcp:7",
                "ws:{tcp:127.0.0.1:8080}",
                Some(8080),
            ),
            (
                r#"{"message":"listening on tcp:9:interface=127.0.0.1"}"#,
                "tcp:9:interface=127.0.0.1",
                Some(9),
            ),
            ("listening on ws:{unix:{/tmp/a b}} x", "ws:{unix:{/tmp/a b}}", None),
            ("listening on tcp6:[::1]:5000:backlog=1", "tcp6:[::1]:5000:backlog=1", Some(5000)),
        ] {
            assert_eq!(listening_on(line), Some(descriptor), "{line}");
            assert_eq!(port(descriptor), number, "{line}");
        }
        assert_eq!(listening_on("no such words"), None);
    }

    #[test]
    fn every_spelling_of_endpoint_counts() {
        assert_eq!(
            endpoints_in(&["-e", "a", "--endpoint", "b", "--endpoint=c", "--dest-endpoint", "d"]),
            3
        );
    }

    /// A shell that prints what a forwarder would. The script is an argument, not a program: a file that was just
    /// written can't be executed while another thread starts a process that has inherited it.
    fn pretend(script: &str, args: &[&str]) -> Forwarder {
        Forwarder::start_binary(Path::new("/bin/sh"), &[&["-c", script, "sh"], args].concat())
    }

    #[test]
    fn it_is_started_when_every_endpoint_listens() {
        let script = "echo listening on tcp:127.0.0.1:5 >&2; sleep 0.1\n\
                      echo 'INFO listening on ws:{tcp:127.0.0.1:6}' >&2; echo more >&2; exec sleep 60";
        let forwarder = pretend(script, &["-e", "a", "-e", "b", "-d", "c"]);
        assert_eq!((forwarder.port(0), forwarder.port(1)), (5, 6));
        forwarder.wait_for_log("more");
        assert!(forwarder.rss_kib() > 0 && forwarder.fds() > 2 && forwarder.threads() == 1);
        assert_eq!(forwarder.children(), [] as [u32; 0]);
    }

    #[test]
    #[should_panic(expected = "error: port 80 is busy")]
    fn one_that_ends_instead_shows_its_log() {
        pretend("echo 'error: port 80 is busy' >&2; exit 69", &["-e", "tcp:80"]);
    }
}
