//! The buckets of this server as sources and targets of syncs: syncs say what they need,
//! files do it. Only an admin makes a sync, so what it may do is asked there and not here.

use async_trait::async_trait;
use base::Actor;
use files::{
    Arrival, Arrivals, Entry, Error, Expect, File, FilePath, Files, NewFile, Promised, Writer,
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use syncs::target::{Content, Item, Trouble};
use syncs::{BucketArrival, BucketFile, BucketNews, BucketPlace, Buckets};

/// How long it takes until changes that could not be read are asked for again.
const AGAIN: Duration = Duration::from_secs(5);

/// Gives syncs the buckets.
#[derive(Debug)]
pub(super) struct SyncBuckets {
    pub(super) files: Files,
}

#[async_trait]
impl Buckets for SyncBuckets {
    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BucketFile>, Trouble> {
        let bucket = self.files.bucket(bucket).map_err(trouble)?;
        let found = self.files.keys(&bucket, prefix, None, after, limit).await;
        let files = found.map_err(trouble)?.into_iter();
        Ok(files
            .filter_map(|entry| match entry {
                Entry::File(file) => Some(known(&file)),
                Entry::Folder(_) => None,
            })
            .collect())
    }

    async fn look(&self, bucket: &str, path: &str) -> Result<Option<BucketFile>, Trouble> {
        let bucket = self.files.bucket(bucket).map_err(trouble)?;
        match self.files.file(&bucket, &parsed(path)?).await {
            Ok(file) => Ok(Some(known(&file))),
            Err(Error::NoFile(_)) => Ok(None),
            Err(error) => Err(trouble(error)),
        }
    }

    async fn open(
        &self,
        bucket: &str,
        path: &str,
        offset: u64,
    ) -> Result<(BucketFile, Content), Trouble> {
        let bucket = self.files.bucket(bucket).map_err(trouble)?;
        let found = self.files.file_and_content(&bucket, &parsed(path)?).await;
        let (file, content) = found.map_err(trouble)?;
        let bytes = content.stream(offset..content.size());
        let bytes = bytes.map_err(|error| trouble(error.into()));
        Ok((known(&file), bytes.boxed()))
    }

    async fn put(
        &self,
        to: BucketPlace<'_>,
        item: &Item,
        said: BTreeMap<String, Value>,
        mut content: Content,
    ) -> Result<BucketFile, Trouble> {
        let bucket = self.files.bucket(to.bucket).map_err(trouble)?;
        let mut new = NewFile::at(parsed(to.path)?);
        new.media_type = Some(item.media_type.clone()).filter(|kind| !kind.is_empty());
        new.metadata = said.into_iter().collect();
        new.promised = Promised {
            length: Some(item.size),
            ..Promised::default()
        };
        let by = Writer {
            actor: Actor::system(),
            account: None,
        };
        let mut incoming = self.files.put(&bucket, by, new).await.map_err(trouble)?;
        while let Some(piece) = content.next().await {
            incoming.write(piece?).await.map_err(trouble)?;
        }
        let file = incoming.finish().await.map_err(trouble)?;
        Ok(known(&file))
    }

    async fn delete(&self, to: BucketPlace<'_>) -> Result<(), Trouble> {
        let bucket = self.files.bucket(to.bucket).map_err(trouble)?;
        let path = parsed(to.path)?;
        let deleted = self
            .files
            .delete(&bucket, &path, &Expect::default(), &Actor::system())
            .await;
        match deleted {
            Ok(_) | Err(Error::NoFile(_)) => Ok(()),
            Err(error) => Err(trouble(error)),
        }
    }

    async fn newest(&self) -> Result<u64, Trouble> {
        self.files.newest_change().await.map_err(trouble)
    }

    fn news(&self, after: u64) -> BoxStream<'static, BucketNews> {
        let begin = (self.files.clone(), None::<Arrivals>);
        stream::unfold(begin, move |(files, arrivals)| async move {
            let mut arrivals = arrivals;
            loop {
                let read = match &mut arrivals {
                    Some(arrivals) => arrivals.next().await,
                    None => match files.arrivals_after(after).await {
                        Ok(begun) => {
                            arrivals = Some(begun);
                            continue;
                        }
                        Err(error) => Err(error),
                    },
                };
                match read {
                    Ok(batch) => {
                        let up_to = arrivals.as_ref().map_or(after, Arrivals::position);
                        return Some((news(batch, up_to), (files, arrivals)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "what comes into buckets could not be read; trying again");
                        tokio::time::sleep(AGAIN).await;
                    }
                }
            }
        })
        .boxed()
    }
}

fn news(batch: Vec<Arrival>, up_to: u64) -> BucketNews {
    let came = batch.into_iter().map(|arrival| BucketArrival {
        bucket: arrival.bucket,
        path: arrival.path,
        number: arrival.number,
    });
    BucketNews {
        came: came.collect(),
        up_to,
    }
}

fn parsed(path: &str) -> Result<FilePath, Trouble> {
    path.parse()
        .map_err(|error: files::InvalidPath| Trouble::Refused {
            reason: error.to_string(),
        })
}

fn known(file: &File) -> BucketFile {
    let mut metadata: BTreeMap<String, Value> = file
        .metadata
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let said = [
        ("dateTaken", file.taken_at.map(|at| at.to_string().into())),
        ("gpsLatitude", file.latitude.map(Value::from)),
        ("gpsLongitude", file.longitude.map(Value::from)),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            metadata.entry(name.to_owned()).or_insert(value);
        }
    }
    BucketFile {
        path: file.path.as_str().to_owned(),
        size: file.size,
        etag: file.etag.clone(),
        media_type: file.media_type.clone(),
        uploader: file.uploader.clone(),
        metadata,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn trouble(error: Error) -> Trouble {
    let reason = error.to_string();
    match &error {
        Error::NoBucket(_) => Trouble::Everything { reason },
        Error::Quota { .. } => Trouble::Everything { reason },
        Error::Storage(storage::Error::Objects(object)) if !object.is_passing() => {
            Trouble::Refused { reason }
        }
        Error::Storage(_) | Error::Content(_) | Error::Undecided => Trouble::Later {
            reason,
            after: None,
        },
        _ => Trouble::Refused { reason },
    }
}
