//! How files are opened.

use crate::authoriser::Authoriser;
use crate::bucket::Buckets;
use crate::feed::Feed;
use crate::presign::Signer;
use crate::remembered::Remembered;
use crate::{FileSettings, Files, Ground, Inner, Result, hook, store, upload};
use std::sync::{Arc, OnceLock, RwLock};
use storage::Dialect;

impl Files {
    /// Opens files, with one bucket at the first start of all. Its kinds go to the
    /// engine, and the engine then to [`Files::connect`].
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn open(ground: Ground, settings: FileSettings) -> Result<Self> {
        let feed = Feed::new(ground.db.clone(), ground.bus.clone());
        let (buckets, listening) = Buckets::open(ground.db.clone(), ground.bus).await?;
        let stop = ground.stop.clone();
        ground.tasks.spawn(listening.run(stop.clone()));
        ground.tasks.spawn(Arc::clone(&feed).run(stop.clone()));
        // Another replica on the same database would change files unheard.
        let alone = ground.db.dialect() == Dialect::Sqlite;
        let remembered = Remembered::new(settings.cache, alone);
        let signer = Signer::of(&ground.access);
        let files = Self(Arc::new(Inner {
            signer,
            db: ground.db,
            blobs: ground.blobs,
            access: ground.access,
            authoriser: Authoriser::new(Arc::clone(&ground.clock), &ground.client),
            clock: ground.clock,
            buckets,
            feed,
            remembered,
            shared: OnceLock::new(),
            settings: RwLock::new(settings),
            client: RwLock::new(ground.client),
            tasks: ground.tasks,
            stop,
            operations: OnceLock::new(),
            turns: upload::Turns::default(),
            copies: crate::copies::Copies::default(),
            together: crate::put::Together::default(),
            zips: OnceLock::new(),
            stores: store::Stores::new(),
            certificates: hook::Certificates::default(),
        }));
        files.ensure_default_bucket().await?;
        Ok(files)
    }
}
