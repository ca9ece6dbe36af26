//! Archives of stored folders: files say what is in them, bundles know how they are written.

use bundles::plain::{Body, plain};
use files::{Member, Members, Zipped, Zips};
use futures::stream::{StreamExt, TryStreamExt};

/// Writes the archives of folders.
#[derive(Debug)]
pub(super) struct FolderZips;

impl Zips for FolderZips {
    fn zip(&self, first: Vec<Member>, follow: Option<Members>) -> Zipped {
        let first = first.into_iter().map(body).collect();
        let archive = plain(first, follow.map(|members| members.map_ok(body).boxed()));
        Zipped {
            length: archive.length,
            body: archive.bytes,
        }
    }
}

fn body(member: Member) -> Body {
    Body {
        path: member.path,
        size: member.size,
        modified: member.modified,
        open: member.open,
    }
}
