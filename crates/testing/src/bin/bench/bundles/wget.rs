//! The role of the way of 2020: wget one by one into a folder, then zip, then read.

use crate::{Result, process};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Plays the role once.
pub(crate) fn play(arguments: &[&str]) -> Result {
    let [list, folder] = arguments else {
        return Err("role-wget LIST FOLDER".into());
    };
    let urls = std::fs::read_to_string(list)?;
    let begun = Instant::now();
    let files = Path::new(folder).join("files");
    std::fs::create_dir_all(&files)?;
    for url in urls.lines() {
        run(Command::new("wget")
            .arg("-q")
            .arg("-P")
            .arg(&files)
            .arg(url))?;
    }
    let archive = Path::new(folder).join("archive.zip");
    run(Command::new("zip")
        .args(["-q", "-r", "-j"])
        .arg(&archive)
        .arg(&files))?;
    let read = std::fs::read(&archive)?;
    let wall = begun.elapsed().as_secs_f64();
    let own = std::process::id();
    println!(
        "round {wall} {} {} {}",
        process::processor(own)?,
        process::peak(own)?,
        read.len()
    );
    Ok(())
}

fn run(command: &mut Command) -> Result {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{:?} ended with {status}", command.get_program()).into())
}
