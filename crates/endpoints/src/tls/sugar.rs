//! Other spellings: `tls://HOST:PORT`, and Twisted's `ssl:` and `tls:`.

use descriptor::{Descriptor, Diagnostic, Stage, Text, Url};
use plan::kind::Role;

/// `tls://HOST:PORT`.
pub(super) fn url(url: &Url, role: Role) -> Result<Descriptor, Diagnostic> {
    let at = url.scheme.span();
    let Some(port) = url.port.clone().filter(|port| !port.as_str().is_empty()) else {
        let mistake = Diagnostic::error(Stage::Plan, "bad-url", at, "this URL needs a port");
        return Err(mistake.help("the form is `tls://HOST:PORT`"));
    };
    let inner = Descriptor::new(Text::synthetic("tcp", url.host.span()));
    let inner = match role {
        Role::Connect => inner.arg(url.host.clone()).arg(port),
        Role::Listen => inner.arg(port).kwarg("interface", url.host.clone()),
    };
    Ok(Descriptor::new(Text::synthetic("tls", at)).arg(inner.to_text()))
}

/// Twisted's spellings, which have TCP inside: `ssl:443:privateKey=K:certKey=C:extraCertChain=E`, `ssl:HOST:PORT`,
/// `tls:HOST:PORT:trustRoots=DIR:endpoint=…`, and txsni's `tls:DIR:443`.
pub(super) fn twisted(descriptor: &Descriptor, role: Role) -> Option<Descriptor> {
    let kind = descriptor.kind()?;
    let args = &descriptor.args[1..];
    let named = |name: &str| descriptor.kwargs.iter().any(|(other, _)| other.as_str() == name);
    let ours = |name: &'static str| Text::synthetic(name, kind.span());
    let tcp = Descriptor::new(ours("tcp"));
    let is_ssl = kind.as_str().eq_ignore_ascii_case("ssl");
    let mut tls = Descriptor::new(ours("tls"));
    let mut tcp = match (role, args) {
        // A timeout and a local address may follow.
        (Role::Connect, [host, port, more @ ..]) if is_port(port) && more.len() <= 2 => {
            if named("endpoint") {
                tls.kwargs.push((ours("name"), host.clone()));
            }
            let names = [ours("timeout"), ours("bindAddress")];
            let named = names.into_iter().zip(more.iter().cloned());
            let mut tcp = tcp.arg(host.clone()).arg(port.clone());
            tcp.kwargs.extend(named);
            tcp
        }
        (Role::Listen, [port]) if is_port(port) && named("privateKey") => tcp.arg(port.clone()),
        (Role::Listen, [folder]) if !is_ssl && is_folder(folder) && !named("cert") => {
            tls.kwargs.push((ours("cert"), folder.clone()));
            tcp.arg(ours("443"))
        }
        (Role::Listen, [folder, port])
            if !is_ssl && is_folder(folder) && is_port(port) && !named("cert") =>
        {
            tls.kwargs.push((ours("cert"), folder.clone()));
            tcp.arg(port.clone())
        }
        _ => return None,
    };
    // Each of the two kinds has its own word for it.
    let cert = if is_ssl { "certKey" } else { "certificate" };
    let has_cert = named(cert);
    let mut beneath = None;
    for (name, value) in &descriptor.kwargs {
        let own = match name.as_str() {
            "privateKey" if has_cert => "key",
            // Without the other, both are in it.
            "privateKey" => "cert",
            name if name == cert => "cert",
            "extraCertChain" => "chain",
            "caCertsDir" | "trustRoots" => "ca",
            "hostname" => "name",
            "endpoint" => {
                beneath = Some(value.clone());
                continue;
            }
            // Whatever both sides have. In pyOpenSSL, `TLSv1_2_METHOD` is that version alone; here it is the lowest one.
            "sslmethod" if matches!(value.as_str(), "TLS_METHOD" | "SSLv23_METHOD") => continue,
            "sslmethod" if value.as_str() == "TLSv1_2_METHOD" => {
                let lowest = Text::synthetic("1.2", value.span());
                tls.kwargs.push((Text::synthetic("min", name.span()), lowest));
                continue;
            }
            "interface" | "backlog" | "timeout" | "bindAddress" => {
                tcp.kwargs.push((name.clone(), value.clone()));
                continue;
            }
            _ => {
                tls.kwargs.push((name.clone(), value.clone()));
                continue;
            }
        };
        tls.kwargs.push((Text::synthetic(own, name.span()), value.clone()));
    }
    Some(tls.arg(beneath.unwrap_or_else(|| tcp.to_text())))
}

fn is_port(text: &Text) -> bool {
    !text.as_str().is_empty() && text.as_str().bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns `true` for neither an endpoint nor a port: txsni takes such a text for the folder with its certificates.
fn is_folder(text: &Text) -> bool {
    !text.as_str().is_empty() && !text.as_str().contains([':', '{']) && !is_port(text)
}
