//! The testsuite's installation, under target/conformance.
//!
//! It is written in Python 2.7, which only old versions of virtualenv support; one of those is installed along with
//! it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, root, sh};

/// The packages to install, pinned.
const LIST: &str = "tests/peers/autobahn_testsuite.txt";
/// The last line of virtualenv that makes environments of Python 2.7.
const MAKER: &str = "virtualenv==20.21.1";

/// Installs it unless it is there: the Python that has it.
pub(super) fn install() -> Result<PathBuf, Failure> {
    let list = root().join(LIST);
    let folder = root().join("target/conformance");
    let (maker, venv, stamp) = (folder.join("maker"), folder.join("venv"), folder.join("stamp"));
    let python = venv.join("bin/python");
    let wanted = fs::read_to_string(&list).map_err(|error| format!("{LIST}: {error}"))?;
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.exists() {
        return Ok(python);
    }
    let old = python2()?;
    if tests::binary::program("gcc").is_none() {
        return Err("`gcc` is missing: parts of the testsuite are compiled as they are installed"
            .to_owned());
    }
    println!("installing the Autobahn testsuite under target/conformance");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    sh::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&maker))?;
    sh::run(pip(&maker).arg(MAKER))?;
    let mut make = Command::new(maker.join("bin/virtualenv"));
    sh::run(make.args(["--quiet", "--clear", "--python"]).arg(old).arg(&venv))?;
    let install = || sh::run(pip(&venv).arg("--requirement").arg(&list));
    install().or_else(|_| install())?;
    fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(python)
}

/// Returns the version of the testsuite.
pub(super) fn version() -> String {
    let list = fs::read_to_string(root().join(LIST)).unwrap_or_default();
    let found = list.lines().find_map(|line| line.strip_prefix("autobahntestsuite=="));
    found.unwrap_or("unknown").to_owned()
}

fn pip(venv: &Path) -> Command {
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip
}

/// A Python 2.7: the path's, or pyenv's, which has it without showing it.
fn python2() -> Result<PathBuf, Failure> {
    for pyenv in [None, Some(PYENV)] {
        let mut python = Command::new("python2.7");
        python.args(["-c", "import sys; print(sys.executable)"]);
        if let Some(version) = pyenv {
            python.env("PYENV_VERSION", version);
        }
        if let Ok(output) = python.output()
            && output.status.success()
        {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().into());
        }
    }
    Err(format!(
        "`python2.7` is missing, which the testsuite is written in: where the system has no package of it,\n  \
         pyenv install {PYENV}"
    ))
}

const PYENV: &str = "2.7.18";
