//! A `RecordedEvent` written by hand: a catch-up read of a million events spends its time here.

use bytes::BytesMut;
use prost::Message;
use prost::encoding::{self, WireType, encode_key, encode_varint, encoded_len_varint};

use crate::event::Event;
use crate::wire::event_store::client::streams::{ReadResp, read_resp};
use crate::wire::event_store::client::{Uuid as WireUuid, uuid};

/// How the reader wants it.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Ids as text, or as two numbers.
    pub(crate) text_ids: bool,
    /// Servers before 22.6 gave no positions in reads of one stream.
    pub(crate) positions: bool,
}

/// The answer that carries one event; `room` is carved up, so that a page costs one allocation.
pub(crate) fn event_response(event: &Event, shape: Shape, room: &mut BytesMut) -> ReadResp {
    recorded(event, shape, room);
    let position = if shape.positions {
        read_resp::read_event::Position::CommitPosition(event.position)
    } else {
        read_resp::read_event::Position::NoPosition(Default::default())
    };
    let event = read_resp::ReadEvent {
        event: room.split().freeze(),
        position: Some(position),
    };
    ReadResp {
        content: Some(read_resp::Content::Event(event)),
    }
}

fn recorded(event: &Event, shape: Shape, to: &mut BytesMut) {
    if shape.text_ids {
        // UUID { string = 2 } as field 1: 36 characters, so every length is known.
        encode_key(1, WireType::LengthDelimited, to);
        encode_varint(38, to);
        encode_key(2, WireType::LengthDelimited, to);
        encode_varint(36, to);
        let mut text = [0; 36];
        to.extend_from_slice(event.id.as_hyphenated().encode_lower(&mut text).as_bytes());
    } else {
        let id = wire_uuid(event.id);
        encode_key(1, WireType::LengthDelimited, to);
        encode_varint(id.encoded_len() as u64, to);
        // Into a buffer that grows: it cannot run out of room.
        let _ = id.encode(to);
    }
    // StreamIdentifier { stream_name = 3 } as field 2.
    let name = event.stream.as_bytes();
    encode_key(2, WireType::LengthDelimited, to);
    encode_varint(
        (1 + encoded_len_varint(name.len() as u64) + name.len()) as u64,
        to,
    );
    text(3, name, to);
    encoding::uint64::encode(3, &event.revision, to);
    // `Position.End`, as the server writes a position it does not know.
    let position = if shape.positions { event.position } else { u64::MAX };
    encoding::uint64::encode(4, &position, to);
    encoding::uint64::encode(5, &position, to);
    entry("type", event.kind.as_bytes(), to);
    let mut digits = [0; 20];
    entry("created", decimal(event.created, &mut digits), to);
    let content_type: &[u8] = if event.json {
        b"application/json"
    } else {
        b"application/octet-stream"
    };
    entry("content-type", content_type, to);
    text(7, &event.metadata, to);
    text(8, &event.data, to);
}

/// One entry of the map `metadata = 6`.
fn entry(key: &str, value: &[u8], to: &mut BytesMut) {
    let length = 2 + key.len() + 1 + encoded_len_varint(value.len() as u64) + value.len();
    encode_key(6, WireType::LengthDelimited, to);
    encode_varint(length as u64, to);
    text(1, key.as_bytes(), to);
    text(2, value, to);
}

fn text(tag: u32, value: &[u8], to: &mut BytesMut) {
    encode_key(tag, WireType::LengthDelimited, to);
    encode_varint(value.len() as u64, to);
    to.extend_from_slice(value);
}

fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut from = digits.len();
    loop {
        from -= 1;
        digits[from] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[from..];
        }
    }
}

pub(crate) fn wire_uuid(id: ::uuid::Uuid) -> WireUuid {
    let (most, least) = id.as_u64_pair();
    WireUuid {
        value: Some(uuid::Value::Structured(uuid::Structured {
            most_significant_bits: most.cast_signed(),
            least_significant_bits: least.cast_signed(),
        })),
    }
}

/// An id as either form of the wire has it.
pub(crate) fn uuid_of(id: Option<WireUuid>) -> Option<::uuid::Uuid> {
    match id?.value? {
        uuid::Value::String(text) => text.parse().ok(),
        uuid::Value::Structured(pair) => Some(::uuid::Uuid::from_u64_pair(
            pair.most_significant_bits.cast_unsigned(),
            pair.least_significant_bits.cast_unsigned(),
        )),
    }
}
