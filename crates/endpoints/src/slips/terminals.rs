//! Mistakes with standard streams and serial devices: rates and settings in another program's notation.

use descriptor::{Code, Descriptor, Diagnostic, Span, Text, quote_positional};
use plan::kind::Role;

use super::{mistake, path, wrong};

/// A device's path, and settings that are written as one word.
pub(crate) fn serial(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    if let [kind, path] = &*descriptor.args
        && kind.as_str() == "serial"
        && let Some((device, words)) = path.as_str().split_once(',')
    {
        // Words such as `local` may follow.
        let word = words.split(',').next().unwrap_or_default();
        let settings = serial_settings(word)?;
        let span = path.span_of(device.len()..path.len());
        let found = wrong(Code::BadValue, span, "the rate is a parameter of its own".to_owned());
        let device = quote_positional(device);
        return Some(found.help(format!("write `serial:{device}:{settings}`")));
    }
    if let [kind, path, words @ ..] = &*descriptor.args
        && kind.as_str() == "serial"
        && let Some((span, word)) = rate(descriptor, words)
    {
        // socat has its rates as `b9600`.
        let settings = serial_settings(word.strip_prefix('b').unwrap_or(word))?;
        let message = format!("`{word}` is a rate with the format of a character");
        let message = match word.starts_with('b') {
            true => format!("`{word}` is socat's form of a rate"),
            false => message,
        };
        let found = wrong(Code::BadValue, span, message);
        let path = quote_positional(path.as_str());
        return Some(found.help(format!("write `serial:{path}:{settings}`")));
    }
    if let [kind, path, word] = &*descriptor.args
        && kind.as_str() == "serial"
        && matches!(word.as_str(), "raw" | "rawer" | "cfmakeraw" | "local")
    {
        let found = wrong(Code::BadValue, word.span(), format!("`serial` needs no `{word}`"));
        let path = quote_positional(path.as_str());
        return Some(
            found.help(format!("write `serial:{path}:115200`; every byte is passed on as it is")),
        );
    }
    if let Some(found) = format_apart(descriptor) {
        return Some(found);
    }
    let path = path(descriptor).filter(|path| path.as_str().starts_with("/dev/"))?;
    let found = mistake(path.span(), format!("`{path}` is a device, and its kind is missing"));
    Some(found.help(format!("for a serial port, write `serial:{path}:115200`")))
}

/// A rate that has more than digits: the only other field, or the value of `baud`.
fn rate<'d>(descriptor: &'d Descriptor, words: &'d [Text]) -> Option<(Span, &'d str)> {
    let word = match (words, descriptor.kwargs.iter().find(|(name, _)| name.as_str() == "baud")) {
        ([word], None) => word,
        ([], Some((_, value))) if descriptor.kwargs.len() == 1 => value,
        _ => return None,
    };
    let is_rate = word.as_str().parse::<u32>().is_err();
    let settings = serial_settings(word.as_str().trim_start_matches('b'));
    (is_rate && settings.is_some()).then(|| (word.span(), word.as_str()))
}

/// The parameters for `9600n81` (ser2net), `9600,8n1` or `9600`.
pub(super) fn serial_settings(word: &str) -> Option<String> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (baud, rest) = word.split_at(digits);
    baud.parse::<u32>().ok().filter(|baud| *baud > 0)?;
    let format: Vec<_> =
        rest.to_ascii_uppercase().chars().filter(|c| !matches!(c, ',' | '-' | '/')).collect();
    let (bits, parity, stop) = match &*format {
        [] => return Some(baud.to_owned()),
        [parity, bits, stop] if parity.is_ascii_alphabetic() => (bits, parity, stop),
        [bits, parity, stop] => (bits, parity, stop),
        _ => return None,
    };
    let is_known =
        matches!(bits, '5'..='8') && "NEOMS".contains(*parity) && matches!(stop, '1' | '2');
    let mut settings = baud.to_owned();
    for (name, value, usual) in
        [("bytesize", bits, '8'), ("parity", parity, 'N'), ("stopbits", stop, '1')]
    {
        if *value != usual {
            settings = format!("{settings}:{name}={value}");
        }
    }
    is_known.then_some(settings)
}

/// `-`, as programs of the shell have it.
pub(crate) fn stdio(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let dash = descriptor.kind().filter(|kind| kind.as_str() == "-")?;
    let found = mistake(dash.span(), "`-` is not a kind of endpoint".to_owned());
    Some(found.help("for standard input and output, write `stdio`"))
}

/// `serial:/dev/ttyUSB0,115200`, which names no device.
pub(crate) fn has_rate(path: &str) -> bool {
    let words = path.split_once(',').map(|(_, words)| words);
    words
        .and_then(|words| words.split(',').next())
        .is_some_and(|word| serial_settings(word).is_some())
}

/// `serial:/dev/ttyS0:9600:8N1`, and a rate with a unit.
fn format_apart(descriptor: &Descriptor) -> Option<Diagnostic> {
    let fields: Vec<_> = descriptor.args.iter().skip(1).collect();
    if descriptor.kind()?.as_str() != "serial" {
        return None;
    }
    if let [path, baud, format] = &*fields {
        let settings = serial_settings(&format!("{baud},{format}"))?;
        let message = format!("`{format}` is a format of characters, which has parameters here");
        let found = wrong(Code::BadValue, format.span(), message);
        let path = quote_positional(path.as_str());
        return Some(found.help(format!("write `serial:{path}:{settings}`")));
    }
    let named = descriptor.kwargs.iter().find(|(name, _)| name.as_str() == "baud");
    let typed = named.map(|(_, value)| value).or_else(|| fields.get(1).copied())?;
    let text = typed.as_str().to_ascii_lowercase();
    let (number, times) = ["bps", "bauds", "baud", "bd"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit).map(|number| (number, 1.0)))
        .or_else(|| text.strip_suffix('k').map(|number| (number, 1000.0)))?;
    let baud = number.trim().parse::<f64>().ok()? * times;
    // `115k` is short for a rate that every device has.
    let usual = RATES.iter().find(|rate| (**rate - baud).abs() < baud / 100.0).copied();
    let message = "`baud` is a number of bits per second, without a unit".to_owned();
    let found = wrong(Code::BadValue, typed.span(), message);
    Some(found.help(format!("write `baud={}`", usual.unwrap_or(baud))))
}

const RATES: &[f64] = &[
    1200.0, 2400.0, 4800.0, 9600.0, 19200.0, 38400.0, 57600.0, 115_200.0, 230_400.0, 460_800.0,
    921_600.0,
];
