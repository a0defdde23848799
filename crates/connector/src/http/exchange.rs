//! A question of the client's own, whole and small: a token, a certificate.

use bytes::{Bytes, BytesMut};
use reqwest::Method;
use reqwest::header::HeaderMap;

use super::Http;
use super::transport::of_transport;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};

/// What is asked. Nothing is added but who we are; redirects are not followed.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) method: Method,
    pub(super) url: SourceUrl,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Http {
    /// Asks once.
    pub(super) async fn exchange(
        &self,
        letter: &Letter,
        bytes_max: usize,
    ) -> Result<Reply, ConnectorError> {
        let url = &letter.url;
        self.guard(url)
            .await
            .map_err(|error| self.is_private(&error, url))?;
        let sent = self
            .inner
            .client
            .request(letter.method.clone(), url.expose().clone())
            .headers(self.introduction())
            .headers(letter.headers.clone())
            .body(letter.body.clone())
            .send()
            .await;
        let failed = |error: reqwest::Error| of_transport(self, &error, url);
        let mut answer = sent.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > bytes_max {
                let message = format!("the answer is larger than {bytes_max} bytes");
                return Err(ConnectorError::new(ErrorKind::TooLarge, message).at(url));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply {
            status: answer.status().as_u16(),
            body: body.freeze(),
        })
    }
}
