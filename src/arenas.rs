//! How many arenas the allocator of the C library keeps.
//!
//! glibc gives almost every thread an arena of its own, and what is freed in one is of
//! no use to the others: a server that takes a large request on one thread and works on
//! it on another holds it several times over. Two arenas are enough for what this
//! program allocates, and keep it within its memory (docs/decisions/0009). The number
//! is read once, when a process begins, so the program begins once more with it.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

const ARENAS: &str = "2";
/// What says how many, where somebody has said so already.
const SAID: [&str; 2] = ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"];

/// Sees to it that there are few. Call it before there are threads. It comes back only
/// where there is nothing to do, or it cannot be done, and then nothing is lost but
/// memory.
pub(crate) fn keep_few() {
    if !cfg!(target_env = "gnu") || SAID.iter().any(|name| env::var_os(name).is_some()) {
        return;
    }
    let mut arguments = env::args_os();
    let (Ok(program), Some(name)) = (env::current_exe(), arguments.next()) else {
        return;
    };
    // The same process under the same number, for whoever supervises it.
    let _failed = Command::new(program)
        .arg0(name)
        .args(arguments)
        .env(SAID[0], ARENAS)
        .exec();
}
