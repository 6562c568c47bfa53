//! The programs that terminate TLS in front of a TCP destination, and how each is started.

use std::path::Path;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair};

use super::super::load::tls::{CERT, NAME};
use super::programs::{
    Program, REFERENCE, Route, Start, TCP_TCP, file, forward, reference, tcp_tcp, written,
};
use crate::Failure;

/// Ours.
pub(crate) const TLS_TCP: &str = "endpointforward tls→tcp";
/// The one that the bars are about.
pub(crate) const HAPROXY: &str = "haproxy";

/// Ours and every other that is installed, and two without TLS: the reference, and ours. And the names of those that
/// aren't there.
pub(crate) fn all(ours: &Path) -> Result<(Vec<Program>, Vec<&'static str>), Failure> {
    let own = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let program = |name, route, file: &Path, start| Program {
        name,
        route,
        forks: false,
        file: file.to_owned(),
        start,
    };
    let mut found = vec![
        program(REFERENCE, Route::TcpTcp, &own, reference as Start),
        program(TCP_TCP, Route::TcpTcp, ours, tcp_tcp),
        program(TLS_TCP, Route::TlsTcp, ours, tls_tcp),
    ];
    let peers: [(_, Start); 3] = [(HAPROXY, haproxy), ("nginx", nginx), ("stunnel4", stunnel)];
    let mut missing = Vec::new();
    for (name, start) in peers {
        match file(name) {
            Some(file) => found.push(program(name, Route::TlsTcp, &file, start)),
            None => missing.push(name),
        }
    }
    Ok((found, missing))
}

fn tls_tcp(file: &Path, folder: &Path, near: u16, far: u16) -> Command {
    certificate(folder);
    let near = format!(
        "tls:{{tcp:{near}:interface=127.0.0.1}}:cert={}:key={}",
        folder.join(CERT).display(),
        folder.join(KEY).display()
    );
    forward(file, &near, &format!("tcp:127.0.0.1:{far}"))
}

fn haproxy(file: &Path, folder: &Path, near: u16, far: u16) -> Command {
    certificate(folder);
    let text = format!(
        "global\n  maxconn 9500\n  nbthread 1\ndefaults\n  mode tcp\n  maxconn 9500\n  timeout connect 10s\n  \
         timeout client 600s\n  timeout server 600s\nfrontend near\n  bind 127.0.0.1:{near} ssl crt {}\n  \
         default_backend far\nbackend far\n  server far 127.0.0.1:{far}\n",
        folder.join(BOTH).display()
    );
    let mut command = Command::new(file);
    command.arg("-db").arg("-f").arg(written(folder, "haproxy.cfg", &text));
    command
}

fn nginx(file: &Path, folder: &Path, near: u16, far: u16) -> Command {
    certificate(folder);
    // Debian has it as a module; elsewhere it is built in.
    let module = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
    let load = if module.exists() {
        format!("load_module {};\n", module.display())
    } else {
        String::new()
    };
    let text = format!(
        "{load}daemon off;\npid nginx.pid;\nworker_processes 1;\nerror_log stderr error;\n\
         worker_rlimit_nofile 20000;\nevents {{ worker_connections 20000; }}\n\
         stream {{ server {{ listen 127.0.0.1:{near} ssl backlog=4096; ssl_certificate {CERT}; \
         ssl_certificate_key {KEY}; ssl_protocols TLSv1.2 TLSv1.3; proxy_pass 127.0.0.1:{far}; }} }}\n"
    );
    let mut command = Command::new(file);
    command.arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(written(
        folder,
        "nginx.conf",
        &text,
    ));
    command
}

fn stunnel(file: &Path, folder: &Path, near: u16, far: u16) -> Command {
    certificate(folder);
    let text = format!(
        "foreground = yes\npid =\ndebug = err\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n\
         [far]\naccept = 127.0.0.1:{near}\nconnect = 127.0.0.1:{far}\ncert = {}\n",
        folder.join(BOTH).display()
    );
    let mut command = Command::new(file);
    command.arg(written(folder, "stunnel.conf", &text));
    command
}

/// Writes a certificate (ECDSA P-256) and its key, in one file and in two.
fn certificate(folder: &Path) {
    let key = KeyPair::generate().expect("the system has random bytes");
    let params = CertificateParams::new(vec![NAME.to_owned()]).expect("it is a name");
    let cert = params.self_signed(&key).expect("the key can sign").pem();
    let key = key.serialize_pem();
    written(folder, CERT, &cert);
    written(folder, KEY, &key);
    written(folder, BOTH, &(cert + &key));
}

/// More files in the folder of a subject.
const KEY: &str = "key.pem";
const BOTH: &str = "both.pem";
