//! Resource limits of a program: `limit.NAME=…`, `nice=…`.

use std::io;

use descriptor::{Code, Diagnostic};
use endpoint::Missing;
use plan::kind::{Args, Param, Topic, ValueKind};
use rustix::process::{Resource, Rlimit, geteuid, getpriority_process, getrlimit};

pub(crate) const LIMIT: Param = Param::new(
    "limit.",
    ValueKind::Text,
    "A resource limit of the program (setrlimit(2)), named as in systemd: `limit.nofile=64`, `limit.cpu=10` (seconds), \
     `limit.as=512M`. `{64:128}` sets the soft and the hard limit; `infinity` sets none.",
)
.prefix()
.topic(Topic::Limits)
.no_holes(&super::params::NO_HOLES);

pub(crate) const NICE: Param = Param::new(
    "nice",
    ValueKind::Text,
    "The program's nice value, from -20 (highest priority) to 19 (lowest) (setpriority(2)). The default is that of \
     endpointforward; a lower value requires root.",
)
.topic(Topic::Limits)
.no_holes(&super::params::NO_HOLES);

/// Limits and priority.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) limits: Vec<(&'static str, Resource, Rlimit)>,
    pub(crate) nice: Option<i32>,
}

impl Limits {
    /// Parses [`LIMIT`] and [`NICE`].
    pub(crate) fn read(args: &Args, found: &mut Vec<Diagnostic>) -> Self {
        let mut limits = Vec::new();
        for (name, text) in args.prefixed("limit.") {
            let full = format!("limit.{name}");
            let Some((name, resource, unit)) = RESOURCES.iter().find(|(known, ..)| *known == name)
            else {
                let names: Vec<_> = RESOURCES.iter().map(|(name, ..)| *name).collect();
                let near = descriptor::nearest(name, names.iter().copied());
                let help = match near {
                    Some(near) => format!("did you mean `limit.{near}`?"),
                    None => format!("the limits are {}", names.join(", ")),
                };
                let message = format!("there is no limit `{name}`");
                found.push(args.mistake(&full, Code::UnknownKeyword, message).help(help));
                continue;
            };
            match limit(text, *unit) {
                Some(limit) => limits.push((*name, *resource, limit)),
                None => {
                    let what = match unit {
                        Unit::Number => {
                            "a number, `infinity`, or a soft and a hard limit, such as `{64:128}`"
                        }
                        Unit::Size => {
                            "a size such as `512M`, `infinity`, or a soft and a hard limit, such as `{1M:2M}`"
                        }
                    };
                    let message = format!("`{full}` must be {what}");
                    found.push(args.mistake(&full, Code::BadValue, message));
                }
            }
        }
        let nice = args.text("nice").and_then(|text| {
            let nice = text.parse().ok().filter(|nice| (-20..=19).contains(nice));
            if nice.is_none() {
                let message = "`nice` must be a number from -20 to 19";
                found.push(args.mistake("nice", Code::BadValue, message));
            }
            nice
        });
        Self { limits, nice }
    }

    /// Describes a setting that the system doesn't let us make, as far as that can be known.
    pub(crate) fn forbidden(&self) -> Option<Missing> {
        if geteuid().is_root() {
            return None;
        }
        for (name, resource, limit) in &self.limits {
            let most = getrlimit(*resource).maximum;
            let exceeds = match (limit.maximum, most) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(wanted), Some(most)) => wanted > most,
            };
            if let Some(most) = most.filter(|_| exceeds) {
                let message = format!("only root may raise `limit.{name}` above {most}");
                return Some(Missing::of(format!("limit.{name}"), message));
            }
        }
        let ours = getpriority_process(None).map_err(io::Error::from).unwrap_or(0);
        let nice = self.nice.filter(|nice| *nice < ours)?;
        let message = format!(
            "only root may lower the nice value: `nice={nice}` is below {ours}, that of endpointforward"
        );
        Some(Missing::of("nice", message))
    }
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Number,
    Size,
}

/// A limit, soft and hard: one value is both.
fn limit(text: &str, unit: Unit) -> Option<Rlimit> {
    let (soft, hard) = text.split_once(':').unwrap_or((text, text));
    let (current, maximum) = (value(soft, unit)?, value(hard, unit)?);
    let is_sound = match (current, maximum) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(current), Some(maximum)) => current <= maximum,
    };
    is_sound.then_some(Rlimit { current, maximum })
}

/// `Some(None)` is no limit.
fn value(text: &str, unit: Unit) -> Option<Option<u64>> {
    if text == "infinity" {
        return Some(None);
    }
    let (digits, factor) = match (unit, text.char_indices().last()?) {
        (Unit::Size, (at, 'k' | 'K')) => (&text[..at], 1 << 10),
        (Unit::Size, (at, 'm' | 'M')) => (&text[..at], 1 << 20),
        (Unit::Size, (at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok()).flatten()?;
    Some(Some(number.checked_mul(factor)?))
}

/// systemd.exec(5) has them with `Limit` before, in capitals.
const RESOURCES: &[(&str, Resource, Unit)] = &[
    ("as", Resource::As, Unit::Size),
    ("core", Resource::Core, Unit::Size),
    ("cpu", Resource::Cpu, Unit::Number),
    ("data", Resource::Data, Unit::Size),
    ("fsize", Resource::Fsize, Unit::Size),
    ("memlock", Resource::Memlock, Unit::Size),
    ("nofile", Resource::Nofile, Unit::Number),
    ("nproc", Resource::Nproc, Unit::Number),
    ("rss", Resource::Rss, Unit::Size),
    ("stack", Resource::Stack, Unit::Size),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_the_soft_and_the_hard_limit() {
        let read = |text, unit| limit(text, unit).map(|limit| (limit.current, limit.maximum));
        assert_eq!(read("64", Unit::Number), Some((Some(64), Some(64))));
        assert_eq!(read("64:128", Unit::Number), Some((Some(64), Some(128))));
        assert_eq!(read("64:infinity", Unit::Number), Some((Some(64), None)));
        assert_eq!(read("512M", Unit::Size), Some((Some(512 << 20), Some(512 << 20))));
        for text in ["", "M", "-1", "1M", "128:64", "infinity:1", "1:2:3", "+1"] {
            assert_eq!(read(text, Unit::Number), None, "{text}");
        }
        assert_eq!(read("99999999999999G", Unit::Size), None);
    }
}
