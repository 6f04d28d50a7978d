//! The services as generated, on top of what the other modules do.

use std::pin::Pin;
use std::sync::atomic::Ordering;

use futures::stream::{self, Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::append::{append, stream_name};
use crate::batch::batch_append;
use crate::call::{Call, Seat};
use crate::encode::{Shape, wire_uuid};
use crate::filter::Filter;
use crate::read::{Cursor, Read, invalid_combination, read};
use crate::status;
use crate::subscribe::{Followed, subscribe};
use crate::wire::event_store::client::Empty;
use crate::wire::event_store::client::gossip::gossip_server::Gossip;
use crate::wire::event_store::client::gossip::member_info::VNodeState;
use crate::wire::event_store::client::gossip::{ClusterInfo, EndPoint, MemberInfo};
use crate::wire::event_store::client::server_features::server_features_server::ServerFeatures;
use crate::wire::event_store::client::server_features::{SupportedMethod, SupportedMethods};
use crate::wire::event_store::client::streams as wire;
use crate::wire::event_store::client::streams::read_req::options;
use crate::wire::event_store::client::streams::streams_server::Streams;

/// The version the stand-in gives itself out as.
pub const SERVER_VERSION: &str = "24.10.4";

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Streams for Seat {
    type ReadStream = Responses<wire::ReadResp>;
    type BatchAppendStream = Responses<wire::BatchAppendResp>;

    async fn read(&self, request: Request<wire::ReadReq>) -> Result<Response<Self::ReadStream>, Status> {
        let call = Call::new(self, &request)?;
        if !call.allowed() {
            return Err(status::access_denied());
        }
        call.slow().await?;
        if let Some(refusal) = self
            .shared
            .faults
            .strike_read()
            .and_then(|fault| call.refusal(fault))
        {
            return Err(refusal);
        }
        call.check_leader()?;
        let options = request.into_inner().options.ok_or_else(invalid_combination)?;
        let pages: Pin<Box<dyn Stream<Item = Vec<wire::ReadResp>> + Send>> = self.pages(call, options)?;
        Ok(Response::new(Box::pin(
            pages.flat_map(|page| stream::iter(page.into_iter().map(Ok))),
        )))
    }

    async fn append(
        &self,
        request: Request<Streaming<wire::AppendReq>>,
    ) -> Result<Response<wire::AppendResp>, Status> {
        let call = Call::new(self, &request)?;
        append(call, request.into_inner()).await.map(Response::new)
    }

    async fn batch_append(
        &self,
        request: Request<Streaming<wire::BatchAppendReq>>,
    ) -> Result<Response<Self::BatchAppendStream>, Status> {
        let call = Call::new(self, &request)?;
        Ok(Response::new(Box::pin(batch_append(call, request.into_inner()))))
    }

    async fn delete(&self, _: Request<wire::DeleteReq>) -> Result<Response<wire::DeleteResp>, Status> {
        Err(Status::unimplemented("the stand-in deletes nothing"))
    }

    async fn tombstone(
        &self,
        _: Request<wire::TombstoneReq>,
    ) -> Result<Response<wire::TombstoneResp>, Status> {
        Err(Status::unimplemented("the stand-in deletes nothing"))
    }
}

impl Seat {
    fn pages(&self, call: Call, options: wire::read_req::Options) -> Result<Responses2, Status> {
        let text_ids = match options.uuid_option.and_then(|option| option.content) {
            Some(options::uuid_option::Content::String(_)) => true,
            Some(options::uuid_option::Content::Structured(_)) => false,
            None => return Err(Status::invalid_argument("'uuidOption' is a required argument")),
        };
        let backwards = options.read_direction == options::ReadDirection::Backwards as i32;
        let filter = match options.filter_option {
            Some(options::FilterOption::Filter(filter)) => Some(Filter::new(filter)?),
            Some(options::FilterOption::NoFilter(_)) => None,
            None => return Err(invalid_combination()),
        };
        let bounds = options
            .control_option
            .is_some_and(|option| option.compatibility >= 1);
        let all = matches!(options.stream_option, Some(options::StreamOption::All(_)));
        let positions = all || !self.shared.without_positions.load(Ordering::SeqCst);
        let shape = Shape { text_ids, positions };
        match (options.count_option, options.stream_option) {
            (Some(options::CountOption::Count(count)), Some(from)) => {
                let cursor = cursor(from, backwards)?;
                if filter.is_some() && !all {
                    return Err(invalid_combination());
                }
                let one = Read {
                    cursor,
                    left: count,
                    filter,
                    shape,
                    bounds,
                    first: true,
                };
                Ok(Box::pin(read(call, one)))
            }
            (Some(options::CountOption::Subscription(_)), Some(from)) if !backwards => {
                let followed = self.followed(from, filter)?;
                Ok(Box::pin(subscribe(call, followed, shape)))
            }
            _ => Err(invalid_combination()),
        }
    }

    /// Subscriptions begin after what they name.
    fn followed(&self, from: options::StreamOption, filter: Option<Filter>) -> Result<Followed, Status> {
        use options::all_options::AllOption as From;
        use options::stream_options::RevisionOption as Revision;
        match from {
            options::StreamOption::Stream(options) => {
                let stream = stream_name(options.stream_identifier);
                let next = match options.revision_option {
                    None | Some(Revision::Start(_)) => 0,
                    Some(Revision::Revision(at)) => at.saturating_add(1),
                    Some(Revision::End(_)) => {
                        u64::try_from(self.shared.state().last(&stream) + 1).unwrap_or(0)
                    }
                };
                if filter.is_some() {
                    Err(invalid_combination())
                } else {
                    Ok(Followed::Stream { stream, next })
                }
            }
            options::StreamOption::All(options) => {
                let next = match options.all_option {
                    None | Some(From::Start(_)) => 0,
                    Some(From::Position(at)) => at.commit_position.saturating_add(1),
                    Some(From::End(_)) => self
                        .shared
                        .state()
                        .events
                        .last()
                        .map_or(0, |event| event.position + 1),
                };
                Ok(Followed::All { next, filter })
            }
        }
    }
}

type Responses2 = Pin<Box<dyn Stream<Item = Vec<wire::ReadResp>> + Send>>;

/// Reads begin at what they name, except `$all` backwards.
fn cursor(from: options::StreamOption, backwards: bool) -> Result<Cursor, Status> {
    use options::all_options::AllOption as From;
    use options::stream_options::RevisionOption as Revision;
    Ok(match from {
        options::StreamOption::Stream(options) => {
            let stream = stream_name(options.stream_identifier);
            let next = match options.revision_option {
                Some(Revision::Revision(at)) => at,
                Some(Revision::Start(_)) => 0,
                Some(Revision::End(_)) => u64::MAX,
                None => return Err(invalid_combination()),
            };
            if backwards {
                Cursor::StreamBackwards {
                    stream,
                    next: Some(next),
                }
            } else {
                Cursor::StreamForwards { stream, next }
            }
        }
        options::StreamOption::All(options) => {
            let at = match options.all_option {
                Some(From::Position(at)) => at.commit_position,
                Some(From::Start(_)) => 0,
                Some(From::End(_)) => u64::MAX,
                None => return Err(invalid_combination()),
            };
            if backwards {
                Cursor::AllBackwards { before: at }
            } else {
                Cursor::AllForwards { next: at }
            }
        }
    })
}

#[tonic::async_trait]
impl Gossip for Seat {
    async fn read(&self, _: Request<Empty>) -> Result<Response<ClusterInfo>, Status> {
        let leader = self.shared.leader.load(Ordering::SeqCst);
        let nodes = self.shared.nodes();
        let members = nodes.iter().enumerate().map(|(index, node)| {
            let state = if index == leader {
                VNodeState::Leader
            } else {
                VNodeState::Follower
            };
            MemberInfo {
                instance_id: Some(wire_uuid(uuid::Uuid::from_u128(0x7165_0000 + index as u128))),
                time_stamp: i64::try_from(crate::state::now_in_ticks()).unwrap_or(i64::MAX),
                state: state as i32,
                is_alive: node.running.is_some(),
                http_end_point: Some(EndPoint {
                    address: "127.0.0.1".to_owned(),
                    port: u32::from(node.port),
                }),
            }
        });
        Ok(Response::new(ClusterInfo {
            members: members.collect(),
        }))
    }
}

#[tonic::async_trait]
impl ServerFeatures for Seat {
    async fn get_supported_methods(&self, _: Request<Empty>) -> Result<Response<SupportedMethods>, Status> {
        let methods = ["read", "append", "batchappend"].map(|name| SupportedMethod {
            method_name: name.to_owned(),
            service_name: "event_store.client.streams.streams".to_owned(),
            features: Vec::new(),
        });
        Ok(Response::new(SupportedMethods {
            methods: methods.to_vec(),
            event_store_server_version: SERVER_VERSION.to_owned(),
        }))
    }
}
