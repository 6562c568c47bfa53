//! TCP's congestion control: a setting of the machine that determines the cost of sending.

use std::fs;

use crate::Failure;

/// Returns the setting of connections that are made from now on.
pub(crate) fn now() -> String {
    fs::read_to_string(SETTING).unwrap_or_default().trim().to_owned()
}

/// The machine with another setting, until this is dropped.
pub(crate) struct Changed {
    before: String,
}

impl Changed {
    pub(crate) fn to(wanted: &str) -> Result<Self, Failure> {
        let before = now();
        set(wanted)?;
        println!(
            "net.ipv4.tcp_congestion_control is {wanted} for as long as this runs; if it is cut off, \
             `sysctl net.ipv4.tcp_congestion_control={before}` has it as it was"
        );
        Ok(Self { before })
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        if let Err(failure) = set(&self.before) {
            println!("{failure}");
        }
    }
}

fn set(name: &str) -> Result<(), Failure> {
    fs::write(SETTING, name).map_err(|error| {
        let known = fs::read_to_string("/proc/sys/net/ipv4/tcp_available_congestion_control");
        let known = known.unwrap_or_default().trim().replace(' ', "`, `");
        format!(
            "cannot set {SETTING} to `{name}`: {error}; `{known}` are loaded, and root may choose"
        )
    })
}

const SETTING: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
