//! The listening side: a front with a WebSocket mounted on it, and a page.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use descriptor::quote_positional;
use endpoint::{Bound, Context, Error, Invitation, Local, Missing, Result, ServeLayer};
use tokio::task::spawn_blocking;

use super::hint::Hint;
use super::listening::Listening;
use super::upgrade::WebSocket;
use crate::auth::Exchange;
use crate::http::admission::Admission;
use crate::http::entrance::Entrance;
use crate::http::front::{Front, Settings};
use crate::http::mount::{Health, Mount, Mounts, NoIcon};
use crate::http::page::folder::{Files, Folder};
use crate::http::page::{Page, Show};
use crate::http::serving::Serving;
use crate::http::sign_in::{SignIn, SignOut};

/// [`Listening`] and the settings of its front, which all bound addresses share.
pub(super) struct Layer {
    pub(super) listening: Arc<Listening>,
    pub(super) settings: Arc<Settings>,
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.listening.fmt(f)
    }
}

#[async_trait]
impl ServeLayer for Layer {
    async fn bind(&self, cx: &Context, beneath: &Local) -> Result<Arc<dyn Bound>> {
        let listening = &self.listening;
        let folder = folder(&listening.show, listening.lists).await?;
        let path = listening.path.as_deref().unwrap_or("/");
        let descriptor = format!("{}:{}", listening.called, quote_positional(&beneath.descriptor));
        let mut local = Local::new(descriptor);
        local.is_encrypted = beneath.is_encrypted;
        local.certificates = beneath.certificates;
        let (web, socket) = if beneath.is_encrypted { ("https", "wss") } else { ("http", "ws") };
        if let Some(address) = beneath.address {
            local = local.at(address);
        }
        let host = beneath.address.map(reachable);
        let (page, is_shown) =
            page(listening, folder, host.map(|host| format!("{socket}://{host}{path}")));
        let url = host.map(|host| match is_shown {
            true if path.ends_with('/') => format!("{web}://{host}{path}"),
            true => format!("{web}://{host}{path}/"),
            false => format!("{socket}://{host}{path}"),
        });
        let authenticator = listening.auth.open(cx, &local)?;
        if let Some(token) = authenticator.as_ref().and_then(|asks| asks.invitation.as_ref()) {
            // Where only a path is known, that has to do.
            let place = url.as_ref().map_or(path, |url| url.as_str());
            local = local.with_invitation(Invitation::new(format!("{place}#token={token}")));
        }
        let is_folder = matches!(listening.show, Show::Folder(_));
        let (authenticator, exchange) =
            authenticator.map(|asks| (asks.gate, asks.exchange)).unzip();
        let exchange: Option<Arc<dyn Exchange>> = exchange.flatten();
        let admission = Admission {
            authenticator,
            gate: cx.gate().cloned(),
            cookie: Admission::cookie_at(local.address.map(|address| address.port())),
            is_encrypted: local.is_encrypted,
        };
        // Our own page lets itself in; for another there is one that does.
        let enters = exchange
            .as_ref()
            .filter(|_| is_folder)
            .map(|exchange| SignIn { has_passwords: exchange.takes_passwords() });
        let entrance = Entrance {
            served: listening.path.clone(),
            origins: listening.origins.clone(),
            files: enters.map(|page| (page, admission.cookie.clone())),
            exchange,
            is_encrypted: local.is_encrypted,
        };
        if let Some(url) = url {
            local = local.with_url(url);
        }
        let mut mounts = Mounts::new();
        if let Some(path) = &listening.health {
            mounts.push(Arc::new(Health(path.clone())));
        }
        // A folder may contain an icon.
        if !is_folder {
            mounts.push(Arc::new(NoIcon));
        }
        mounts.push(Arc::new(WebSocket(Arc::clone(listening))));
        if enters.is_some_and(|page| page.has_passwords) {
            mounts.push(Arc::new(SignOut));
        }
        mounts.push(page);
        if is_shown && !is_folder || entrance.exchange.is_some() {
            mounts.push(Arc::new(entrance));
        }
        let (settings, clock) = (Arc::clone(&self.settings), cx.clock().clone());
        Ok(Arc::new(Serving(Arc::new(Front { settings, local, mounts, admission, enters, clock }))))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = self.listening.auth.missing(cx);
        if let Show::Folder(path) = &self.listening.show
            && !path.is_dir()
        {
            let message = format!("there is no folder {} for the page", path.display());
            all.push(Missing::of("page", message));
        }
        all
    }
}

/// The folder of the page, if it is one, open.
async fn folder(show: &Show, lists: bool) -> Result<Option<Folder>> {
    let Show::Folder(path) = show else { return Ok(None) };
    let (path, shown) = (path.clone(), path.display().to_string());
    let opened = spawn_blocking(move || Folder::open(&path, lists)).await;
    let opened = opened.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    let failed = |error| Error::from_io("open", format!("the folder `{shown}` in `page`"), error);
    opened.map(Some).map_err(failed)
}

/// An address to type, for one that is listened on.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Returns the page for browsers, and whether it has any content.
fn page(
    listening: &Listening,
    folder: Option<Folder>,
    url: Option<String>,
) -> (Arc<dyn Mount>, bool) {
    let served = listening.path.clone();
    if let Some(folder) = folder {
        return (Arc::new(Files::new(folder, served)), true);
    }
    let mut help = "connect with a WebSocket client".to_owned();
    if let Some(url) = url {
        help.push_str(&format!(", for example `new WebSocket(\"{url}\")`"));
    }
    let line = match listening.show {
        Show::Nothing => format!("this is a WebSocket listener; {help}"),
        _ => match Page::new(served.clone()) {
            Ok(page) => return (Arc::new(page), true),
            Err(why) => format!(
                "this is a WebSocket listener; its page is missing, because endpointforward was \
                 built without it ({why}); {help}"
            ),
        },
    };
    (Arc::new(Hint { line, served }), false)
}
