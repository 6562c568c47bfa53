//! The page in Chromium, with what it is made for behind it: a shell, telnet servers, a serial line.
//!
//! A test waits for things that a person would see. The forwarder is the real one, and so are the peers.

mod console;
mod demo;
mod hostile;
mod lost;
mod mqtt;
mod novnc;
mod page;
mod screenshots;
mod serial;
mod shell;
mod signin;
mod sockets;
mod strain;
mod telnet;
mod touch;
mod why;
mod wisp;
mod ws2s;
mod wss;

use tests::Forwarder;

/// bash as it is without anybody's settings, with a prompt that is easy to see.
const BASH: &str = "pty:bash:--norc:--noprofile:env.PS1={ready> }:env.HISTFILE=:cwd=/";

/// Where the page is.
fn url(forwarder: &Forwarder) -> String {
    format!("http://127.0.0.1:{}/", forwarder.port(0))
}

/// Returns input that makes a POSIX shell print `followed` once its terminal has that size. The input lacks the word.
fn wait_for_size((cols, rows): (u64, u64)) -> String {
    format!("until [ \"$(stty size)\" = '{rows} {cols}' ]; do sleep .1; done; echo fol''lowed\n")
}
