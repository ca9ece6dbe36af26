//! One request and its answer, with whatever goes wrong with it.

use super::faults::Fault;
use super::routes::{self, Route};
use super::wire::{Connection, Head, Reply};
use super::{Host, Shared, TOKEN, uploads};
use std::io;

/// Answers the next request; whether the connection goes on after it.
pub(super) async fn exchange(
    host: Host,
    connection: &mut Connection,
    shared: &Shared,
) -> io::Result<bool> {
    let Some(head) = connection.head().await? else {
        return Ok(false);
    };
    let route = routes::route(host, &head);
    let fault = shared.faults.begin(route.step());
    let (headers, too_many) = match host {
        Host::Api => shared.faults.counted(),
        Host::Batch | Host::Uploads => (Vec::new(), false),
    };
    shared.faults.moment().await?;
    shared.faults.wait().await;
    let reply = if too_many {
        connection.discard().await?;
        Some(Reply::error(
            429,
            971,
            "Please wait and consider throttling your request speed",
        ))
    } else if !is_authorised(host, &head, shared) {
        connection.discard().await?;
        Some(Reply::error(401, 10000, "Authentication error"))
    } else {
        answer(&route, &head, connection, shared, fault).await?
    };
    let Some(mut reply) = reply else {
        return Ok(false);
    };
    reply.headers.extend(headers);
    connection.reply(&head, &reply).await?;
    Ok(head
        .header("connection")
        .is_none_or(|value| value != "close"))
}

async fn answer(
    route: &Route,
    head: &Head,
    connection: &mut Connection,
    shared: &Shared,
    fault: Option<Fault>,
) -> io::Result<Option<Reply>> {
    let Some(fault) = fault else {
        let reply = routes::act(route, head, connection, shared).await?;
        shared.faults.moment().await?;
        return Ok(Some(reply));
    };
    if fault.silent {
        connection.until_gone().await;
        return Ok(None);
    }
    if fault.acts {
        routes::act(route, head, connection, shared).await?;
        shared.faults.moment().await?;
    } else if let Some(bytes) = fault.within {
        match route {
            Route::UploadPatch(uid) => {
                uploads::take(uid, head, connection, shared, Some(bytes)).await?;
            }
            _ => connection.skip(bytes).await?,
        }
    }
    if fault.reply.is_some() {
        connection.discard().await?;
    }
    Ok(fault.reply)
}

/// Uploads are written by their address alone.
fn is_authorised(host: Host, head: &Head, shared: &Shared) -> bool {
    let bearer = head.header("authorization");
    let bearer = bearer
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    match host {
        Host::Api => bearer == TOKEN,
        Host::Batch => shared.store.takes_batch_token(bearer),
        Host::Uploads => bearer.is_empty(),
    }
}
