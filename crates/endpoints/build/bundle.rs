//! Builds the page, unless it was built before.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{fs, io};

use crate::Failure;

/// The files of web/ that the page is built from.
pub(crate) const SOURCES: &[&str] = &[
    ".npmrc",
    "csp.txt",
    "icon.svg",
    "index.html",
    "package-lock.json",
    "package.json",
    "socket",
    "src",
    "tsconfig.json",
    "vite.config.js",
];

/// The folder with the page that `web` makes, in `cache`.
pub(crate) fn dist(web: &Path, cache: &Path) -> Result<PathBuf, Failure> {
    let mut files = BTreeMap::new();
    for source in SOURCES {
        read(web, Path::new(source), &mut files)?;
    }
    let dist = cache.join(hash(&files, |_| true));
    if dist.is_dir() {
        return Ok(dist);
    }
    let modules = cache.join(hash(&files, |name| name.starts_with("package") || name == ".npmrc"));
    // Named by the process, so that two builds at once, of two profiles, don't meet.
    let work = cache.join(format!("work-{}", std::process::id()));
    let built = copy(&files, &work).and_then(|()| {
        install(&work, &modules)?;
        run("npm run build", npm(&work).args(["run", "build"]))?;
        let script = include_str!("precompress.mjs");
        let mut node = Command::new("node");
        node.args(["--input-type=module", "--eval", script, "--"]).arg(work.join("dist"));
        run("compressing the page", &mut node)?;
        publish(&work.join("dist"), &dist)
    });
    // It is only in the way.
    let _ = fs::remove_dir_all(&work);
    built.map(|()| dist)
}

/// Installs the packages in `package-lock.json`, once for each version of that file.
fn install(work: &Path, modules: &Path) -> Result<(), Failure> {
    let here = work.join("node_modules");
    if !modules.is_dir() {
        // Without a network, npm fails soon, and its cache may do.
        let flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
        let patience =
            ["--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=30000"];
        run("npm ci", npm(work).arg("ci").args(flags).args(patience))?;
        fs::create_dir_all(modules).map_err(|error| told(modules, &error))?;
        publish(&here, &modules.join("node_modules"))?;
    }
    std::os::unix::fs::symlink(modules.join("node_modules"), &here)
        .map_err(|error| told(&here, &error))
}

fn npm(work: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(work);
    npm
}

/// Runs it; its output is shown in a failure, and would be taken for words to cargo otherwise.
fn run(what: &str, command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stdout, stderr, .. }) => {
            let said = [stdout, stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
            let last =
                lines.clone().find(|line| line.contains("rror")).or_else(|| lines.next_back());
            Err(format!("{what} failed: {}", last.unwrap_or("it doesn't say why")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("{program} was not found; it comes with Node.js"))
        }
        Err(error) => Err(format!("{program} can't be run: {error}")),
    }
}

/// Moves a complete folder to its final place; one that another build has put there is as good.
fn publish(from: &Path, to: &Path) -> Result<(), Failure> {
    match fs::rename(from, to) {
        Err(error) if !to.is_dir() => Err(told(to, &error)),
        _ => Ok(()),
    }
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn read(root: &Path, name: &Path, files: &mut Files) -> Result<(), Failure> {
    let path = root.join(name);
    if path.is_dir() {
        for entry in fs::read_dir(&path).map_err(|error| told(&path, &error))? {
            let entry = entry.map_err(|error| told(&path, &error))?;
            read(root, &name.join(entry.file_name()), files)?;
        }
        return Ok(());
    }
    let content = fs::read(&path).map_err(|error| told(&path, &error))?;
    files.insert(name.to_owned(), content);
    Ok(())
}

fn copy(files: &Files, to: &Path) -> Result<(), Failure> {
    for (name, content) in files {
        let path = to.join(name);
        let folder = path.parent().expect("it is below `to`");
        fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
        fs::write(&path, content).map_err(|error| told(&path, &error))?;
    }
    Ok(())
}

/// Returns a hash of the selected files, and of their processing.
fn hash(files: &Files, wanted: impl Fn(&str) -> bool) -> String {
    let mut hasher = DefaultHasher::new();
    (include_str!("bundle.rs"), include_str!("precompress.mjs")).hash(&mut hasher);
    files
        .iter()
        .filter(|(name, _)| name.to_str().is_some_and(&wanted))
        .for_each(|file| file.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

fn told(path: &Path, error: &io::Error) -> Failure {
    format!("{}: {error}", path.display())
}
