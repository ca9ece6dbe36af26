//! All routes, in one table behind one gate.

use super::parts::Parts;
use base::Config;
use bytes::Bytes;
use files::Files;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use web::api::About;
use web::{Gate, Hosted, Links, Probes, Routes, Settings, SettingsSource, Site};

/// What the server answers with.
pub(super) struct Built {
    pub(super) site: Site,
    pub(super) settings: watch::Sender<Arc<Settings>>,
}

/// What `longshore openapi` printed of these routes; a story shows that it still does.
const DESCRIPTION: &[u8] = include_bytes!("../../openapi.json");

/// The same, where routes say nothing of themselves any more: in a release.
pub(super) const DESCRIBED: Option<&[u8]> = if web::DESCRIBES {
    None
} else {
    Some(DESCRIPTION)
};

/// Builds the site. Live sockets are closed when `stop` comes.
pub(super) fn build(
    parts: &Parts,
    config: &Config,
    metrics: PrometheusHandle,
    stop: CancellationToken,
) -> Built {
    let (settings, current) = watch::channel(Arc::new(Settings::from(config)));
    let (routes, gate) = routes(parts, config, metrics, stop, current);
    let hosted = vec![domains(&parts.files)];
    let site = routes.finish_with(&gate, hosted, Some(DESCRIPTION));
    Built { site, settings }
}

/// What the routes say of themselves, where they [do](web::DESCRIBES).
pub(super) fn describe(parts: &Parts, config: &Config, metrics: PrometheusHandle) -> Bytes {
    let (_settings, current) = watch::channel(Arc::new(Settings::from(config)));
    let (routes, _) = routes(parts, config, metrics, CancellationToken::new(), current);
    routes.description()
}

fn routes(
    parts: &Parts,
    config: &Config,
    metrics: PrometheusHandle,
    stop: CancellationToken,
    current: SettingsSource,
) -> (Routes, Gate) {
    let links = Links::of(&parts.access, "archive");
    let gate = Gate::new(
        Arc::new(parts.access.clone()),
        links.clone(),
        Arc::clone(&parts.clock),
        current.clone(),
        config.http.concurrency,
    );
    let about = About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database: parts.db.dialect().name().to_owned(),
        started_at: parts.started_at,
        data: parts.directory.path().display().to_string(),
    };
    let probes = Probes::new(
        vec![Box::new(parts.db.clone()), Box::new(stop.clone())],
        move || metrics.render(),
        current.clone(),
    );
    let routes = probes
        .routes()
        .merge(web::api::routes(&parts.access, about))
        .merge(web::activity_routes(
            parts.operations.clone(),
            parts.access.clone(),
            Arc::new(parts.features()),
        ))
        .merge(web::live_routes(
            parts.operations.clone(),
            Some(Arc::new(parts.files.clone())),
            parts.access.clone(),
            current.clone(),
            stop.clone(),
        ))
        .merge(files::routes(parts.files.clone()))
        .merge(files::tus_routes(parts.files.clone(), current.clone()))
        .merge(syncs::routes(parts.syncs.clone()))
        .merge(bundles::routes(parts.bundles.clone(), links, current, stop));
    (routes, gate)
}

/// Buckets on host names of their own.
fn domains(files: &Files) -> Hosted {
    let routes = files::domain_routes(files.clone());
    let files = files.clone();
    let knows = move |host: &str| files.bucket_of_host(host).is_some();
    Hosted::new(routes, Arc::new(knows), files::DEFAULT_HOST)
}

#[cfg(test)]
mod tests;
