use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::Error;
use crate::proto::participant_service_client::ParticipantServiceClient;
use crate::transport::{BoxError, Credential, Link, MakeChannel, Transport};
use crate::watch::{Watch, WatchOptions};

/// The server closes connections that ping more often than every 5 s.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A snapshot of a large conference is larger than tonic's limit of 4 MiB.
pub(crate) const MAX_MESSAGE: usize = 64 << 20;

/// The generated stub. Its errors become [`Error`] values with `?`.
pub type Stub = ParticipantServiceClient<Transport>;

/// A client of one gateway. Clones share the connection, which closes when the last clone, stub and
/// watch are dropped.
#[derive(Clone)]
pub struct Client {
    link: Arc<Link>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Begins a client of the gateway at `target`: `host:port` or `http://host:port` for plaintext,
    /// `https://host:port` for TLS (feature `tls`).
    pub fn builder(target: impl Into<String>) -> Builder {
        Builder {
            source: Source::Target(target.into()),
            credential: None,
        }
    }

    /// Begins a client with channels of your own, for example with a Unix socket, a private
    /// certificate authority or [`Channel::balance_list`].
    ///
    /// `make` returns a channel that connects lazily. It is called once now, and again when a
    /// connection is silent. Set `http2_keep_alive_interval` (5 s at least) and `keep_alive_timeout`.
    pub fn builder_with(make: impl Fn() -> Channel + Send + Sync + 'static) -> Builder {
        Builder {
            source: Source::Make(Box::new(make)),
            credential: None,
        }
    }

    /// The generated stub, for every call that this crate has no method for.
    pub fn service(&self) -> Stub {
        stub(Transport::new(Arc::clone(&self.link)))
    }

    /// Returns the states of a conference: first a snapshot (or, with
    /// [`WatchOptions::resume_from`], what changed since, or [`Event::Freshness`](crate::Event::Freshness)
    /// if nothing did), then each batch of changes, each change of the freshness, and the end.
    ///
    /// When a stream breaks, the watch gives one state of
    /// [`Event::Disconnected`](crate::Event::Disconnected), waits, and calls again with the last
    /// position, so that no change is lost or repeated. It waits 0.25 s, doubled with each failure up
    /// to 10 s, but at least as long as the gateway asks for; and up to a quarter longer, by chance.
    /// A connection that is silent for two heartbeat intervals is replaced by a new one.
    ///
    /// The stream ends after [`Event::End`](crate::Event::End), or after an error when another call
    /// cannot help: `INVALID_ARGUMENT`, `NOT_FOUND`, `PERMISSION_DENIED`, `UNAUTHENTICATED`,
    /// `FAILED_PRECONDITION`, `UNIMPLEMENTED`, `OUT_OF_RANGE` or `ALREADY_EXISTS`. The exception is
    /// `UNAUTHENTICATED` on a call that had got a message, with a credential function: the watch calls
    /// once more with the next credential.
    ///
    /// Drop the stream to cancel the call. The watch reads the next message when it is polled: a slow
    /// consumer loses nothing, because the gateway keeps the changes, or sends a new snapshot.
    pub fn watch(&self, conference: impl Into<String>, options: WatchOptions) -> Watch {
        Watch::new(Arc::clone(&self.link), conference.into(), options)
    }
}

pub(crate) fn stub(transport: Transport) -> Stub {
    ParticipantServiceClient::new(transport).max_decoding_message_size(MAX_MESSAGE)
}

enum Source {
    Target(String),
    Make(MakeChannel),
}

/// Builds a [`Client`].
pub struct Builder {
    source: Source,
    credential: Option<Credential>,
}

impl Builder {
    /// Sends this API key or bearer token with every call. Without TLS everybody on the way can read it.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.credential = Some(Credential::Fixed(key.into()));
        self
    }

    /// Sends the API key or bearer token that `credential` returns with every call. It is called for
    /// every call, and should return a cached value where it can. A watch whose token expires goes on
    /// with the next token.
    ///
    /// A [`tonic::Status`] as error ends the call with this status; any other error is `UNAVAILABLE`,
    /// reason [`CREDENTIAL_UNAVAILABLE`](crate::reason::CREDENTIAL_UNAVAILABLE), so that a watch tries again.
    pub fn credential<F, Fut>(mut self, credential: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, BoxError>> + Send + 'static,
    {
        self.credential = Some(Credential::Function(Box::new(move || Box::pin(credential()))));
        self
    }

    /// Makes the client, which connects with its first call. Call this in a Tokio runtime.
    ///
    /// While a call is open, the connection sends a keepalive ping after 10 s without traffic, and is
    /// closed if the answer takes longer than 5 s.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if the target is no address, or `https` without the feature `tls`.
    /// `FAILED_PRECONDITION` outside of a Tokio runtime.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        if Handle::try_current().is_err() {
            return Err(Error::new(
                Code::FailedPrecondition,
                "",
                "there is no Tokio runtime",
            ));
        }
        let make = match self.source {
            Source::Target(target) => {
                let endpoint = endpoint(target)?;
                Box::new(move || endpoint.connect_lazy())
            }
            Source::Make(make) => make,
        };
        Ok(Client {
            link: Arc::new(Link::new(make, self.credential)),
        })
    }
}

fn endpoint(target: String) -> Result<Endpoint, Error> {
    let uri = if target.contains("://") {
        target
    } else {
        format!("http://{target}")
    };
    let tls = uri.starts_with("https://");
    let endpoint = Endpoint::from_shared(uri)
        .map_err(invalid)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    if tls { with_tls(endpoint) } else { Ok(endpoint) }
}

#[cfg(feature = "tls")]
fn with_tls(endpoint: Endpoint) -> Result<Endpoint, Error> {
    endpoint
        .tls_config(tonic::transport::ClientTlsConfig::new().with_native_roots())
        .map_err(invalid)
}

#[cfg(not(feature = "tls"))]
fn with_tls(_: Endpoint) -> Result<Endpoint, Error> {
    Err(invalid("https needs the feature `tls`"))
}

fn invalid(cause: impl fmt::Display) -> Error {
    Error::new(Code::InvalidArgument, "", format!("invalid target: {cause}"))
}
