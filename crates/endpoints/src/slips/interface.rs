//! Texts that stand in place of a listener's address: options of socat, names of network interfaces, words for all
//! of them.

/// Returns the mistake in the text and the text to write, if it can't be an address.
pub(crate) fn interface(text: &str) -> Option<(String, String)> {
    let lower = text.to_ascii_lowercase();
    if OPTIONS.contains(&&*lower) {
        let message = format!("`interface` is an address, and `{text}` is an option of socat");
        return Some((message, "leave it out".to_owned()));
    }
    if matches!(&*lower, "*" | "all" | "any") {
        let message = format!("`interface` is an address, and `{text}` is not one");
        return Some((message, "leave it out to listen on all addresses".to_owned()));
    }
    if lower == "lo" {
        let message = "`interface` is an address, and `lo` is the name of a network interface";
        return Some((message.to_owned(), "write `interface=127.0.0.1`".to_owned()));
    }
    is_network_interface(&lower).then(|| {
        let message =
            format!("`interface` is an address, and `{text}` is the name of a network interface");
        let help =
            format!("write `device={text}`, or one of its addresses, which `ip address` lists");
        (message, help)
    })
}

/// `eth0`, `enp3s0`, `wlan0`, `docker0`, `wg0`: a short word of the system's, and a number.
fn is_network_interface(name: &str) -> bool {
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_named =
        ["eth", "wlan", "docker", "wg", "tun", "tap", "br", "virbr", "bond", "veth", "usb"];
    // systemd's names: the bus, the slot, and the port of a card.
    let is_placed = |start: &str| {
        name.strip_prefix(start).is_some_and(|rest| {
            rest.starts_with(['o', 'p', 's', 'x']) && rest.contains(|c: char| c.is_ascii_digit())
        })
    };
    word != name && (is_named.contains(&word) || is_placed("en") || is_placed("wl"))
}

/// Switches of socat that are typed behind a port.
const OPTIONS: &[&str] = &[
    "fork",
    "reuseaddr",
    "reuseport",
    "nodelay",
    "nonblock",
    "cloexec",
    "keepalive",
    "broadcast",
    "crlf",
    "crnl",
    "cr",
    "raw",
    "tls",
    "ssl",
    "ipv6only",
    "retry",
    "forever",
];

#[cfg(test)]
mod tests {
    use super::interface;

    #[test]
    fn hosts_are_hosts() {
        for host in
            ["localhost", "example.com", "web1", "endor3", "enterprise", "10.0.0.1", "brian"]
        {
            assert_eq!(interface(host), None, "{host}");
        }
        for name in ["fork", "*", "lo", "eth0", "enp3s0", "wlp2s0", "docker0", "wg0"] {
            assert!(interface(name).is_some(), "{name}");
        }
    }
}
