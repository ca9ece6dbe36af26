//! A message that goes out in pieces, so that it needs no memory of its own length, and
//! so that the socket hears and pings between two of them.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// A message up to this length goes out as it is.
const PIECE: usize = 256 << 10;

pub(super) struct Outgoing {
    pieces: BoxStream<'static, storage::Result<Bytes>>,
    left: u64,
    /// What the next frame is: of the message's kind, and then a continuation.
    next: Data,
}

impl Outgoing {
    /// All of a file.
    pub(super) fn file(file: &storage::BlobFile) -> Self {
        Self {
            pieces: file.stream(0..file.size()).boxed(),
            left: file.size(),
            next: Data::Binary,
        }
    }

    /// A message, where it is so long that it is better cut.
    pub(super) fn cut(message: Message) -> Result<Self, Message> {
        let kind = match &message {
            Message::Text(text) if text.len() > PIECE => Data::Text,
            Message::Binary(bytes) if bytes.len() > PIECE => Data::Binary,
            _ => return Err(message),
        };
        let mut rest = message.into_data();
        let left = rest.len() as u64;
        let pieces = std::iter::from_fn(move || {
            let piece = rest.split_to(PIECE.min(rest.len()));
            (!piece.is_empty()).then_some(Ok(piece))
        });
        Ok(Self {
            pieces: stream::iter(pieces).boxed(),
            left,
            next: kind,
        })
    }

    /// The next frame, or nothing when the message cannot be finished. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Message> {
        let piece = self.pieces.next().await?.ok()?;
        self.left = self.left.saturating_sub(piece.len() as u64);
        let kind = std::mem::replace(&mut self.next, Data::Continue);
        let frame = Frame::message(piece, OpCode::Data(kind), self.left == 0);
        Some(Message::Frame(frame))
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_message_is_cut_into_frames_that_are_it() {
        let text = "é".repeat(PIECE);
        let mut outgoing = Outgoing::cut(Message::text(text.clone())).expect("cut");
        let (mut all, mut kinds) = (Vec::new(), Vec::new());
        while !outgoing.is_done() {
            let Some(Message::Frame(frame)) = outgoing.next().await else {
                panic!("it ends early");
            };
            kinds.push((frame.header().opcode, frame.header().is_final));
            all.extend_from_slice(frame.payload());
        }
        assert!(all == text.as_bytes());
        let expected = [
            (OpCode::Data(Data::Text), false),
            (OpCode::Data(Data::Continue), true),
        ];
        assert_eq!(kinds, expected);
        assert!(Outgoing::cut(Message::text("short")).is_err());
    }
}
