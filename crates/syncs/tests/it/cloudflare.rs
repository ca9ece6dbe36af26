//! Cloudflare: its double, its own clients, and a tus server and a parser of forms that are not ours.

mod checking;
mod clients;
mod crashes;
mod forms;
mod images;
mod limits;
mod silence;
mod storms;
mod stream;
mod tus_server;

use crate::shore::{Cargo, Shore};
use crate::syncs::target::Trouble;
use crate::syncs::target::cloudflare::{
    Account, AccountSettings, Accounts, Images, ImagesSettings, Naming, Stream, StreamSettings,
};
use fetch::{Client, Limits, Policy, parse_networks};
use testing::{Cloudflare, Fault};

/// The least piece that Stream takes.
const LEAST_CHUNK: u64 = 5_242_880;

fn client() -> Client {
    let policy = Policy::allowing(parse_networks("127.0.0.0/8").unwrap());
    Client::new(policy, Limits::default())
}

fn settings(cloudflare: &Cloudflare) -> AccountSettings {
    AccountSettings::new(
        cloudflare.account().to_owned(),
        cloudflare.token().to_owned().into(),
        Some(cloudflare.api()),
    )
}

fn account(cloudflare: &Cloudflare) -> Account {
    let accounts = Accounts::default();
    accounts.open(settings(cloudflare), &client()).unwrap()
}

fn images_settings() -> ImagesSettings {
    ImagesSettings {
        naming: Some(Naming::parse("file/{id}").expect("a template")),
        ..ImagesSettings::new("a sync")
    }
}

fn images(cloudflare: &Cloudflare) -> Images {
    Images::new(account(cloudflare), images_settings())
}

fn stream_settings() -> StreamSettings {
    StreamSettings::new("a sync")
}

fn stream(cloudflare: &Cloudflare) -> Stream {
    Stream::new(account(cloudflare), stream_settings()).unwrap()
}

/// Films in the smallest pieces.
fn stream_in_pieces(cloudflare: &Cloudflare) -> Stream {
    let settings = StreamSettings {
        chunk: LEAST_CHUNK,
        ..stream_settings()
    };
    Stream::new(account(cloudflare), settings).unwrap()
}

/// Whether Cloudflare has this picture, whole, and no other.
fn has_one_image(cloudflare: &Cloudflare, cargo: &Cargo) {
    let images = cloudflare.images();
    assert_eq!(images.len(), 1, "{images:?}");
    assert_eq!(images[0].sha256, cargo.sha256());
}

/// Whether Cloudflare has this film, whole, and no other.
fn has_one_video(cloudflare: &Cloudflare, cargo: &Cargo) {
    let videos = cloudflare.videos();
    assert_eq!(videos.len(), 1, "{videos:?}");
    assert_eq!(videos[0].received, cargo.item.size);
    assert_eq!(videos[0].sha256, cargo.sha256());
}

/// What a trouble is for, in a word.
fn kind(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Later { .. } => "later",
        Trouble::Paused { .. } => "paused",
        Trouble::Refused { .. } => "refused",
        Trouble::Everything { .. } => "everything",
    }
}

/// What may go wrong with any request, and that is to be tried again.
fn passing() -> Vec<Fault> {
    let mut faults: Vec<Fault> = [408, 500, 502, 503, 504, 520, 521, 522, 523, 524]
        .into_iter()
        .flat_map(|status| [Fault::page(status), Fault::page(status).though_done()])
        .collect();
    faults.extend([
        Fault::hang_up(),
        Fault::hang_up().though_done(),
        Fault::hang_up().within(1000),
        Fault::said(500, 5500, "Internal"),
        Fault::text(503, "ERROR 5503: try later"),
        Fault::said(500, 0, "").header("Retry-After", "0"),
    ]);
    faults
}

/// A shore that has nothing yet.
fn shore(cargo: &Cargo) -> Shore {
    Shore::of(cargo)
}
