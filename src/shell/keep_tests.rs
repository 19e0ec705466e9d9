//! Pre-images on dash with coreutils and on `BusyBox`, as the machine keeps them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::posix::{JOURNAL, quote};
use super::program::definitions;

/// A shell with its tools, and a folder with a run's folder in it.
struct Bench {
    shell: Vec<&'static str>,
    path: String,
    holder: tempfile::TempDir,
}

fn on_every_shell(test: impl Fn(&Bench)) {
    for shell in [&["dash"][..], &["busybox", "ash"]] {
        let holder = tempfile::tempdir().unwrap();
        let mut path = std::env::var("PATH").unwrap();
        if shell.len() > 1 {
            let tools = holder.path().join("tools");
            fs::create_dir(&tools).unwrap();
            let list = Command::new("busybox").arg("--list").output().expect("this test needs busybox");
            let places = ["/bin/busybox", "/usr/bin/busybox"];
            let program = places.into_iter().find(|path| Path::new(path).exists()).unwrap();
            for name in String::from_utf8(list.stdout).unwrap().lines() {
                symlink(program, tools.join(name)).unwrap();
            }
            path = tools.display().to_string();
        }
        fs::create_dir_all(holder.path().join("state/runs/r/before")).unwrap();
        test(&Bench { shell: shell.to_vec(), path, holder });
    }
}

impl Bench {
    fn at(&self, below: &str) -> PathBuf {
        self.holder.path().join(below)
    }

    /// A path as a word of a script, with what stands before it.
    fn word(&self, before: &str, below: &str) -> String {
        quote(&format!("{before}{}", self.at(below).display()))
    }

    /// Runs a script with the functions of a session; its status and what it printed on either stream.
    fn run(&self, script: &str) -> (i32, String) {
        let script = format!(
            "exec 2>&1\nfp_nonce=n\n{}fp_run={}\nfp_index=0\n{script}",
            definitions(&[JOURNAL]),
            self.word("", "state/runs/r")
        );
        let folders = ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(self.shell[0]));
        let output = Command::new(folders.iter().find(|path| path.exists()).unwrap())
            .args(&self.shell[1..])
            .args(["-c", &script])
            .env("PATH", &self.path)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn mode(&self, below: &str) -> u32 {
        fs::symlink_metadata(self.at(below)).unwrap().permissions().mode() & 0o7777
    }
}

#[test]
fn whatever_becomes_of_things_they_are_put_back() {
    on_every_shell(|bench| {
        fs::write(bench.at("file"), "text without an end\0\nand more").unwrap();
        fs::set_permissions(bench.at("file"), fs::Permissions::from_mode(0o4751)).unwrap();
        fs::write(bench.at("empty"), "").unwrap();
        symlink("a target\nof two lines", bench.at("link")).unwrap();
        fs::create_dir(bench.at("folder")).unwrap();
        fs::set_permissions(bench.at("folder"), fs::Permissions::from_mode(0o3770)).unwrap();
        let names = ["file", "empty", "link", "folder", "deep", "deep/it's new", "none"];
        let things = names.map(|name| bench.word("path:", name)).join(" ");
        let changes = "\
cd \"$fp_run/../../..\"
echo other >file; chmod 600 file
rm empty; mkdir empty
rm link; echo >link
rmdir folder; ln -s file folder
mkdir deep; echo >\"deep/it's new\"
";
        let put_back = "fp_put_back \"$fp_run\" 0 && fp_put_back \"$fp_run\" 0\n";
        for noted in [true, false] {
            let note = if noted { format!("fp_kept_after 0 {things} &&\n") } else { String::new() };
            let (status, said) = bench.run(&format!("fp_keep {things} || exit 9\n{changes}{note}{put_back}"));
            assert_eq!((status, said.as_str()), (0, ""), "{:?}", bench.shell);
            assert_eq!(fs::read(bench.at("file")).unwrap(), b"text without an end\0\nand more");
            assert_eq!((bench.mode("file"), bench.mode("folder")), (0o4751, 0o3770));
            assert_eq!(fs::read(bench.at("empty")).unwrap(), b"");
            assert_eq!(fs::read_link(bench.at("link")).unwrap(), Path::new("a target\nof two lines"));
            assert!(!bench.at("deep").exists() && !bench.at("none").exists());
            fs::remove_file(bench.at("state/runs/r/after")).unwrap_or_default();
        }
        for image in fs::read_dir(bench.at("state/runs/r/before")).unwrap() {
            let mode = image.unwrap().metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
        }
    });
}

#[test]
fn what_a_step_left_as_it_was_is_not_touched() {
    on_every_shell(|bench| {
        fs::write(bench.at("file"), "same").unwrap();
        let thing = bench.word("path:", "file");
        let script = format!(
            "fp_keep {thing} && fp_kept_after 0 {thing} && echo later >{} && fp_put_back \"$fp_run\" 0",
            bench.word("", "file")
        );
        assert_eq!(bench.run(&script), (0, String::new()));
        assert_eq!(fs::read(bench.at("file")).unwrap(), b"later\n");
    });
}

#[test]
fn what_cannot_be_kept_is_said_and_stays() {
    on_every_shell(|bench| {
        fs::File::create(bench.at("large")).unwrap().set_len(8 * 1024 * 1024 + 1).unwrap();
        Command::new("mkfifo").arg(bench.at("pipe")).status().unwrap();
        for name in ["large", "pipe"] {
            let thing = bench.word("path:", name);
            let script =
                format!("fp_keep {thing} && rm {} && fp_put_back \"$fp_run\" 0", bench.word("", name));
            let (status, said) = bench.run(&script);
            assert_eq!(status, 1, "{name}: {said}");
            assert!(!bench.at(name).exists());
        }
        // A damaged image is none.
        fs::write(bench.at("file"), "content").unwrap();
        let thing = bench.word("path:", "file");
        assert_eq!(bench.run(&format!("fp_keep {thing}")).0, 0);
        let image = bench.at("state/runs/r/before/0.1");
        let whole = fs::read(&image).unwrap();
        fs::write(bench.at("file"), "changed").unwrap();
        for length in [0, 3, whole.len() - 8, whole.len() - 1] {
            fs::write(&image, &whole[..length]).unwrap();
            let (status, said) = bench.run("fp_put_back \"$fp_run\" 0");
            assert_eq!((status, fs::read(bench.at("file")).unwrap()), (1, b"changed".to_vec()), "{said}");
        }
        fs::write(&image, &whole).unwrap();
        assert_eq!(bench.run("fp_put_back \"$fp_run\" 0").0, 0);
        assert_eq!(fs::read(bench.at("file")).unwrap(), b"content");
    });
}

#[test]
fn a_run_keeps_no_more_than_its_share() {
    on_every_shell(|bench| {
        let mut things = Vec::new();
        for number in 0..9 {
            let name = format!("f{number}");
            fs::File::create(bench.at(&name)).unwrap().set_len(8 * 1024 * 1024).unwrap();
            things.push(bench.word("path:", &name));
        }
        assert_eq!(bench.run(&format!("fp_keep {}", things.join(" "))), (0, String::new()));
        let image =
            |number: usize| fs::metadata(bench.at(&format!("state/runs/r/before/0.{number}"))).unwrap();
        assert!(image(8).len() > 8 * 1024 * 1024);
        assert!(image(9).len() < 200);
    });
}

#[test]
fn nothing_is_changed_when_there_is_no_room_to_keep_it() {
    on_every_shell(|bench| {
        fs::write(bench.at("file"), "content").unwrap();
        symlink("/dev/full", bench.at("state/runs/r/before/0.1")).unwrap();
        for name in ["file", "none"] {
            let (status, said) = bench.run(&format!("fp_keep {} && echo changed", bench.word("path:", name)));
            assert_eq!(status, 1, "{said}");
            assert!(said.contains("could not be kept") && !said.contains("changed\n"), "{said}");
        }
    });
}

#[test]
fn old_runs_lose_what_they_keep_and_very_old_ones_go() {
    on_every_shell(|bench| {
        let runs = bench.at("state/runs");
        fs::remove_dir_all(&runs).unwrap();
        let age = |name: &str, days: u64| {
            let file = fs::File::options().append(true).open(runs.join(name).join("run")).unwrap();
            let time = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400 + 7_200);
            file.set_modified(time).unwrap();
        };
        let make = |name: &str, days: u64| {
            fs::create_dir_all(runs.join(name).join("before")).unwrap();
            fs::write(runs.join(name).join("run"), "x").unwrap();
            fs::write(runs.join(name).join("before/0.1"), "x").unwrap();
            age(name, days);
        };
        let left = |below: &str| {
            let mut names: Vec<String> = fs::read_dir(&runs)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| runs.join(name).join(below).exists())
                .collect();
            names.sort();
            names
        };
        let clean = format!("fp_last=last\nfp_keep_clean {}\n", bench.word("", "state"));
        make("last", 300);
        make("young", 1);
        make("old", 91);
        fs::create_dir(runs.join("cut-before-it-began")).unwrap();
        assert_eq!(bench.run(&clean), (0, String::new()));
        assert_eq!(left("before"), ["last", "young"]);
        assert_eq!(left("."), ["last", "old", "young"]);
        // By their number, the last run aside: with the next one there are a hundred, and twenty.
        for number in 0..120 {
            make(&format!("r{number:03}"), 2);
            age(&format!("r{number:03}"), 2 + number / 10);
        }
        fs::create_dir(bench.at("state/guard")).unwrap();
        fs::write(bench.at("state/guard/armed"), "x").unwrap();
        bench.run(&clean);
        assert_eq!(left(".").len(), 123, "a revert is armed");
        fs::remove_file(bench.at("state/guard/armed")).unwrap();
        bench.run(&clean);
        assert_eq!((left(".").len(), left("before").len()), (100, 20));
        assert!(left(".").contains(&"last".to_owned()) && left("before").contains(&"young".to_owned()));
        // By their size.
        for name in left("before") {
            let large = fs::File::create(runs.join(name).join("before/0.2")).unwrap();
            std::io::copy(&mut std::io::Read::take(std::io::repeat(b'x'), 4 << 20), &mut &large).unwrap();
        }
        bench.run(&clean);
        assert_eq!(left("before").len(), 16, "fifteen times 4 MiB and a little, and the last run's");
    });
}
