//! `docs/architecture.svg`, drawn from `docs/architecture.txt`: boxes in layers, arrows
//! from one layer down to another, labels.
//!
//! The same description always gives the same bytes, so that a check can tell whether
//! the picture is stale. Nothing is measured in a browser: widths of text are estimated.

mod description;
mod geometry;
mod layout;
mod svg;

use crate::place::Place;
use crate::process::Failure;
use description::Description;
use layout::Picture;
use std::path::PathBuf;

const DESCRIPTION: &str = "docs/architecture.txt";
const PICTURE: &str = "docs/architecture.svg";

/// `cargo xtask draw`
pub(crate) fn command(place: &Place) -> Result<(), Failure> {
    let drawn = draw(place)?;
    let target = place.root.join(PICTURE);
    std::fs::write(&target, drawn)
        .map_err(|error| Failure::about(&target, "cannot be written", &error))?;
    println!("Wrote {PICTURE}.");
    Ok(())
}

/// Whether the picture is what its description gives now.
pub(crate) fn is_fresh(place: &Place) -> Result<String, Failure> {
    let drawn = draw(place)?;
    // One that is missing is as stale as one can be.
    let there = std::fs::read_to_string(place.root.join(PICTURE)).unwrap_or_default();
    if drawn == there {
        println!("{PICTURE} is what {DESCRIPTION} gives.");
        Ok(String::new())
    } else {
        Err(Failure::new(format!(
            "{PICTURE} is not what {DESCRIPTION} gives: run `cargo xtask draw`, and look at it"
        )))
    }
}

fn draw(place: &Place) -> Result<String, Failure> {
    let source: PathBuf = place.root.join(DESCRIPTION);
    let text = std::fs::read_to_string(&source)
        .map_err(|error| Failure::about(&source, "cannot be read", &error))?;
    drawing(&text).map_err(|why| Failure::new(format!("{DESCRIPTION}:{why}")))
}

/// The picture of a description, or the line and what is wrong there.
fn drawing(text: &str) -> Result<String, String> {
    let description = Description::parse(text)?;
    let picture = Picture::of(&description)?;
    Ok(svg::write(&description, &picture))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
title A <house>
layer Above
box a | A & B | first | second
box b | B
frame Inside
layer Middle
box c | C
end
layer Below
box d | D
arrow a > c | by road
arrow c > d
arrow b > d | past it
";

    #[test]
    fn the_picture_in_the_tree_is_fresh() {
        let place = Place::find().expect("the checkout is there");
        if let Err(failure) = is_fresh(&place) {
            panic!("{failure}");
        }
    }

    #[test]
    fn everything_described_is_in_the_picture() {
        let drawn = drawing(SAMPLE).expect("it can be drawn");
        for text in [
            "A &lt;house&gt;",
            "A &amp; B",
            "second",
            "Inside",
            "Middle",
            "by road",
        ] {
            assert!(drawn.contains(text), "{text} in {drawn}");
        }
        assert_eq!(drawn.matches("marker-end").count(), 3);
    }

    #[test]
    fn the_same_description_gives_the_same_bytes() {
        assert_eq!(drawing(SAMPLE), drawing(SAMPLE));
        let changed = SAMPLE.replace("by road", "by sea");
        assert_ne!(drawing(SAMPLE), drawing(&changed));
    }

    /// The beginning of what is said of a description.
    fn refused(text: &str, expected: &str) {
        let why = drawing(text).expect_err(text);
        assert!(why.starts_with(expected), "of {text:?}: {why}");
    }

    #[test]
    fn what_cannot_be_drawn_is_told_with_its_line() {
        refused("title T\nlayer L\ncircle a | A\n", "3: `circle`");
        refused("title T\nbox a | A\n", "2: a box stands in a layer");
        refused(
            "title T\nlayer L\nbox a | A\nbox a | A\n",
            "4: there is a box `a` already",
        );
        refused(
            "title T\nlayer L\nbox a | A\narrow a > b\n",
            "4: there is no box `b`",
        );
        refused(
            "title T\nlayer L\nbox a | A\nbox b | B\narrow a > b\n",
            "5: an arrow goes from a layer to one below",
        );
        refused(
            "title T\nframe F\nlayer L\nbox a | A\n",
            "2: the frame is not ended",
        );
        refused("layer L\nbox a | A\n", "1: the first line is `title`");
        refused("title T\n", "1: there is no layer");
        refused(
            "title T\nlayer L\nlayer M\nbox a | A\n",
            "2: the layer is empty",
        );
    }
}
