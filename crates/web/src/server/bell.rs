//! A word to all connections, which none of them has to ask for at every step.
//!
//! A connection's task runs some times for every request. A [`CancellationToken`] that it
//! polls each time takes locks that all connections share; this asks a flag, and goes to the
//! token once for every task that waits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// It rings once, and then has rung for ever.
#[derive(Clone, Debug, Default)]
pub(super) struct Bell(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rung: AtomicBool,
    token: CancellationToken,
}

impl Bell {
    pub(super) fn ring(&self) {
        // Before those who wait are woken, for this is what they look at.
        self.0.rung.store(true, Ordering::SeqCst);
        self.0.token.cancel();
    }

    pub(super) fn has_rung(&self) -> bool {
        self.0.rung.load(Ordering::SeqCst)
    }

    /// Ready when it has rung.
    pub(super) fn rings(&self) -> Ringing {
        Ringing {
            bell: self.clone(),
            waiting: Box::pin(self.0.token.clone().cancelled_owned()),
            waits: None,
        }
    }
}

/// See [`Bell::rings`].
#[derive(Debug)]
pub(super) struct Ringing {
    bell: Bell,
    waiting: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Who is woken when it rings.
    waits: Option<Waker>,
}

impl Future for Ringing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.bell.has_rung() {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if self
            .waits
            .as_ref()
            .is_some_and(|waits| waits.will_wake(waker))
        {
            return Poll::Pending;
        }
        let waiting = self.waiting.as_mut().poll(context);
        if waiting.is_pending() {
            self.waits = Some(context.waker().clone());
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn whoever_waited_last_is_woken_and_whoever_comes_later_need_not_wait() {
        let bell = Bell::default();
        let (first, second) = (Arc::<Counted>::default(), Arc::<Counted>::default());
        let mut ringing = Box::pin(bell.rings());
        for waits in [&first, &first, &second, &second] {
            let waker = Waker::from(Arc::clone(waits));
            let mut context = Context::from_waker(&waker);
            assert!(ringing.as_mut().poll(&mut context).is_pending());
        }
        assert!(!bell.has_rung());
        bell.ring();
        let woken = |counted: &Counted| counted.0.load(Ordering::SeqCst);
        assert_eq!((woken(&first), woken(&second)), (0, 1));
        let mut context = Context::from_waker(Waker::noop());
        assert!(ringing.as_mut().poll(&mut context).is_ready());
        assert!(
            Box::pin(bell.rings())
                .as_mut()
                .poll(&mut context)
                .is_ready()
        );
    }
}
