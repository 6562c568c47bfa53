//! `cargo xtask setup`: brings the dependencies of the tests that cargo doesn't bring.
//!
//! 1. Debian packages, through apt-get when we are root, else by printing the command to type. Servers among them
//!    are neither started now nor with the machine: the tests start their own.
//! 2. The Python peers in a venv under target/peers, made again when the list of them changes; those of the slow suites in
//!    another one.
//! 3. npm's packages, in `node_modules` of the folders that need some, likewise.
//!
//! With everything there it takes milliseconds and touches no network.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::packages::{MORE, PACKAGES, Package, VENV};
use crate::{Failure, root, sh};

/// Runs the verb.
pub(crate) fn run() -> Result<(), Failure> {
    packages(PACKAGES)?;
    peers()?;
    NODE.iter().try_for_each(|folder| node(folder))
}

/// Installs the additional needs of the slow suites: more packages, more Python peers, and websocat, which Debian
/// doesn't have.
pub(crate) fn more() -> Result<(), Failure> {
    packages(MORE)?;
    python("interop.txt", "target/peers/interop")?;
    let (folder, stamp) =
        (root().join("target/peers/websocat"), root().join("target/peers/websocat/stamp"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == WEBSOCAT) {
        return Ok(());
    }
    println!("installing {WEBSOCAT} under target/peers/websocat");
    let mut install = Command::new("cargo");
    install.args(["install", "--quiet", "--locked", "--force", "--root"]).arg(&folder);
    // Elsewhere than in this workspace: its toolchain and its settings are for its own crates.
    sh::run(install.arg(WEBSOCAT).current_dir("/"))?;
    fs::write(&stamp, WEBSOCAT).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn packages(wanted: &'static [Package]) -> Result<(), Failure> {
    for program in ["python3", "node", "npm"] {
        // How they are installed (Debian, pyenv, nvm) is the developer's choice.
        if tests::binary::program(program).is_none() {
            return Err(format!("`{program}` is not on the path: install it in the way you like"));
        }
    }
    let missing = missing(wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|package| package.name).collect::<Vec<_>>().join(" ");
    let install = format!("apt-get install --yes --no-install-recommends {names}");
    if !rustix::process::geteuid().is_root() || tests::binary::program("apt-get").is_none() {
        for package in &missing {
            eprintln!("missing: {} ({})", package.name, package.why);
        }
        return Err(format!("packages are missing; install them with\n  sudo {install}"));
    }
    println!("installing {names}");
    let _quiet = Quiet::keep()?;
    let services = missing.iter().flat_map(|package| package.services);
    let is_there = |service: &&&str| Path::new("/etc/init.d").join(service).exists();
    // A service that was there before belongs to the machine's user.
    let services: Vec<_> = services.filter(|service| !is_there(service)).collect();
    // Mirrors fail now and then; a second try is cheaper than a red build.
    let twice = |line: &str| {
        let apt = || sh::run(sh::command(line).env("DEBIAN_FRONTEND", "noninteractive"));
        apt().or_else(|_| apt())
    };
    twice("apt-get update --quiet --quiet")?;
    twice(&format!("{install} --quiet --quiet"))?;
    for service in services.iter().filter(|service| is_there(service)) {
        sh::run(&mut sh::command(&format!("update-rc.d {service} disable")))?;
    }
    match self::missing(wanted).first() {
        None => Ok(()),
        Some(package) => Err(format!("`{}` has been installed and yet is not there", package.name)),
    }
}

fn missing(wanted: &'static [Package]) -> Vec<&'static Package> {
    let mut missing: Vec<_> =
        wanted.iter().filter(|package| tests::binary::program(package.program).is_none()).collect();
    if !sh::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        missing.push(&VENV);
    }
    missing
}

/// As long as it lives, packages that are installed start no services: Debian's maintainer scripts ask a
/// program of this name first.
struct Quiet {
    ours: bool,
}

impl Quiet {
    fn keep() -> Result<Self, Failure> {
        // Where there is one (in most containers), it does the same or the owner of the machine knows better.
        // One of ours was left by a kill.
        let ours = fs::read_to_string(POLICY).map_or(true, |text| text == REFUSE_ALL);
        if ours {
            let written = fs::write(POLICY, REFUSE_ALL)
                .and_then(|()| fs::set_permissions(POLICY, Permissions::from_mode(0o755)));
            written.map_err(|error| format!("{POLICY}: {error}"))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.ours {
            let _gone_already = fs::remove_file(POLICY);
        }
    }
}

/// The Python peers, and nothing else.
pub(crate) fn peers() -> Result<(), Failure> {
    python("requirements.txt", "target/peers")
}

/// Makes a venv in a folder with the packages of a list in tests/peers.
fn python(list: &str, folder: &str) -> Result<(), Failure> {
    let (list, folder) = (root().join("tests/peers").join(list), root().join(folder));
    let (venv, stamp) = (folder.join("venv"), folder.join("stamp"));
    let wanted =
        fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    // The stamp is what was installed, not when: a checkout that goes back in time is seen too.
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted)
        && venv.join("bin/python").exists()
    {
        return Ok(());
    }
    println!("installing the Python peers under {}", venv.display());
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    sh::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = || install(&venv, &list);
    pip().or_else(|_| pip())?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn node(name: &str) -> Result<(), Failure> {
    let folder = root().join(name);
    let (list, stamp) = (folder.join("package-lock.json"), folder.join("node_modules/.stamp"));
    let wanted =
        fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing npm's packages under {name}/node_modules");
    let npm = || sh::run(sh::command("npm ci --silent").current_dir(&folder));
    npm().or_else(|_| npm())?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn install(venv: &Path, list: &Path) -> Result<(), Failure> {
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(list);
    sh::run(&mut pip)
}

/// As `cargo install` takes it.
const WEBSOCAT: &str = "websocat@1.14.1";
/// Folders with a package.json: the driver of the browser, and the peers that are Node's.
const NODE: &[&str] = &["tests/browser", "tests/node"];
/// See the `invoke-rc.d` manual: 101 is "don't".
const POLICY: &str = "/usr/sbin/policy-rc.d";
const REFUSE_ALL: &str =
    "#!/bin/sh\n# Of endpointforward's `cargo xtask setup`, while it installs.\nexit 101\n";
