//! Threads of the program that help the domain with what is only work: it has none of its own (law 1).

use std::num::NonZero;
use std::thread;

/// Does a piece of work on every core, and something else meanwhile. Where the system gives no thread, there is less help.
pub fn on_every_core(work: &(dyn Fn() + Sync), meanwhile: &mut dyn FnMut()) {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        meanwhile();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn all_of_the_work_and_what_else_there_is_is_done_when_it_comes_back() {
        let (queue, done) = (Mutex::new(0..1_000), Mutex::new(Vec::new()));
        let work = || {
            loop {
                let next = queue.lock().unwrap().next();
                let Some(next) = next else { return };
                done.lock().unwrap().push(next);
            }
        };
        let mut also = false;
        on_every_core(&work, &mut || also = true);
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!((done, also), ((0..1_000).collect(), true));
    }
}
