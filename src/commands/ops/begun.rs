//! An operation that a command has begun ends with it, and what is said of that end is what
//! the server said.

use crate::client::{Client, Error, Interrupt, read};
use crate::exit::{Code, Failure, Result};
use base::OperationId;
use operations::{Operation, State};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long cancelling may take before it is given up, and an answer may after an
/// interruption.
const LAST: Duration = Duration::from_secs(5);
/// Between looks whether it has ended.
const LOOK: Duration = Duration::from_millis(50);

/// What became of an operation that was to end with its command.
#[derive(Debug)]
pub(in crate::commands) enum Fate {
    /// It has ended like this, by being cancelled or before.
    Ended(Box<Operation>),
    /// It was told to end, and had not done so yet.
    Ending,
    /// It could not be told to end, and may go on.
    Untold(Error),
}

impl Fate {
    /// What is said of it.
    pub(in crate::commands) fn text(&self, id: OperationId) -> String {
        match self {
            Self::Ended(operation) => match operation.state {
                State::Cancelled => format!("interrupted, so operation {id} is cancelled"),
                State::Interrupted => {
                    format!("interrupted; operation {id} was left by its server before")
                }
                state => format!("interrupted; operation {id} had {state} before"),
            },
            Self::Ending => {
                format!("interrupted; operation {id} is told to end, and has not ended yet")
            }
            Self::Untold(error) => format!(
                "interrupted, and operation {id} may go on, for it could not be cancelled: {error}"
            ),
        }
    }

    /// Why its command ends.
    pub(in crate::commands) fn failure(&self, id: OperationId) -> Failure {
        Failure::new(Code::Cancelled, self.text(id))
    }
}

/// Has the server begin something: what it answers, and whether an interruption came
/// meanwhile. That waits for the answer, since what was begun must be cancelled.
///
/// # Errors
/// When it was interrupted, and no answer came.
pub(in crate::commands) async fn post(
    client: &Client,
    path: &str,
    body: &Value,
    interrupt: &Interrupt,
) -> Result<(Result<Value, Error>, bool)> {
    let asking = client.post(path, body);
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => Ok((answer, false)),
        () = interrupt.come() => match timeout(LAST, asking).await {
            Ok(answer) => Ok((answer, true)),
            Err(_) => Err(Failure::new(
                Code::Cancelled,
                "interrupted before the server answered; if it began an operation, `longshore ops ls` shows it",
            )),
        },
    }
}

/// Has the server begin an operation, which its answer names as `operation`. An interruption
/// cancels it.
pub(in crate::commands) async fn start(
    client: &Client,
    path: &str,
    body: &Value,
    interrupt: &Interrupt,
) -> Result<OperationId> {
    let (answer, interrupted) = post(client, path, body, interrupt).await?;
    let mut answer = answer?;
    let id: OperationId = read(answer["operation"].take())?;
    if interrupted {
        return Err(cancel(client, id).await.failure(id));
    }
    Ok(id)
}

/// Ends an operation that nobody wants any more, and waits for its end, as far as the
/// server is there to do so.
pub(in crate::commands) async fn cancel(client: &Client, id: OperationId) -> Fate {
    let mut told = false;
    let cancelling = async {
        let path = format!("/api/v1/operations/{id}");
        let asked = client.post(&format!("{path}/cancel"), &json!({})).await;
        let mut shown = match asked {
            // It had ended already.
            Err(error) if error.status() == Some(StatusCode::CONFLICT) => client.get(&path).await?,
            asked => asked?,
        };
        told = true;
        loop {
            let operation: Operation = serde_json::from_value(shown)
                .map_err(|error| Error::Stranger(error.to_string()))?;
            if operation.state.is_ended() {
                return Ok::<_, Error>(operation);
            }
            sleep(LOOK).await;
            shown = client.get(&path).await?;
        }
    };
    let ended = timeout(LAST, cancelling).await;
    match ended {
        Ok(Ok(operation)) => Fate::Ended(Box::new(operation)),
        _ if told => Fate::Ending,
        Ok(Err(error)) => Fate::Untold(error),
        Err(_) => {
            let server = &client.place().url;
            Fate::Untold(Error::Unreachable(format!("{server} did not answer")))
        }
    }
}
