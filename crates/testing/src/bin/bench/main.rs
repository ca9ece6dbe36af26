//! The benchmarks: each promised figure, measured and printed beside what was promised.
//!
//! Everything runs on this machine: the release binary that `LONGSHORE_BIN` names (or
//! `longshore` beside this program), and its peers in processes of their own. What is
//! made for measuring lies in `target/bench` and is used again. It asserts nothing
//! about speed: a figure that falls short is printed as one that falls short.

mod bundles;
mod client;
mod engine;
mod figures;
mod files;
mod fill;
mod lines;
mod live;
mod operations;
mod paging;
mod place;
mod process;
mod program;
mod start;
mod syncs;
mod table;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = ()> = std::result::Result<T, Error>;

const USAGE: &str = "\
bench WHAT…

  start        from an empty directory to /readyz, and memory when idle
  operations   pages of ten million operations; a log of a million lines
  live         a thousand sockets that watch a thousand lines a second
  bundles      archives, beside other ways of making them; how fast one is cancelled;
               what slow takers cost
  files        getting, putting and listing, beside nginx, dufs and s3s-fs
  syncs        pictures, films and rows delivered, beside the way of 2024 and rclone

BENCH_ONLY=a,b    only the cases whose names contain one of these
BENCH_ROUNDS=n    how often each case is measured
BENCH_PART=n      of syncs the n-th part only: to see that it works to the end
BENCH_TAKERS=n    slow takers (the case `takers` of bundles), and
BENCH_FILES=n     files that each of them takes";

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // HTTP clients want a provider, although nothing here is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match words.as_slice() {
            // Roles that a benchmark plays in a process of its own.
            ["role-engine", rest @ ..] => engine::play(rest).await,
            ["role-origin", rest @ ..] => bundles::origin::play(rest).await,
            ["role-away", rest @ ..] => bundles::away::play(rest).await,
            ["role-pass", rest @ ..] => bundles::pass::play(rest).await,
            ["role-wget", rest @ ..] => bundles::wget::play(rest),
            ["role-cloudflare", rest @ ..] => syncs::double::play(rest).await,
            ["role-2024"] => syncs::way_of_2024::play().await,
            [] => Err(USAGE.into()),
            wanted => {
                for what in wanted {
                    run(what).await?;
                }
                Ok(())
            }
        }
    })
}

async fn run(what: &str) -> Result {
    println!("# {what} ({})\n", place::machine());
    match what {
        "start" => start::run().await,
        "operations" => {
            operations::run().await?;
            lines::run().await
        }
        "live" => live::run().await,
        "bundles" => bundles::run().await,
        "files" => files::run().await,
        "syncs" => syncs::run().await,
        other => Err(format!("`{other}` is no benchmark\n\n{USAGE}").into()),
    }
}
