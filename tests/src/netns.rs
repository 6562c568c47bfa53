//! Two network namespaces and a cable between them that can be pulled.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::binary;

/// The address of the side that the forwarder is in.
pub const NEAR: &str = "10.213.7.1";
/// The address of the side of the client.
pub const FAR: &str = "10.213.7.2";

/// A cable. Dropping it removes the namespaces.
#[derive(Debug)]
pub struct Cable {
    near: String,
    far: String,
}

impl Cable {
    /// Makes one; `None`, with a line with the reason, without root or iproute2.
    ///
    /// # Panics
    /// When the namespaces can be made and the cable can't.
    #[must_use]
    pub fn plug() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = |side| format!("ef-{side}-{}-{number}", std::process::id());
        let cable = Self { near: name("near"), far: name("far") };
        for namespace in [&cable.near, &cable.far] {
            if let Err(why) = ip(&["netns", "add", namespace]) {
                skip(&why);
                return None;
            }
        }
        let (near, far) = (cable.near.as_str(), cable.far.as_str());
        let link = ["link", "add", "cable", "netns", near, "type", "veth"];
        let steps: [&[&str]; 7] = [
            &[&link[..], &["peer", "name", "cable", "netns", far]].concat(),
            &["-n", near, "address", "add", &format!("{NEAR}/30"), "dev", "cable"],
            &["-n", far, "address", "add", &format!("{FAR}/30"), "dev", "cable"],
            &["-n", near, "link", "set", "lo", "up"],
            &["-n", far, "link", "set", "lo", "up"],
            &["-n", near, "link", "set", "cable", "up"],
            &["-n", far, "link", "set", "cable", "up"],
        ];
        for step in steps {
            ip(step).unwrap_or_else(|error| panic!("{error}"));
        }
        Some(cable)
    }

    /// Returns the wrapper that runs a program on the forwarder's side.
    #[must_use]
    pub fn near(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.near]
    }

    /// Returns the wrapper that runs a program on the client's side.
    #[must_use]
    pub fn far(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.far]
    }

    /// Pulls it: from now on nothing gets through, without a notification. The other end stays up, since one that is
    /// down at both removes its own routes.
    ///
    /// # Panics
    /// When the link doesn't go down.
    pub fn pull(&self) {
        ip(&["-n", &self.far, "link", "set", "cable", "down"])
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in [&self.near, &self.far] {
            let _gone = ip(&["netns", "delete", namespace]);
        }
    }
}

fn ip(args: &[&str]) -> Result<(), String> {
    let program = binary::program("ip").ok_or("`ip` is not installed: run `cargo xtask setup`")?;
    let output = Command::new(program).args(args).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`ip {}` failed: {}", args.join(" "), said.trim()))
}

#[expect(clippy::print_stderr, reason = "a test that tests nothing has to say so")]
fn skip(why: &str) {
    eprintln!("SKIPPED: a pulled cable needs root and network namespaces: {why}");
}
