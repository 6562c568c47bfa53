//! The settings of a line, and termios.

use std::os::fd::AsFd;

use endpoint::control::{LineSettings, StopBits};
use rustix::io::Result;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// Sets the settings in `wanted`, and nothing else. Returns the line's settings then.
pub(super) fn apply(tty: impl AsFd, wanted: &LineSettings) -> Result<LineSettings> {
    let mut termios = tcgetattr(&tty)?;
    // Bytes pass as they come, those with a wrong parity bit as well.
    termios.input_modes.remove(InputModes::INPCK | InputModes::IGNPAR | InputModes::ISTRIP);
    if let Some(baud) = wanted.baud {
        termios.set_speed(baud)?;
    }
    let control = &mut termios.control_modes;
    if let Some(bits) = wanted.data_bits {
        control.remove(ControlModes::CSIZE);
        control.insert(match bits {
            5 => ControlModes::CS5,
            6 => ControlModes::CS6,
            7 => ControlModes::CS7,
            _ => ControlModes::CS8,
        });
    }
    if let Some(parity) = wanted.parity {
        control.remove(ControlModes::PARENB | ControlModes::PARODD | STICKY);
        control.insert(match parity {
            'E' => ControlModes::PARENB,
            'O' => ControlModes::PARENB | ControlModes::PARODD,
            'M' => ControlModes::PARENB | ControlModes::PARODD | STICKY,
            'S' => ControlModes::PARENB | STICKY,
            _ => ControlModes::empty(),
        });
    }
    if let Some(bits) = wanted.stop_bits {
        // 1.5 with 5 data bits. With more it is 2, which a receiver that waits for 1.5 is content with.
        control.set(ControlModes::CSTOPB, bits != StopBits::One);
    }
    if let Some(rtscts) = wanted.rtscts {
        control.set(ControlModes::CRTSCTS, rtscts);
    }
    if let Some(xonxoff) = wanted.xonxoff {
        termios.input_modes.set(InputModes::IXON | InputModes::IXOFF, xonxoff);
        termios.special_codes[SpecialCodeIndex::VSTART] = XON;
        termios.special_codes[SpecialCodeIndex::VSTOP] = XOFF;
    }
    // At once: a client that wants the queue to be sent at the old speed waits before it asks.
    tcsetattr(&tty, OptionalActions::Now, &termios)?;
    Ok(of(&tcgetattr(&tty)?))
}

/// The settings that are in force.
pub(super) fn current(tty: impl AsFd) -> Result<LineSettings> {
    Ok(of(&tcgetattr(&tty)?))
}

fn of(termios: &Termios) -> LineSettings {
    let control = termios.control_modes;
    let mut line = LineSettings::default();
    line.baud = Some(termios.output_speed());
    line.data_bits = Some(match control & ControlModes::CSIZE {
        bits if bits == ControlModes::CS5 => 5,
        bits if bits == ControlModes::CS6 => 6,
        bits if bits == ControlModes::CS7 => 7,
        _ => 8,
    });
    let (odd, sticky) = (ControlModes::PARODD, STICKY);
    let sticky = !sticky.is_empty() && control.contains(sticky);
    line.parity = Some(match (control.contains(ControlModes::PARENB), control.contains(odd)) {
        (false, _) => 'N',
        (true, false) => {
            if sticky {
                'S'
            } else {
                'E'
            }
        }
        (true, true) => {
            if sticky {
                'M'
            } else {
                'O'
            }
        }
    });
    line.stop_bits = Some(match (control.contains(ControlModes::CSTOPB), line.data_bits) {
        (false, _) => StopBits::One,
        (true, Some(5)) => StopBits::OneAndHalf,
        (true, _) => StopBits::Two,
    });
    line.rtscts = Some(control.contains(ControlModes::CRTSCTS));
    line.xonxoff = Some(termios.input_modes.contains(InputModes::IXON | InputModes::IXOFF));
    line
}

/// Returns the differences between `kept` and `wanted`, the speed aside, as text.
pub(super) fn differences(wanted: &LineSettings, kept: &LineSettings) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |name: &str, wanted: Option<String>, kept: Option<String>| {
        if let (Some(wanted), Some(kept)) = (wanted, kept)
            && wanted != kept
        {
            found.push(format!("{name}={kept}, not {wanted}"));
        }
    };
    let text = |value: Option<u8>| value.map(|value| value.to_string());
    compare("bytesize", text(wanted.data_bits), text(kept.data_bits));
    compare("parity", wanted.parity.map(String::from), kept.parity.map(String::from));
    let text = |value: Option<StopBits>| value.map(|value| value.to_string());
    compare("stopbits", text(wanted.stop_bits), text(kept.stop_bits));
    let text = |value: Option<bool>| value.map(|value| value.to_string());
    compare("xonxoff", text(wanted.xonxoff), text(kept.xonxoff));
    compare("rtscts", text(wanted.rtscts), text(kept.rtscts));
    found
}

/// Returns the differences between `kept` and `wanted` as text, with the speed if it is off by more than rounding.
pub(super) fn refused(wanted: &LineSettings, kept: &LineSettings) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(wanted), Some(kept)) = (wanted.baud, kept.baud)
        && is_other_speed(wanted, kept)
    {
        found.push(format!("baud={kept}, not {wanted}"));
    }
    found.append(&mut differences(wanted, kept));
    found
}

/// Returns `true` if a speed is off by more than the sides of an asynchronous line can differ.
pub(super) fn is_other_speed(wanted: u32, has: u32) -> bool {
    u64::from(wanted.abs_diff(has)) * 100 > u64::from(wanted) * TOLERANCE
}

/// Returns settings as text, as a descriptor has them.
pub(super) fn text(settings: &LineSettings) -> String {
    let mut all = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        all.extend(value.map(|value| format!("{name}={value}")));
    };
    add("baud", settings.baud.map(|value| value.to_string()));
    add("bytesize", settings.data_bits.map(|value| value.to_string()));
    add("parity", settings.parity.map(String::from));
    add("stopbits", settings.stop_bits.map(|value| value.to_string()));
    add("xonxoff", settings.xonxoff.map(|value| value.to_string()));
    add("rtscts", settings.rtscts.map(|value| value.to_string()));
    all.join(":")
}

/// A parity bit that is always the same.
#[cfg(target_os = "linux")]
const STICKY: ControlModes = ControlModes::CMSPAR;
#[cfg(not(target_os = "linux"))]
const STICKY: ControlModes = ControlModes::empty();

/// In percent: the error that a receiver tolerates that samples in the middle of the tenth bit.
const TOLERANCE: u64 = 5;
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, unlockpt};

    use super::*;

    /// A pty keeps its 8 bits without parity; the rest is tried on one.
    #[test]
    fn what_is_set_is_read_back() {
        let tty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&tty).and_then(|()| unlockpt(&tty)).expect("a pty");
        let mut wanted = LineSettings::default();
        wanted.baud = Some(74_880);
        wanted.stop_bits = Some(StopBits::Two);
        wanted.xonxoff = Some(true);
        wanted.rtscts = Some(true);
        let kept = apply(&tty, &wanted).expect("a pty takes them");
        assert_eq!(kept.baud, Some(74_880), "no rate of those that have a constant");
        let two = Some(StopBits::Two);
        assert_eq!((kept.stop_bits, kept.xonxoff, kept.rtscts), (two, Some(true), Some(true)));
        let kept = apply(&tty, &LineSettings::default()).expect("nothing to set");
        assert_eq!((kept.baud, kept.stop_bits), (Some(74_880), two), "None changes nothing");
    }

    #[test]
    fn every_parity_has_bits_of_its_own() {
        let tty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        let mut termios = tcgetattr(&tty).expect("a terminal");
        for (flags, parity) in [
            (ControlModes::empty(), 'N'),
            (ControlModes::PARENB, 'E'),
            (ControlModes::PARENB | ControlModes::PARODD, 'O'),
            (ControlModes::PARENB | ControlModes::PARODD | STICKY, 'M'),
            (ControlModes::PARENB | STICKY, 'S'),
        ] {
            termios.control_modes.remove(ControlModes::PARENB | ControlModes::PARODD | STICKY);
            termios.control_modes.insert(flags);
            assert_eq!(of(&termios).parity, Some(parity));
        }
    }

    #[test]
    fn one_and_a_half_stop_bits_go_with_five_data_bits() {
        let tty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        let mut termios = tcgetattr(&tty).expect("a terminal");
        termios.control_modes.insert(ControlModes::CSTOPB);
        for (size, stop) in
            [(ControlModes::CS5, StopBits::OneAndHalf), (ControlModes::CS8, StopBits::Two)]
        {
            termios.control_modes.remove(ControlModes::CSIZE);
            termios.control_modes.insert(size);
            assert_eq!(of(&termios).stop_bits, Some(stop));
        }
    }

    #[test]
    fn differences_are_named() {
        let (mut wanted, mut kept) = (LineSettings::default(), LineSettings::default());
        wanted.parity = Some('E');
        wanted.rtscts = Some(true);
        (kept.parity, kept.rtscts, kept.data_bits) = (Some('N'), Some(true), Some(8));
        assert_eq!(differences(&wanted, &kept), ["parity=N, not E"]);
    }
}
