//! The end of a command that the operator or the system asks for.

/// Ready at Ctrl-C, SIGTERM or SIGHUP, which are caught from this call on. A second one ends the
/// process at once. A process that was started to outlive its terminal, as `nohup` does it, goes on
/// at SIGHUP.
pub(crate) fn interrupted() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut signals = signals::Signals::new()?;
    Ok(async move {
        #[cfg(unix)]
        {
            signals.next().await;
            tokio::spawn(async move { std::process::exit(128 + signals.next().await) });
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
    })
}

#[cfg(unix)]
mod signals {
    use std::future::pending;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// The signals that end a command.
    pub(super) struct Signals {
        interrupted: Signal,
        terminated: Signal,
        /// Absent if the process ignores it.
        hung_up: Option<Signal>,
    }

    impl Signals {
        pub(super) fn new() -> anyhow::Result<Self> {
            let hung_up = (!ignores_hangup()).then(|| signal(SignalKind::hangup())).transpose()?;
            let interrupted = signal(SignalKind::interrupt())?;
            Ok(Self { interrupted, terminated: signal(SignalKind::terminate())?, hung_up })
        }

        /// Waits for the next one, and returns its number.
        pub(super) async fn next(&mut self) -> i32 {
            let hung_up = async {
                match &mut self.hung_up {
                    Some(signal) => signal.recv().await,
                    None => pending().await,
                }
            };
            let kind = tokio::select! {
                _ = self.interrupted.recv() => SignalKind::interrupt(),
                _ = self.terminated.recv() => SignalKind::terminate(),
                _ = hung_up => SignalKind::hangup(),
            };
            kind.as_raw_value()
        }
    }

    /// Whether the process was started with SIGHUP ignored, as far as the system tells.
    fn ignores_hangup() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        ignored.is_some_and(|mask| mask & 1 == 1)
    }
}
