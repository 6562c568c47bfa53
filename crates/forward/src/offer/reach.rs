//! The way to a destination: its route, the peer's first bytes where they matter, and the connection.

use std::sync::Arc;
use std::time::Duration;

use endpoint::{
    Conn, ErrorKind, Grants, HOW_TO_ALLOW, Info, Offer, Reason, Refusal, RefusalKind, exposed,
};
use tokio::time::{Instant, timeout};
use tracing::{Span, field};

use super::Opening;
use super::denial::{Denied, out_of_time, told};
use crate::endings::Wanted;
use crate::refusals::Refused;
use crate::{Destination, patience};

/// A destination that is connected.
pub(super) struct Reached {
    pub(super) conn: Conn,
    pub(super) grants: Grants,
    pub(super) name: Arc<str>,
}

impl Opening<'_> {
    /// The destination, if this listener may be in front of it.
    pub(super) async fn route(self, info: &Info) -> Result<Destination, Denied> {
        let destination = self.shared.route.route(info).await.map_err(Denied::Refused)?;
        Span::current().record("destination", field::display(&destination.name));
        let grants = destination.connector.grants();
        if self.at.exposure.allows(grants) {
            return Ok(destination);
        }
        let cause = exposed(grants, &destination.name);
        let help = Some(HOW_TO_ALLOW);
        let text = cause.clone();
        let (endpoint, reason, of_client) = (&*destination.name, Reason::Forbidden, false);
        let refused = Refused { text, endpoint, cause, reason, of_client, help };
        self.shared.refusals.log(refused);
        let words = "this listener has no `auth`, which the destination requires";
        Err(Denied::Refused(Refusal::new(RefusalKind::Forbidden, words)))
    }

    pub(super) async fn dial(
        self,
        destination: &Destination,
        info: &Info,
    ) -> Result<Reached, Denied> {
        let connector = &destination.connector;
        // A device that a session still has which is ending: it gives way.
        let mut attempts = self.shared.endings.attempts();
        let connect = async {
            loop {
                let conn = connector.connect(&self.shared.cx, info).await;
                let is_busy = conn.as_ref().is_err_and(|error| error.kind() == ErrorKind::Busy);
                let wanted = Wanted::Destination(&destination.name);
                if !is_busy || !attempts.next(wanted).await {
                    return conn;
                }
            }
        };
        // The same limit as the whole decision's, here where what isn't reached in time has a name.
        match patience::timeout_at(self.by, connect).await {
            Some(Ok(conn)) => {
                let name = Arc::clone(&destination.name);
                Ok(Reached { conn, grants: connector.grants(), name })
            }
            Some(Err(error)) => {
                self.shared.refusals.log(Refused::of(&error));
                Err(Denied::Unreachable(told(&error, connector.grants())))
            }
            None => {
                let within = destination.connector.patience().unwrap_or(self.shared.timers.connect);
                let name = &destination.name;
                let cause = format!("no answer within {within:?}");
                let text = format!("cannot connect {name}: {cause}");
                let (reason, of_client, help) = (Reason::Timeout, false, None);
                let refused = Refused { text, endpoint: name, cause, reason, of_client, help };
                self.shared.refusals.log(refused);
                Err(out_of_time())
            }
        }
    }

    /// Sets the time limit of connecting to this destination.
    pub(super) fn patient(mut self, destination: &Destination) -> Self {
        if let Some(patience) = destination.connector.patience() {
            // Longer than any client waits: timers can't add up to for ever.
            let by = Instant::now() + patience.min(FOR_EVER);
            self.by = self.by.max(by);
        }
        self
    }

    /// Waits for the peer's first bytes, for a moment: a request from a web page must not start a
    /// program. A peer that waits for the destination to send first isn't delayed any longer than
    /// that.
    pub(super) async fn screen(self, offer: &mut Offer) -> Result<(), Denied> {
        tokio::select! {
            biased;
            () = self.shared.closing(self.stop) => Err(Denied::Closing),
            screened = timeout(FIRST_BYTES, offer.screen()) => {
                screened.unwrap_or(Ok(())).map_err(Denied::Refused)
            }
        }
    }
}

/// A year.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// A browser sends its request at once. A person who types doesn't notice.
const FIRST_BYTES: Duration = Duration::from_millis(100);
