//! A process on a machine: its pipes for whoever started it, its end for whoever waits.

use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long to wait for the dead to be taken away by a process that is not ours.
const TAKING_AWAY: Duration = Duration::from_secs(1);

/// A process that runs. Dropped, it ends: its input and output close, and where nothing else ends
/// it, it is killed with what it has started.
#[derive(Debug)]
pub(in crate::demo) struct Process {
    /// Its standard input.
    pub(in crate::demo) input: Option<ChildStdin>,
    /// Its standard output.
    pub(in crate::demo) output: Option<ChildStdout>,
    /// Its standard error.
    pub(in crate::demo) errors: Option<ChildStderr>,
    ended: oneshot::Receiver<std::io::Result<ExitStatus>>,
    _over: DropGuard,
}

/// Starts a command in a process group of its own, so that a Ctrl-C on the terminal does not reach
/// it. The second value waits for its end and has to be run.
///
/// A process that `dies_with_machine` is not killed alone: nsenter has to outlive what it runs inside
/// the machine, because only a parent can take a dead process away, and a machine does not end
/// before all its dead are taken away. Whatever else becomes the parent may never do it.
pub(super) fn start(
    mut command: Command,
    dies_with_machine: bool,
    stop: &CancellationToken,
) -> std::io::Result<(Process, impl Future<Output = ()> + Send + 'static)> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let over = stop.child_token();
    let (tell, ended) = oneshot::channel();
    let process = Process {
        input: child.stdin.take(),
        output: child.stdout.take(),
        errors: child.stderr.take(),
        ended,
        _over: over.clone().drop_guard(),
    };
    let waiting = async move {
        if dies_with_machine {
            let _nobody_asks = tell.send(child.wait().await);
            return;
        }
        tokio::select! {
            status = child.wait() => {
                let _nobody_asks = tell.send(status);
            }
            () = over.cancelled() => kill(child).await,
        }
    };
    Ok((process, waiting))
}

/// Kills a process with all it has started, and waits until they are gone.
async fn kill(mut child: Child) {
    // There is an id only as long as the process has not been waited for.
    let Some(leader) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) else {
        return;
    };
    // Fails only when there is nothing left to kill.
    let _gone = kill_process_group(leader, Signal::KILL);
    let _status = child.wait().await;
    // Its children are taken away by the first process of this computer.
    let deadline = Instant::now() + TAKING_AWAY;
    while test_kill_process_group(leader).is_ok() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

impl Process {
    /// Waits for its end.
    pub(in crate::demo) async fn end(&mut self) -> std::io::Result<ExitStatus> {
        match (&mut self.ended).await {
            Ok(status) => status,
            Err(_) => Err(std::io::Error::other("nobody waited for it")),
        }
    }

    /// Gives it no input, and gives its output and status when it has ended.
    pub(super) async fn output(mut self) -> std::io::Result<Output> {
        drop(self.input.take());
        let (output, errors) = (self.output.take(), self.errors.take());
        let (stdout, stderr) = tokio::join!(all(output), all(errors));
        Ok(Output { status: self.end().await?, stdout: stdout?, stderr: stderr? })
    }
}

async fn all(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
