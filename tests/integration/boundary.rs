//! Holds a run on a real machine at exactly one boundary of one step, for as long as a test likes.
//!
//! The session's shell notes each step in the run's `progress`. It has to open that file to do so, as it
//! has to open a program to start it; and the kernel asks before it lets anything in the machine open a
//! file, because this process told it to (fanotify(7), `FAN_OPEN_PERM` on the machine's mount). So the shell
//! waits inside open(2), not somewhere near it. A kill still ends it there.

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::fanotify::{
    EventFFlags, Fanotify, FanotifyEvent, FanotifyResponse, InitFlags, MarkFlags, MaskFlags, Response,
};

use crate::rig::RunningMachine;

/// A place in the course of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Boundary {
    /// It is noted as begun, and nothing of it is made.
    Begun,
    /// It is made, and not noted as made.
    Made,
    /// It is noted as made, and nothing more.
    Noted,
}

impl Boundary {
    pub(crate) const ALL: [Self; 3] = [Self::Begun, Self::Made, Self::Noted];
}

/// A run that is held.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The id of the session's shell, as this computer sees it.
    pub(crate) shell: u32,
    /// The index of the step.
    pub(crate) step: usize,
    /// The steps of the run in their order: the resource and the action.
    pub(crate) steps: Vec<(String, String)>,
    /// The run's folder, as this computer sees it.
    pub(crate) folder: PathBuf,
}

/// Waits for a boundary. Whatever it holds goes on when this is dropped.
pub(crate) struct Watch {
    held: Receiver<Held>,
    release: Option<Sender<()>>,
    watching: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches for the next run that begins on a machine with the state folder of root. Of its steps the
    /// one with that number is meant, counted round.
    pub(crate) fn new(machine: &RunningMachine, step: usize, boundary: Boundary) -> Self {
        let flags = InitFlags::FAN_CLASS_CONTENT
            | InitFlags::FAN_CLOEXEC
            | InitFlags::FAN_NONBLOCK
            | InitFlags::FAN_UNLIMITED_QUEUE;
        let group = Fanotify::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC).unwrap();
        // The mounts as the machine has them: what this process itself opens goes by others, and is not
        // asked. What a step says goes to a file in /run, so a step that does nothing opens that.
        let here = std::fs::File::open("/").unwrap();
        let marks = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_MOUNT;
        for mount in ["", "run/"] {
            let mount = PathBuf::from(format!("/proc/{}/root/{mount}.", machine.init()));
            group.mark(marks, MaskFlags::FAN_OPEN_PERM, &here, Some(mount.as_path())).unwrap();
        }
        let runs = machine.root().join("var/lib/fleetprov/runs");
        let known = folders(&runs);
        let (tell, held) = channel();
        let (release, released) = channel();
        let look = Look { runs, known, step, boundary, run: None };
        let watching = std::thread::spawn(move || look.watch(&group, &tell, &released));
        Self { held, release: Some(release), watching: Some(watching) }
    }

    /// Waits until the run is held; none when `goes_on` says that it does not any more.
    pub(crate) fn wait(&self, mut goes_on: impl FnMut() -> bool) -> Option<Held> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            match self.held.recv_timeout(Duration::from_millis(5)) {
                Ok(held) => return Some(held),
                Err(RecvTimeoutError::Timeout) if !goes_on() => return self.held.try_recv().ok(),
                Err(RecvTimeoutError::Timeout) => {
                    assert!(Instant::now() < deadline, "the run neither ends nor comes to its boundary");
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the watch has ended"),
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.release = None;
        if let Some(watching) = self.watching.take()
            && watching.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the watch has failed");
        }
    }
}

/// What is looked for, and what was found of it.
struct Look {
    runs: PathBuf,
    known: Vec<PathBuf>,
    step: usize,
    boundary: Boundary,
    run: Option<Found>,
}

/// The run that has begun.
struct Found {
    shell: u32,
    folder: PathBuf,
    steps: Vec<(String, String)>,
    step: usize,
}

impl Look {
    /// Answers the kernel until the watch is dropped; with the group, what it holds is let go.
    fn watch(mut self, group: &Fanotify, tell: &Sender<Held>, released: &Receiver<()>) {
        let mut holding: Vec<FanotifyEvent> = Vec::new();
        while !matches!(released.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)) {
            let mut polled = [PollFd::new(group.as_fd(), PollFlags::POLLIN)];
            if poll(&mut polled, PollTimeout::from(5_u8)).unwrap() == 0 {
                continue;
            }
            for event in group.read_events().unwrap_or_default() {
                let Some(descriptor) = event.fd() else { continue };
                if holding.is_empty()
                    && let Some(held) = self.reached(&event)
                {
                    let _heard = tell.send(held);
                    holding.push(event);
                    continue;
                }
                // Fails when whoever asked is gone.
                let _gone = group.write_response(FanotifyResponse::new(descriptor, Response::FAN_ALLOW));
            }
        }
        for event in &holding {
            let descriptor = event.fd().expect("what is held has a descriptor");
            let _gone = group.write_response(FanotifyResponse::new(descriptor, Response::FAN_ALLOW));
        }
    }

    /// Whether this is the boundary.
    fn reached(&mut self, event: &FanotifyEvent) -> Option<Held> {
        let process = u32::try_from(event.pid()).ok()?;
        if self.run.is_none() {
            self.run = self.begun(process);
        }
        let run = self.run.as_ref()?;
        if !lineage(process).contains(&run.shell) {
            return None;
        }
        let text = std::fs::read_to_string(run.folder.join("progress")).ok()?;
        let last = text.lines().last().filter(|_| text.ends_with('\n'))?;
        let (index, word) = last.split_once(' ')?;
        if index != run.step.to_string() {
            return None;
        }
        let is_note = process == run.shell && is_opened(event, &run.folder.join("progress"));
        let reached = match self.boundary {
            Boundary::Begun => word == "started" && !is_note,
            Boundary::Made => word == "started" && is_note,
            Boundary::Noted => word != "started",
        };
        let (shell, step, steps, folder) = (run.shell, run.step, run.steps.clone(), run.folder.clone());
        reached.then_some(Held { shell, step, steps, folder })
    }

    /// The run that a process belongs to, once it has begun.
    fn begun(&self, process: u32) -> Option<Found> {
        let folder = folders(&self.runs).into_iter().find(|folder| !self.known.contains(folder))?;
        let progress = std::fs::read(folder.join("progress")).ok()?;
        if progress.is_empty() {
            return None;
        }
        let lineage = lineage(process);
        // What the server of the login has started.
        let server =
            lineage.iter().position(|one| name(*one).is_some_and(|name| name.starts_with("sshd")))?;
        let shell = *lineage.get(server.checked_sub(1)?)?;
        let steps = steps(&folder)?;
        let step = self.step % steps.len().max(1);
        Some(Found { shell, folder, steps, step })
    }
}

/// The folders in a folder.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// The steps of a run, as it was written down.
fn steps(folder: &Path) -> Option<Vec<(String, String)>> {
    let run: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("run")).ok()?).ok()?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let steps = run["steps"].as_array()?.iter();
    Some(
        steps
            .map(|step| {
                let (id, action) = (&step["id"], text(&step["action"]));
                (format!("{} {}", text(&id[0]), text(&id[1])), action)
            })
            .collect(),
    )
}

/// Whether what an event is about is this file: the name ends as the file's does, as the machine sees it.
fn is_opened(event: &FanotifyEvent, file: &Path) -> bool {
    use std::os::fd::AsRawFd as _;
    let Some(descriptor) = event.fd() else { return false };
    let opened = std::fs::read_link(format!("/proc/self/fd/{}", descriptor.as_raw_fd())).unwrap_or_default();
    let run = file.parent().and_then(Path::file_name);
    opened.file_name() == file.file_name() && opened.parent().and_then(Path::file_name) == run
}

/// A process and those it descends from, nearest first.
pub(crate) fn lineage(process: u32) -> Vec<u32> {
    let mut lineage = vec![process];
    while let Some(parent) = lineage.last().copied().and_then(parent)
        && parent > 1
        && lineage.len() < 100
    {
        lineage.push(parent);
    }
    lineage
}

fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// The name of a process's program.
pub(crate) fn name(process: u32) -> Option<String> {
    Some(std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?.trim_end().to_owned())
}
