//! Opening what descriptors name.

use std::sync::OnceLock;

use descriptor::{Diagnostic, Syntax};
use endpoint::{Conn, Connector, Context, Info, Listener};
use plan::{Plan, Registry};

use crate::given::Given;
use crate::{BadDescriptor, Error, Listening, Result, Which};

/// Connects to the endpoint that `text` names.
///
/// [`Conn::into_io`] makes tokio's `AsyncRead + AsyncWrite` of it; [`Conn::transport`] has the
/// messages, where the endpoint keeps boundaries.
///
/// # Errors
/// `text` has mistakes, or the endpoint can't be connected. There is no limit of time but the
/// endpoint's own.
///
/// # Cancel safety
/// Dropping the future gives up the attempt, and leaves nothing open.
pub async fn connect(text: &str) -> Result<Conn> {
    ours().connect(text).await
}

/// Listens on the endpoint that `text` names.
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut listening = endpointforward::listen("tcp:0:interface=127.0.0.1").await?;
/// let client = endpointforward::connect(&format!(
///     "tcp:127.0.0.1:{}",
///     listening.local().address.expect("tcp has one").port()
/// ))
/// .await?;
/// client.into_io().write_all(b"hello").await?;
///
/// let served = listening.accept().await.expect("the listener goes on");
/// let mut said = [0; 5];
/// served.into_io().read_exact(&mut said).await?;
/// assert_eq!(&said, b"hello");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `text` has mistakes, or the endpoint can't be opened.
pub async fn listen(text: &str) -> Result<Listening> {
    ours().listen(text).await
}

/// Returns a registry of all built-in kinds. [`Registry::add`] adds others.
#[must_use]
pub fn registry() -> Registry {
    Registry::with(::endpoints::KINDS).add_slip(::endpoints::foreign)
}

/// The definitions and state that descriptors are parsed and opened with: the kinds that they may
/// name, the syntax, and the context that opened endpoints share.
///
/// ```
/// use endpointforward::{Endpoints, Syntax};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoints = Endpoints::new().syntax(Syntax::Twisted);
/// let _listening = endpoints.listen("mem:service").await?;
/// // `mem` names exist only within a shared context.
/// endpoints.connect("mem:service").await?;
/// assert!(Endpoints::new().connect("mem:service").await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Endpoints {
    registry: Registry,
    syntax: Syntax,
    context: Context,
}

impl Endpoints {
    /// Creates endpoints of all built-in kinds, with the extended syntax and a new context with the environment of this
    /// process, for the programs that are started.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "programs inherit the environment, as anywhere")]
    pub fn new() -> Self {
        let context = Context::with_environment(std::env::vars_os());
        Self { registry: registry(), syntax: Syntax::default(), context }
    }

    /// Sets the kinds.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// Sets the syntax.
    #[must_use]
    pub fn syntax(mut self, syntax: Syntax) -> Self {
        self.syntax = syntax;
        self
    }

    /// Sets the context; [`Context::new`] has no environment.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// Returns the kinds.
    #[must_use]
    pub fn kinds(&self) -> &Registry {
        &self.registry
    }

    /// Returns the context.
    #[must_use]
    pub fn shared(&self) -> &Context {
        &self.context
    }

    /// Plans an endpoint to listen on, and opens nothing.
    ///
    /// # Errors
    /// The mistakes of `text`.
    pub fn listener(&self, text: &str) -> Result<Plan<dyn Listener>, Vec<Diagnostic>> {
        self.registry.listener(text, self.syntax)
    }

    /// Plans an endpoint to connect to, and opens nothing.
    ///
    /// # Errors
    /// The mistakes of `text`.
    pub fn connector(&self, text: &str) -> Result<Plan<dyn Connector>, Vec<Diagnostic>> {
        self.registry.connector(text, self.syntax)
    }

    /// Connects to the endpoint that `text` names, as [`connect`] does.
    ///
    /// # Errors
    /// Those of [`connect`].
    pub async fn connect(&self, text: &str) -> Result<Conn> {
        let plan = self.connector(text).map_err(|found| bad(text, found))?;
        Ok(plan.endpoint.connect(&self.context, &Info::new()).await?)
    }

    /// Listens on the endpoint that `text` names, as [`listen`] does.
    ///
    /// # Errors
    /// Those of [`listen`].
    pub async fn listen(&self, text: &str) -> Result<Listening> {
        let plan = self.listener(text).map_err(|found| bad(text, found))?;
        Ok(Listening::new(plan.endpoint.bind(&self.context).await?))
    }

    /// Opens the client's side of a protocol over a connection that the program has opened. `text` is a descriptor without the
    /// endpoint beneath, such as `ws:path=/chat` or `tls:name=example.com`.
    ///
    /// ```
    /// use endpointforward::{Conn, Endpoints};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let endpoints = Endpoints::new();
    /// let (near, far) = tokio::io::duplex(4096);
    /// let mut server = endpoints.listen_over("ws", Conn::from_io(far)).await?;
    /// let (client, server) = tokio::join!(
    ///     endpoints.connect_over("ws", Conn::from_io(near)),
    ///     server.accept(),
    /// );
    /// let (mut client, mut server) = (client?.into_io(), server.expect("it is open").into_io());
    /// client.write_all(b"hello").await?;
    /// client.flush().await?;
    /// let mut said = [0; 5];
    /// server.read_exact(&mut said).await?;
    /// assert_eq!(&said, b"hello");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `text` has mistakes, its kind runs over no other endpoint, or the handshake failed. There is no limit of time
    /// but the kind's own.
    ///
    /// # Cancel safety
    /// Dropping the future closes `conn`.
    pub async fn connect_over(&self, text: &str, conn: Conn) -> Result<Conn> {
        let beneath = Given::new(conn).connector();
        let plan = self.registry.connector_over(text, self.syntax, beneath);
        let plan = plan.map_err(|found| bad(text, found))?;
        Ok(plan.endpoint.connect(&self.context, &Info::new()).await?)
    }

    /// Opens the server's side of a protocol over a connection that the program has opened. It accepts what the client
    /// requests in this one connection, and then `None`. `text` is a descriptor without the endpoint beneath, as for
    /// [`Endpoints::connect_over`].
    ///
    /// # Errors
    /// `text` has mistakes, its kind runs over no other endpoint, or a file that it needs can't be read.
    pub async fn listen_over(&self, text: &str, conn: Conn) -> Result<Listening> {
        let beneath = Given::new(conn).listener();
        let plan = self.registry.listener_over(text, self.syntax, beneath);
        let plan = plan.map_err(|found| bad(text, found))?;
        Ok(Listening::new(plan.endpoint.bind(&self.context).await?))
    }
}

impl Default for Endpoints {
    fn default() -> Self {
        Self::new()
    }
}

fn bad(text: &str, found: Vec<Diagnostic>) -> Error {
    let text = text.to_owned();
    Error::Descriptor(vec![BadDescriptor { which: Which::Only, text, diagnostics: found }])
}

/// Returns the endpoints that [`connect`] and [`listen`] share, so that `mem` and the turn at
/// `stdio` are the process's.
fn ours() -> &'static Endpoints {
    static OURS: OnceLock<Endpoints> = OnceLock::new();
    OURS.get_or_init(Endpoints::new)
}
