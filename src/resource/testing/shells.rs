//! Runs the functions of the kinds as a session does, in real shells with the tools they come with.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::nodes::RUN_KEY;
use crate::model::{Digest, MachinePath};
use crate::resource::{Answer, Operation, PathFacts, PathType, Payload, Question, Want};
use crate::shell::{posix, program};

/// A shell with its tools, and a folder to work in.
pub(in crate::resource) struct Bench {
    shell: &'static str,
    folder: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(in crate::resource) struct Said {
    /// The exit status of the last operation that was made.
    pub(in crate::resource) status: i32,
    /// What the functions printed on either stream.
    pub(in crate::resource) text: String,
}

/// Runs a test on dash with coreutils and on `BusyBox`, ash and tools.
pub(in crate::resource) fn on_every_shell(test: impl Fn(&Bench)) {
    for shell in ["dash", "ash"] {
        let bench = Bench { shell, folder: tempfile::tempdir().unwrap() };
        fs::create_dir(bench.file("bin")).unwrap();
        fs::create_dir(bench.file("tools")).unwrap();
        if shell == "ash" {
            let busybox = program_at("busybox");
            let list = Command::new(&busybox).arg("--list").output().unwrap();
            for applet in String::from_utf8(list.stdout).unwrap().lines() {
                symlink(&busybox, bench.file("tools").join(applet)).unwrap();
            }
        }
        test(&bench);
    }
}

fn program_at(name: &str) -> PathBuf {
    let folders = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    folders
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("this test needs {name}"))
}

impl Bench {
    /// Which shell it is.
    pub(in crate::resource) fn shell(&self) -> &'static str {
        self.shell
    }

    /// A path below the folder.
    pub(in crate::resource) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as a path on a machine.
    pub(in crate::resource) fn path(&self, name: &str) -> MachinePath {
        MachinePath::new(self.file(name).to_str().unwrap()).unwrap()
    }

    /// Puts a stand-in for a program in front of all others. `$LOG` is the file `log` in the folder.
    pub(in crate::resource) fn stand_in(&self, name: &str, script: &str) {
        let path = self.file("bin").join(name);
        let text =
            format!("#!/bin/sh\nHERE='{}'\nLOG=\"$HERE/log\"\n{script}\n", self.folder.path().display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Makes a real program available where only `BusyBox` is.
    pub(in crate::resource) fn with(&self, name: &str) {
        if self.shell == "ash" {
            symlink(program_at(name), self.file("bin").join(name)).unwrap();
        }
    }

    /// What the stand-ins have noted, and forgets it.
    pub(in crate::resource) fn log(&self) -> String {
        let text = fs::read_to_string(self.file("log")).unwrap_or_default();
        let _ = fs::remove_file(self.file("log"));
        text
    }

    /// A command with the environment of a session.
    pub(in crate::resource) fn command(&self, program: &str) -> Command {
        let folder = self.folder.path().display();
        let path = match self.shell {
            "dash" => format!("{folder}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
            _ => format!("{folder}/bin:{folder}/tools"),
        };
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", self.folder.path());
        command
    }

    fn run(&self, script: &str, input: &[u8]) -> (i32, String) {
        let (program, first) = match self.shell {
            "dash" => (program_at("dash"), None),
            _ => (program_at("busybox"), Some("ash")),
        };
        let mut script = script.to_owned();
        if self.shell == "ash" {
            // Debian's BusyBox prefers its own applets to programs of the same name; not to functions.
            for entry in fs::read_dir(self.file("bin")).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                if !name.contains('-') {
                    script.insert_str(0, &format!("{name}() {{\n{} \"$@\"\n}}\n", path.display()));
                }
            }
        }
        let mut child = self
            .command(program.to_str().unwrap())
            .args(first)
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Answers a resource's questions about paths and its own ones.
    pub(in crate::resource) fn answer(&self, questions: &[Question]) -> Vec<Answer> {
        questions.iter().map(|question| self.answer_one(question)).collect()
    }

    fn answer_one(&self, question: &Question) -> Answer {
        match question {
            Question::Path { path, want } => Answer::Path(self.facts(path, want)),
            Question::Ask { library, call, within } => {
                let folder = within.as_ref().map_or("/", |folder| folder.as_str());
                let script = format!(
                    "fp_nonce=n\n{}fp_key={RUN_KEY}\nfp_left=0\nfp_within {} {} </dev/null\n",
                    program::definitions(&[*library]),
                    posix::quote(folder),
                    posix::quote(&posix::command(call))
                );
                let (status, text) = self.run(&script, b"");
                let lines = text.lines().map(str::to_owned).collect();
                if status == 0 {
                    Answer::Lines(lines)
                } else {
                    Answer::Unanswered(text.trim_end().to_owned())
                }
            }
            other => panic!("{other:?} is not for a bench"),
        }
    }

    /// The facts of a path by `stat`, as the probe gives them.
    fn facts(&self, path: &MachinePath, want: &Want) -> PathFacts {
        let Ok(found) = fs::symlink_metadata(path.as_str()) else { return PathFacts::absent() };
        let what = if found.is_dir() {
            PathType::Directory { mounted: false }
        } else if found.is_symlink() {
            PathType::Link(fs::read_link(path.as_str()).unwrap().display().to_string())
        } else {
            PathType::File
        };
        let output = Command::new("stat").args(["-c", "%a %u %g %U %G", path.as_str()]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        let bytes = (what == PathType::File).then(|| fs::read(path.as_str()).unwrap());
        PathFacts {
            mode: u32::from_str_radix(words[0], 8).unwrap(),
            uid: words[1].parse().unwrap(),
            gid: words[2].parse().unwrap(),
            user: words[3].to_owned(),
            group: words[4].to_owned(),
            size: found.len(),
            digest: bytes.as_ref().and_then(|bytes| match want {
                Want::Facts => None,
                Want::Keyed => Some(Digest::keyed(RUN_KEY, bytes)),
                _ => Some(Digest::of(bytes)),
            }),
            bytes: bytes.filter(|_| matches!(want, Want::Bytes { .. })),
            acting: None,
            what,
        }
    }

    /// Makes operations in their order up to the first that fails, as an apply does, and checks that
    /// each took its own payload and nothing else from the stream.
    pub(in crate::resource) fn perform(&self, operations: &[Operation]) -> Said {
        let libraries: Vec<_> = std::iter::once(posix::FILES)
            .chain(operations.iter().map(|operation| operation.library))
            .collect();
        let mut script =
            format!("fp_nonce=n\n{}fp_key={RUN_KEY}\nfp_done=0\n", program::definitions(&libraries));
        let mut rests = Vec::new();
        let mut input = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            let bytes = match &operation.payload {
                None => &[][..],
                Some(Payload::Bytes(bytes)) => bytes,
                Some(Payload::Secret(secret)) => secret.expose(),
                Some(Payload::Local { .. }) => panic!("no kind here sends a file"),
            };
            input.extend_from_slice(bytes);
            rests.push(input.len());
            let folder = operation.within.as_ref().map_or("/", |folder| folder.as_str());
            script.push_str(&format!(
                "if [ \"$fp_done\" = {index} ]; then\nfp_left={}\nfp_within {} {} >>{log} 2>&1\n\
                 fp_ended=$?\nfp_drain\n[ \"$fp_ended\" != 0 ] || fp_done={}\nfi\n",
                bytes.len(),
                posix::quote(folder),
                posix::quote(&posix::command(&operation.call)),
                index + 1,
                log = posix::quote(self.file("said").to_str().unwrap()),
            ));
        }
        script.push_str("printf '%s %s\\n' \"$fp_done\" \"$fp_ended\"\ncat\n");
        input.extend_from_slice(b"REST");
        let (_, output) = self.run(&script, &input);
        let text = fs::read_to_string(self.file("said")).unwrap_or_default();
        let _ = fs::remove_file(self.file("said"));
        let (ended, rest) = output.split_once('\n').unwrap_or_else(|| panic!("{output:?} after {text}"));
        let (done, status) = ended.split_once(' ').unwrap();
        let last = done.parse::<usize>().unwrap().min(operations.len() - 1);
        let left = String::from_utf8_lossy(input.get(rests[last]..).unwrap());
        assert_eq!(rest, left, "operations took too much or too little of the stream: {text}");
        Said { status: status.parse().unwrap(), text }
    }
}
