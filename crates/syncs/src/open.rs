//! Makes the source and the targets of a rule, and the parts of the handle that others ask
//! for.

use crate::keys::Keys;
use crate::notify::Listener;
use crate::refusing::Refusing;
use crate::rule::{AccountRule, Route, SourceRule, StoreRule, TargetRule};
use crate::source::Source;
use crate::source::bucket::BucketSource;
use crate::source::rows::RowSource;
use crate::source::store::StoreSource;
use crate::sync::Sync;
use crate::target::bucket::BucketTarget;
use crate::target::cloudflare::{
    Account, AccountSettings, Images, ImagesSettings, Naming, Stream, StreamSettings,
};
use crate::target::store::{InParts, StoreTarget};
use crate::target::webhook::WebhookTarget;
use crate::target::{Target, Trouble};
use crate::{Buckets, Error, Result, SyncSettings, Syncs, Variables, owner, trouble};
use ::operations::Operations;
use access::Access;
use base::{SharedClock, Timestamp};
use fetch::Client;
use secrecy::ExposeSecret;
use std::sync::{Arc, PoisonError};
use storage::{Bus, Db, ObjectSettings, ObjectStore};
use tokio_util::task::TaskTracker;

/// A sync with its source and its targets made, in the order of its rule.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) sync: Sync,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) targets: Vec<Arc<dyn Target>>,
}

impl Syncs {
    pub(crate) fn db(&self) -> &Db {
        &self.0.ground.db
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.0.ground.bus
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.ground.access
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.0.ground.clock
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.ground.clock.now()
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.ground.tasks
    }

    pub(crate) fn variables(&self) -> Option<&Arc<Variables>> {
        self.0.variables.as_ref()
    }

    pub(crate) fn refusing(&self) -> &Refusing {
        &self.0.refusing
    }

    pub(crate) fn worker(&self) -> &str {
        &self.0.worker
    }

    pub(crate) fn client(&self) -> Client {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(crate) fn settings(&self) -> SyncSettings {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    pub(crate) fn operations(&self) -> &Operations {
        self.0
            .operations
            .get()
            .expect("the engine is connected before anything is asked")
    }

    pub(crate) fn buckets(&self) -> Result<Arc<dyn Buckets>> {
        let buckets = self.0.buckets.get().cloned();
        buckets.ok_or_else(|| {
            Error::Environment(
                "buckets of a server are served by the server alone; run this sync there"
                    .to_owned(),
            )
        })
    }

    /// Makes what a sync needs. Nothing outside is asked yet.
    pub(crate) async fn open(&self, sync: Sync) -> Result<Opened> {
        let keys = Keys::of(self.access().clone(), &sync, self.variables().cloned());
        let source = self.open_source(&sync.rule.source, &keys).await?;
        let mut targets = Vec::with_capacity(sync.rule.targets.len());
        let owner = owner::of(&sync, &keys).await?;
        for route in &sync.rule.targets {
            targets.push(self.open_target((&sync, &owner), route, &keys).await?);
        }
        Ok(Opened {
            sync,
            source,
            targets,
        })
    }

    async fn open_source(&self, rule: &SourceRule, keys: &Keys) -> Result<Arc<dyn Source>> {
        Ok(match rule {
            SourceRule::Rows {
                database,
                table,
                store,
                key_prefix,
            } => {
                let content = StoreSource::new(self.open_store(store, keys).await?);
                let url = keys.value(database).await?;
                let (table, prefix) = (table.clone(), key_prefix.clone());
                let rows = RowSource::open(url.expose_secret(), table, content, prefix)?;
                Arc::new(rows)
            }
            SourceRule::Store { store } => {
                Arc::new(StoreSource::new(self.open_store(store, keys).await?))
            }
            SourceRule::Bucket { bucket, prefix } => Arc::new(BucketSource::new(
                self.buckets()?,
                bucket.clone(),
                prefix.clone(),
            )),
        })
    }

    async fn open_target(
        &self,
        (sync, owner): (&Sync, &str),
        route: &Route,
        keys: &Keys,
    ) -> Result<Arc<dyn Target>> {
        if let Some(said) = route.to.account() {
            return self
                .open_at_cloudflare(&route.to, said, (owner, keys))
                .await;
        }
        Ok(match &route.to {
            TargetRule::Store { store, key } => Arc::new(StoreTarget::new(
                self.open_store(store, keys).await?,
                key.clone(),
                owner,
                InParts::from(self.settings().in_parts_from),
            )),
            TargetRule::Bucket { bucket, key } => Arc::new(BucketTarget::new(
                self.buckets()?,
                (bucket.clone(), key.clone()),
                (sync.id, owner),
            )),
            TargetRule::Webhook { url, secret } => {
                let listener = self.listener(url, secret.as_deref(), keys).await?;
                let clock = Arc::clone(self.clock());
                Arc::new(WebhookTarget::new(listener, (sync.id, owner), clock))
            }
            TargetRule::CloudflareImages { .. } | TargetRule::CloudflareStream { .. } => {
                return Err(unusable("it names no account at Cloudflare".to_owned()));
            }
        })
    }

    async fn open_at_cloudflare(
        &self,
        rule: &TargetRule,
        said: AccountRule<'_>,
        (owner, keys): (&str, &Keys),
    ) -> Result<Arc<dyn Target>> {
        let token = keys.value(said.token).await?;
        let api = said.api.map(str::to_owned);
        let mut settings = AccountSettings::new(said.account.to_owned(), token, api);
        let naming = naming(said.id)?;
        let creator = said.creator.map(str::to_owned);
        if let TargetRule::CloudflareImages { avif, batch, .. } = rule {
            settings.batch = batch.clone().or(settings.batch);
            let images = ImagesSettings {
                naming,
                signed: said.signed,
                creator,
                avif: *avif,
                owner: owner.to_owned(),
            };
            return Ok(Arc::new(Images::new(self.open_account(settings)?, images)));
        }
        let mut films = StreamSettings::new(owner);
        films.signed = said.signed;
        films.creator = creator;
        films.naming = naming.unwrap_or(films.naming);
        let stream = Stream::new(self.open_account(settings)?, films);
        Ok(Arc::new(stream.map_err(unusable)?))
    }

    /// All syncs of an account share its limit of requests.
    fn open_account(&self, settings: AccountSettings) -> Result<Account> {
        let opened = self.0.accounts.open(settings, &self.client());
        opened.map_err(unusable)
    }

    pub(crate) async fn listener(
        &self,
        url: &str,
        secret: Option<&str>,
        keys: &Keys,
    ) -> Result<Listener> {
        let secret = match secret {
            Some(name) => Some(keys.value(name).await?),
            None => None,
        };
        Ok(Listener {
            client: self.client(),
            url: url.to_owned(),
            secret,
        })
    }

    async fn open_store(&self, rule: &StoreRule, keys: &Keys) -> Result<ObjectStore> {
        let settings = ObjectSettings {
            endpoint: rule.endpoint.clone(),
            public_endpoint: None,
            region: rule.region.clone(),
            bucket: rule.bucket.clone(),
            prefix: rule.prefix.clone(),
            path_style: rule.path_style,
            access_key: rule.access_key.clone(),
            secret: keys.value(&rule.secret).await?,
        };
        ObjectStore::new(settings, &self.client(), self.tasks().clone())
            .map_err(|error| trouble::of_store(&error).into())
    }
}

fn naming(template: Option<&str>) -> Result<Option<Naming>> {
    template.map(Naming::parse).transpose().map_err(unusable)
}

/// A rule by which nothing can be delivered, for the reason given.
const fn unusable(reason: String) -> Error {
    Error::Trouble(Trouble::Everything { reason })
}
