//! How the allocator of the C library keeps memory.
//!
//! glibc gives almost every thread an arena of its own, and what is freed in one is of
//! no use to the others: a server that takes a large request on one thread and works on
//! it on another holds it several times over. And once a large block was freed, it takes
//! blocks of that size from its heap and gives no more than the top of it back, so that
//! the most that was ever used stays taken. Two arenas, and thresholds that stay what
//! they are at the start, keep this program within its memory (docs/decisions/0009). They
//! are read once, when a process begins, so the program begins once more with them.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What is set, and to what. The thresholds are glibc's own at the start, in bytes: set,
/// they do not grow (mallopt(3), `M_MMAP_THRESHOLD`).
const SET: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "2"),
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];
/// Where somebody has said something of it already, nothing is set.
const SAID: &str = "GLIBC_TUNABLES";

/// Sees to it that little is kept. Call it before there are threads. It comes back only
/// where there is nothing to do, or it cannot be done, and then nothing is lost but
/// memory.
pub(crate) fn keep_little() {
    let said = |name| env::var_os(name).is_some();
    if !cfg!(target_env = "gnu") || said(SAID) || SET.iter().any(|(name, _)| said(name)) {
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
        .envs(SET)
        .exec();
}
