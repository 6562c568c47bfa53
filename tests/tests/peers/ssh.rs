//! ssh: two sides that notice every wrong byte, and scp, whose end is the end of a program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tests::data::Pattern;
use tests::{Forwarder, Peer, binary, net};

use crate::{program, succeeds};

/// A server of the user who runs the tests, with a host key and one client key that it accepts.
pub(crate) struct Sshd {
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) user: String,
    server: Option<Peer>,
}

impl Sshd {
    /// Keys and a configuration, and nothing that runs.
    fn prepare(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for keys");
        for key in ["host", "user"] {
            let file = folder.path().join(key);
            succeeds(program("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file));
        }
        let (port, path) = (net::free_port(), folder.path().display());
        // Above all it doesn't ask PAM: its stack is the machine's, and may want anything.
        // Of an option that is given twice, the first counts.
        let config = format!(
            "{more}ListenAddress 127.0.0.1:{port}\nHostKey {path}/host\nAuthorizedKeysFile {path}/user.pub\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n\
             Subsystem sftp internal-sftp\nLogLevel VERBOSE\n"
        );
        fs::write(folder.path().join("sshd_config"), config).expect("a file can be written");
        let host_key = fs::read_to_string(folder.path().join("host.pub")).expect("it was made");
        fs::write(folder.path().join("known_hosts"), format!("behind {host_key}"))
            .expect("a file can be written");
        let user = succeeds(program("id").arg("-un")).text().trim().to_owned();
        if user == "root" {
            // Debian's boot scripts make it; a container has none. sshd insists on it, as root.
            let folder = Path::new("/run/sshd");
            fs::create_dir_all(folder).expect("root can make it");
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("root may");
        }
        Self { folder, port, user, server: None }
    }

    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With these lines in its configuration.
    pub(crate) fn start_with(more: &str) -> Self {
        let mut sshd = Self::prepare(more);
        let mut server = Peer::start("sshd", &["-D", "-e", "-f", &sshd.config()]);
        server.wait_for_port(sshd.port);
        sshd.server = Some(server);
        sshd
    }

    /// Waits for a line of its log.
    pub(crate) fn wait_for_log(&self, text: &str) -> String {
        self.server.as_ref().expect("it runs").wait_for_line(text)
    }

    fn config(&self) -> String {
        self.folder.path().join("sshd_config").display().to_string()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `ssh` or `scp`, reaching the server by what `descriptor` leads to.
    pub(crate) fn client(&self, name: &str, descriptor: &str) -> Command {
        let ours = binary::endpointforward().display();
        let mut command = program(name);
        command.args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]);
        command.args(["-o", "HostKeyAlias=behind", "-o", "IdentitiesOnly=yes"]);
        command.arg("-o").arg(format!("UserKnownHostsFile={}", self.file("known_hosts").display()));
        command.arg("-o").arg(format!("ProxyCommand={ours} --quiet -e stdio -d {descriptor}"));
        command.arg("-o").arg(format!("User={}", self.user));
        command.arg("-i").arg(self.file("user"));
        // An agent's keys are no part of the test.
        command.env_remove("SSH_AUTH_SOCK");
        command
    }
}

#[test]
fn ssh_and_scp_work_through_a_websocket_as_proxy_command() {
    let sshd = Sshd::start();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", sshd.port));
    let via = format!("ws://127.0.0.1:{}/", forwarder.port(0));

    let said = succeeds(sshd.client("ssh", &via).args(["behind", "echo hello; echo oops >&2"]));
    assert_eq!(said.text(), "hello\n");
    assert!(said.stderr.ends_with("oops\n"), "{}", said.stderr);

    let data = Pattern::new(22).take(5 << 20);
    fs::write(sshd.file("sent"), &data).expect("a file can be written");
    let behind = |name| format!("behind:{}", sshd.file(name).display());
    succeeds(sshd.client("scp", &via).arg("-q").arg(sshd.file("sent")).arg(behind("there")));
    succeeds(sshd.client("scp", &via).arg("-q").arg(behind("there")).arg(sshd.file("back")));
    assert!(fs::read(sshd.file("back")).expect("scp wrote it") == data, "it came back changed");
    forwarder.wait_no_children();
}

#[test]
fn ssh_carries_the_status_of_what_it_ran() {
    let sshd = Sshd::start();
    let forwarder = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", sshd.port));
    let via = format!("ws://127.0.0.1:{}/", forwarder.port(0));
    let output = tests::run_program(sshd.client("ssh", &via).args(["behind", "exit 7"]), b"");
    assert_eq!(output.code(), Some(7), "{}", output.stderr);
}

#[test]
fn sshd_itself_is_a_program_behind_a_websocket() {
    // As inetd would start it: one for each connection, nothing listens but us.
    let sshd = Sshd::prepare("");
    let program = binary::program("sshd").expect("setup has installed it");
    let destination = format!("process:{}:-i:-e:-f:{}", program.display(), sshd.config());
    let forwarder = Forwarder::between("ws:0", &destination);
    let via = format!("ws://127.0.0.1:{}/", forwarder.port(0));
    let said = succeeds(sshd.client("ssh", &via).args(["behind", "echo $SSH_CONNECTION"]));
    assert_eq!(said.text().trim(), "UNKNOWN 65535 UNKNOWN 65535");
    forwarder.wait_no_children();
}
