use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::codegen::http::header::{AUTHORIZATION, HeaderValue};
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::error::status_with_reason;
use crate::reason;
use crate::retry::{Throttle, is_retried, timeout_of, with_retries};

/// An error of the credential function.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(crate) type MakeChannel = Box<dyn Fn() -> Channel + Send + Sync>;

/// The credential of each call.
pub(crate) enum Credential {
    Fixed(String),
    Function(Box<dyn Fn() -> CredentialFuture + Send + Sync>),
}

pub(crate) type CredentialFuture = Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>>;

/// One connection of a client.
#[derive(Clone)]
pub(crate) struct Connection {
    channel: Channel,
    /// Counts the connections of the client.
    number: u64,
}

/// The client's present connection, which can be replaced. Calls that have begun stay on the old
/// connection, which closes when the last of them has ended.
pub(crate) struct Link {
    make: MakeChannel,
    current: Mutex<Connection>,
    credential: Option<Credential>,
    throttle: Throttle,
}

impl Link {
    pub(crate) fn new(make: MakeChannel, credential: Option<Credential>) -> Self {
        let current = Mutex::new(Connection {
            channel: make(),
            number: 0,
        });
        Link {
            make,
            current,
            credential,
            throttle: Throttle::new(),
        }
    }

    pub(crate) fn connection(&self) -> Connection {
        self.lock().clone()
    }

    /// Makes later calls use another connection than `silent`.
    pub(crate) fn replace(&self, silent: &Connection) {
        let mut current = self.lock();
        if current.number == silent.number {
            *current = Connection {
                channel: (self.make)(),
                number: silent.number + 1,
            };
        }
    }

    /// Whether the next call may have another credential.
    pub(crate) fn has_credential_function(&self) -> bool {
        matches!(self.credential, Some(Credential::Function(_)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn authorization(&self) -> Result<Option<HeaderValue>, Status> {
        let credential = match &self.credential {
            None => return Ok(None),
            Some(Credential::Fixed(credential)) => credential.clone(),
            Some(Credential::Function(function)) => function().await.map_err(credential_error)?,
        };
        let mut value = HeaderValue::try_from(format!("Bearer {credential}"))
            .map_err(|_| Status::invalid_argument("the credential contains a control character"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// A status of the credential function ends the call as it is. The text of another error may contain
/// a secret.
fn credential_error(error: BoxError) -> Status {
    match error.downcast::<Status>() {
        Ok(status) => *status,
        Err(_) => status_with_reason(
            Code::Unavailable,
            reason::CREDENTIAL_UNAVAILABLE,
            "the credential function failed",
        ),
    }
}

/// The service below the stub: it sends the credential with each call, and tries List and Remove
/// again after `UNAVAILABLE`, as the gateway's published service config says.
#[derive(Clone)]
pub struct Transport {
    link: Arc<Link>,
    /// The connection to use. `None`: the client's present one.
    connection: Option<Connection>,
}

impl Transport {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Transport {
            link,
            connection: None,
        }
    }

    pub(crate) fn on(link: Arc<Link>, connection: Connection) -> Self {
        Transport {
            link,
            connection: Some(connection),
        }
    }

    async fn run(self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        if let Some(value) = self.link.authorization().await? {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        if is_retried(request.uri().path()) {
            self.retry(request).await
        } else {
            self.send(request).await
        }
    }

    async fn retry(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let timeout = timeout_of(request.headers()).unwrap_or(Duration::MAX);
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let attempt = || {
            self.send(Request::from_parts(
                parts.clone(),
                Body::new(Full::new(body.clone())),
            ))
        };
        tokio::time::timeout(timeout, with_retries(&self.link.throttle, attempt))
            .await
            .unwrap_or_else(|_| Err(Status::deadline_exceeded("the call's deadline passed")))
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let mut channel = match &self.connection {
            Some(connection) => connection.channel.clone(),
            None => self.link.connection().channel,
        };
        let result = match poll_fn(|cx| channel.poll_ready(cx)).await {
            Ok(()) => channel.call(request).await,
            Err(error) => Err(error),
        };
        result.map_err(|error| Status::from_error(error.into()))
    }
}

impl Service<Request<Body>> for Transport {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<Response<Body>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        // The connection is chosen when the call begins.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().run(request))
    }
}
