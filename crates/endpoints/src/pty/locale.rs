//! The character set of the program on a terminal.
//!
//! The kernel edits lines by bytes unless it is configured for UTF-8 (IUTF8, termios(3)): backspace after `é` would
//! leave half of it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;

use crate::program::Filled;

/// The character set in the program's environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locale {
    Utf8,
    /// Nothing: a service without a login. It gets [`UTF_8`].
    Unset,
    /// Some other set of characters, or `C`.
    Other,
}

impl Locale {
    pub(super) fn of(program: &Filled<'_>) -> Self {
        Self::read(NAMES.into_iter().filter_map(|name| program.variable(name)))
    }

    /// The first that isn't empty counts (locale(7)).
    fn read<'a>(mut values: impl Iterator<Item = &'a OsStr>) -> Self {
        let Some(value) = values.find(|value| !value.is_empty()) else { return Self::Unset };
        let value = value.to_string_lossy().to_ascii_lowercase();
        if value.contains("utf-8") || value.contains("utf8") { Self::Utf8 } else { Self::Other }
    }
}

/// Has backspace erase a character of several bytes (IUTF8).
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn erase_characters(terminal: impl AsFd) -> io::Result<()> {
    use rustix::termios::{InputModes, OptionalActions, tcgetattr, tcsetattr};

    let mut modes = tcgetattr(&terminal)?;
    modes.input_modes |= InputModes::IUTF8;
    Ok(tcsetattr(&terminal, OptionalActions::Now, &modes)?)
}

/// Other systems have no such mode.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn erase_characters(_: impl AsFd) -> io::Result<()> {
    Ok(())
}

/// In the order in which they count.
const NAMES: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// A locale of UTF-8 that is there without having been installed.
pub(super) const UTF_8: &str = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_says_something_counts() {
        for (values, locale) in [
            (&["", "en_GB.UTF-8"][..], Locale::Utf8),
            (&["de_DE.utf8@euro"], Locale::Utf8),
            (&["C", "C.UTF-8"], Locale::Other),
            (&["ja_JP.eucJP"], Locale::Other),
            (&["", ""], Locale::Unset),
            (&[], Locale::Unset),
        ] {
            assert_eq!(Locale::read(values.iter().map(OsStr::new)), locale, "{values:?}");
        }
    }
}
