use std::fs;

use serde_json::json;

use super::*;
use crate::resource::Answer;
use crate::resource::testing::{
    Bench, compared, differs, going, left, on_every_shell, read_with, removal, seen, shown,
};
use crate::resource::{Removal, Surroundings};

const REMOTE: &str = "git@github.com:example/dotfiles.git";

fn checkout() -> Checkout {
    Checkout {
        path: MachinePath::new("/home/alice/.claude").unwrap(),
        remote: REMOTE.to_owned(),
        branch: "main".to_owned(),
        owner: "alice".to_owned(),
        push_url: Some("disabled".to_owned()),
        key: None,
        known_hosts: None,
    }
}

fn folder(user: &str) -> Answer {
    Answer::Path(PathFacts {
        what: PathType::Directory { mounted: false },
        mode: 0o755,
        uid: 1000,
        gid: 1000,
        user: user.to_owned(),
        group: user.to_owned(),
        ..PathFacts::absent()
    })
}

/// A repository in words: origin, push URL, branch, upstream, changes.
fn repository(origin: &str, push: &str, branch: &str, upstream: &str, changes: &str) -> Answer {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    Answer::Lines(vec![
        "state repository".to_owned(),
        "begun ".to_owned(),
        format!("origin {}", encode(origin)),
        format!("push {}", encode(push)),
        format!("branch {}", encode(branch)),
        "detached 1234567".to_owned(),
        format!("upstream {}", encode(upstream)),
        format!("changes {changes}"),
    ])
}

fn planned(answers: &[Answer]) -> String {
    match compared(&checkout(), answers) {
        Ok(None) => "in order".to_owned(),
        Ok(Some(difference)) => shown(&difference),
        Err(error) => format!("error: {error}"),
    }
}

fn state(word: &str) -> Answer {
    Answer::Lines(vec![format!("state {word}"), "reason YmFkIGNvbmZpZw==".to_owned()])
}

#[test]
fn a_missing_checkout_is_cloned() {
    let clone = format!(
        "  > fp_checkout_clone /home/alice/.claude|{REMOTE}|main|ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20\n  > fp_checkout_configure /home/alice/.claude|remote.origin.pushurl||disabled"
    );
    let absent = [Answer::Path(PathFacts::absent()), state("absent")];
    assert_eq!(
        planned(&absent),
        format!(
            "create\n  origin {REMOTE}\n  branch main\n  push URL disabled\n  owner alice\n  > fp_directory /home/alice/.claude|absent|alice|-|0755\n{clone}"
        )
    );
    assert_eq!(
        planned(&[folder("root"), state("empty")]),
        format!(
            "update\n  origin {REMOTE}\n  branch main\n  push URL disabled\n  owner root → alice\n  > fp_attributes /home/alice/.claude|directory 755 1000 1000|none|alice|-|-\n{clone}"
        )
    );
    // The folder is made for its owner; everything else happens as that owner.
    let operations = differs(&checkout(), &absent).operations;
    let within: Vec<&str> = operations.iter().map(|one| one.within.as_ref().unwrap().as_str()).collect();
    assert_eq!(within, ["/home/alice", "/home/alice/.claude", "/home/alice/.claude"]);
}

#[test]
fn what_would_be_lost_is_a_conflict() {
    let cases = [
        (
            [folder("alice"), state("files")],
            "error: /home/alice/.claude holds files and is no git repository; move them away, or run `git init` there and commit them",
        ),
        (
            [folder("alice"), state("broken")],
            "error: git cannot read the repository in /home/alice/.claude: bad config",
        ),
        (
            [folder("root"), repository(REMOTE, "disabled", "main", "origin/main", "0")],
            "error: /home/alice/.claude belongs to root, not to alice; whoever owns it has to hand it over",
        ),
        (
            [folder("alice"), repository(REMOTE, "disabled", "try", "", "2")],
            "error: /home/alice/.claude is on try and has 2 changed files; commit them or put them away before it can change to main",
        ),
        ([folder("alice"), state("odd")], "error: the machine's answer does not make sense: state odd"),
    ];
    for (answers, expected) in cases {
        assert_eq!(planned(&answers), expected);
    }
}

#[test]
fn settings_and_branch_are_mended_and_heads_are_not() {
    let cases = [
        (repository(REMOTE, "disabled", "main", "origin/main", "3"), "in order"),
        (
            repository("git@old:x.git", "", "main", "", "3"),
            "update\n  origin git@old:x.git → git@github.com:example/dotfiles.git\n  push URL none → disabled\n  upstream none → origin/main\n  > fp_checkout_configure /home/alice/.claude|remote.origin.url|git@old:x.git|git@github.com:example/dotfiles.git\n  > fp_checkout_configure /home/alice/.claude|remote.origin.pushurl||disabled\n  > fp_checkout_follow /home/alice/.claude|main",
        ),
        (
            repository(REMOTE, "disabled", "", "origin/main", "0"),
            "update\n  branch detached at 1234567 → main\n  > fp_checkout_switch /home/alice/.claude||main|ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20",
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(planned(&[folder("alice"), answer]), expected);
    }
}

#[test]
fn the_ssh_command_survives_both_quotings() {
    let mut checkout = checkout();
    checkout.key = Some(MachinePath::new("/home/alice/my keys/it's").unwrap());
    checkout.known_hosts = Some(MachinePath::new("/etc/fleet prov/known_hosts").unwrap());
    assert_eq!(
        checkout.ssh_command(),
        "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=20 -o IdentitiesOnly=yes -i '/home/alice/my keys/it'\\''s' -o 'UserKnownHostsFile=\"/etc/fleet prov/known_hosts\"'"
    );
    let needs: Vec<String> = checkout.needs().iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["package git", "file /home/alice/my keys/it's", "file /etc/fleet prov/known_hosts"]);
}

#[test]
fn fields_are_read() {
    let declared =
        read_with(read, json!({"path": "~/.claude", "remote": REMOTE, "key": "~/.ssh/pull"})).unwrap();
    assert_eq!(declared[0].resource.id().to_string(), "checkout /home/alice/.claude");
    assert_eq!(declared[0].after.len(), 2);
    let wrong = read_with(
        read,
        json!({"path": "here", "remote": "https://me:token@example.org/x.git", "branch": "a..b"}),
    );
    assert_eq!(
        wrong.unwrap_err(),
        [
            "`here` is not an absolute path",
            "`remote`: the remote holds a password, which would show in plans and in the repository",
            "`branch`: `a..b` is not a branch's name"
        ]
    );
    for good in [REMOTE, "ssh://git@host:22/x.git", "file:///srv/x.git", "/srv/x.git", "https://host/x.git"] {
        assert!(remote_from(good).is_ok(), "{good}");
    }
    for bad in ["", "-x", "a b", "ext::sh -c", "ext::sh", "https://token@host/x", "ssh://a:b@host/x"] {
        assert!(remote_from(bad).is_err(), "{bad}");
    }
    for bad in ["", "-x", "a b", "x.lock", "a/.b", "@", "HEAD", "a~1", "x/"] {
        assert!(branch_from(bad).is_err(), "{bad}");
    }
}

/// A bench with real git and a bare repository `remote.git` that has branches main and next.
fn with_remote(bench: &Bench) -> Checkout {
    bench.with("git");
    git(bench, ".", &["init", "--quiet", "--bare", "-b", "main", "remote.git"]);
    git(bench, ".", &["init", "--quiet", "-b", "main", "author"]);
    git(bench, "author", &["remote", "add", "origin", "../remote.git"]);
    commit(bench, "author", "settings.json", "{}\n");
    git(bench, "author", &["push", "--quiet", "origin", "main", "main:next"]);
    let owner = bench.command("/usr/bin/id").arg("-un").output().unwrap().stdout;
    Checkout {
        path: bench.path("it is here"),
        remote: format!("file://{}", bench.path("remote.git")),
        branch: "main".to_owned(),
        owner: String::from_utf8(owner).unwrap().trim().to_owned(),
        push_url: Some("disabled".to_owned()),
        key: None,
        known_hosts: None,
    }
}

fn git(bench: &Bench, folder: &str, arguments: &[&str]) -> String {
    let output = bench
        .command("git")
        .env("GIT_AUTHOR_NAME", "test")
        .env("GIT_AUTHOR_EMAIL", "test@example.org")
        .env("GIT_COMMITTER_NAME", "test")
        .env("GIT_COMMITTER_EMAIL", "test@example.org")
        .arg("-C")
        .arg(bench.file(folder))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn commit(bench: &Bench, folder: &str, file: &str, text: &str) {
    fs::write(bench.file(folder).join(file), text).unwrap();
    git(bench, folder, &["add", file]);
    git(bench, folder, &["commit", "--quiet", "-m", "Change"]);
}

fn plan(bench: &Bench, checkout: &Checkout) -> Result<Option<Difference>, ObserveError> {
    compared(checkout, &bench.answer(&checkout.questions()))
}

fn apply(bench: &Bench, checkout: &Checkout) {
    let said = bench.perform(&plan(bench, checkout).unwrap().unwrap().operations);
    assert_eq!((said.status, said.text.as_str()), (0, ""));
    let left = plan(bench, checkout).unwrap();
    assert!(left.is_none(), "a second plan is empty: {}", shown(&left.unwrap()));
}

const HERE: &str = "it is here";

#[test]
fn a_clone_is_at_the_remotes_head() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        apply(bench, &checkout);
        assert_eq!(git(bench, HERE, &["rev-parse", "HEAD"]), git(bench, "author", &["rev-parse", "main"]));
        assert_eq!(fs::read_to_string(bench.file("it is here/settings.json")).unwrap(), "{}\n");
        assert_eq!(git(bench, HERE, &["status", "--porcelain", "--branch"]), "## main...origin/main");
        assert_eq!(git(bench, HERE, &["remote", "get-url", "--push", "origin"]), "disabled");
        // A head that has moved is no difference, and pulling works as it is.
        commit(bench, "author", "settings.json", "{\"a\": 1}\n");
        git(bench, "author", &["push", "--quiet", "origin", "main"]);
        assert!(plan(bench, &checkout).unwrap().is_none());
        git(bench, HERE, &["pull", "--quiet", "--ff-only"]);
        assert_eq!(git(bench, HERE, &["rev-parse", "HEAD"]), git(bench, "author", &["rev-parse", "main"]));
    });
}

#[test]
fn a_clone_that_was_cut_off_is_finished() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        fs::create_dir(bench.file(HERE)).unwrap();
        // What a kill during the last steps leaves: a mark, a lock, half of the files.
        git(bench, HERE, &["init", "--quiet", "-b", "main"]);
        git(bench, HERE, &["config", "fleetprov.clone", "begun"]);
        fs::write(bench.file(HERE).join(".git/index.lock"), "").unwrap();
        fs::write(bench.file(HERE).join("settings.json"), "{").unwrap();
        fs::write(bench.file(HERE).join("mine"), "stays").unwrap();
        assert!(
            shown(&plan(bench, &checkout).unwrap().unwrap()).contains("a clone that was cut off is finished")
        );
        apply(bench, &checkout);
        assert_eq!(fs::read_to_string(bench.file(HERE).join("settings.json")).unwrap(), "{}\n");
        assert_eq!(fs::read_to_string(bench.file(HERE).join("mine")).unwrap(), "stays");
    });
}

#[test]
fn a_repository_that_was_not_finished_is_in_nobodys_way() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        // What a full disk leaves of `git init`: no HEAD, half of a setting.
        let half = bench.file(HERE).join(".fleetprov-clone/.git");
        fs::create_dir_all(&half).unwrap();
        fs::write(half.join("config"), "[core").unwrap();
        apply(bench, &checkout);
        assert_eq!(git(bench, HERE, &["status", "--porcelain", "--branch"]), "## main...origin/main");
        assert!(!bench.file(HERE).join(".fleetprov-clone").exists());
    });
}

#[test]
fn settings_and_branch_are_mended_without_touching_changes() {
    on_every_shell(|bench| {
        let mut checkout = with_remote(bench);
        apply(bench, &checkout);
        fs::write(bench.file(HERE).join("settings.json"), "mine\n").unwrap();
        git(bench, HERE, &["remote", "set-url", "origin", "https://somebody:t0ken@example.org/x.git"]);
        git(bench, HERE, &["branch", "--quiet", "--unset-upstream"]);
        checkout.push_url = None;
        let difference = plan(bench, &checkout).unwrap().unwrap();
        let text = shown(&difference);
        assert!(text.contains("origin https://somebody:***@example.org/x.git → file://"), "{text}");
        assert!(
            text.contains("push URL disabled → none") && text.contains("upstream none → origin/main"),
            "{text}"
        );
        assert!(!text.contains("t0ken"), "{text}");
        apply(bench, &checkout);
        assert_eq!(fs::read_to_string(bench.file(HERE).join("settings.json")).unwrap(), "mine\n");

        checkout.branch = "next".to_owned();
        let error = plan(bench, &checkout).unwrap_err().to_string();
        assert!(error.ends_with("is on main and has 1 changed files; commit them or put them away before it can change to next"), "{error}");
        git(bench, HERE, &["checkout", "--quiet", "settings.json"]);
        let stale = plan(bench, &checkout).unwrap().unwrap();
        fs::write(bench.file(HERE).join("settings.json"), "mine again\n").unwrap();
        let said = bench.perform(&stale.operations);
        assert_eq!((said.status, said.text.ends_with("has local changes\n")), (3, true), "{}", said.text);
        git(bench, HERE, &["checkout", "--quiet", "settings.json"]);
        apply(bench, &checkout);
        assert_eq!(git(bench, HERE, &["status", "--porcelain", "--branch"]), "## next...origin/next");
    });
}

#[test]
fn commits_that_no_branch_holds_are_not_left_behind() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        apply(bench, &checkout);
        git(bench, HERE, &["checkout", "--quiet", "--detach"]);
        let at_a_branch = plan(bench, &checkout).unwrap().unwrap();
        assert!(shown(&at_a_branch).contains("branch detached at "));
        commit(bench, HERE, "new", "x");
        let said = bench.perform(&at_a_branch.operations);
        assert_eq!(said.status, 3);
        assert!(said.text.contains("detached at commits that no branch holds"), "{}", said.text);
        git(bench, HERE, &["branch", "kept"]);
        apply(bench, &checkout);
        assert_eq!(git(bench, HERE, &["symbolic-ref", "--short", "HEAD"]), "main");
    });
}

#[test]
fn an_adopted_repository_gets_its_remote() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        fs::create_dir(bench.file(HERE)).unwrap();
        fs::write(bench.file(HERE).join("mine"), "x").unwrap();
        assert!(
            plan(bench, &checkout).unwrap_err().to_string().contains("holds files and is no git repository")
        );
        git(bench, HERE, &["init", "--quiet", "-b", "main"]);
        commit(bench, HERE, "mine", "x");
        apply(bench, &checkout);
        git(bench, HERE, &["fetch", "--quiet"]);
        assert_eq!(git(bench, HERE, &["rev-list", "--count", "HEAD"]), "1");
    });
}

#[test]
fn failures_say_why() {
    on_every_shell(|bench| {
        let mut checkout = with_remote(bench);
        checkout.branch = "nonesuch".to_owned();
        let stale = plan(bench, &checkout).unwrap().unwrap();
        let said = bench.perform(&stale.operations);
        assert_eq!(said.status, 1);
        assert!(said.text.starts_with("failed to find branch nonesuch at file://"), "{}", said.text);
        fs::remove_dir_all(bench.file(HERE)).unwrap();
        checkout.remote = format!("file://{}", bench.path("nowhere.git"));
        let said = bench.perform(&plan(bench, &checkout).unwrap().unwrap().operations);
        assert_eq!(said.status, 1);
        assert!(
            said.text.starts_with("failed to fetch from file://") && said.text.contains("does not"),
            "{}",
            said.text
        );
        // Made by somebody else since it was looked at.
        fs::remove_dir_all(bench.file(HERE)).unwrap();
        let plan = plan(bench, &checkout).unwrap().unwrap();
        fs::create_dir(bench.file(HERE)).unwrap();
        assert_eq!(bench.perform(&plan.operations).status, 3);
    });
}

/// How it would go, with the path left out.
fn leaving(bench: &Bench, checkout: &Checkout, adopted: &[&str]) -> String {
    going(checkout, &bench.answer(&left(checkout).questions()), adopted).replace(checkout.path.as_str(), "/x")
}

fn leave(bench: &Bench, checkout: &Checkout, adopted: &[&str]) -> Vec<Operation> {
    let answers = bench.answer(&left(checkout).questions());
    match removal(checkout, &answers, adopted, &Surroundings::default()).unwrap() {
        Removal::Remove(difference) => difference.operations,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_checkout_that_holds_nothing_of_its_own_goes() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        assert_eq!(leaving(bench, &checkout, &[]), "gone");
        apply(bench, &checkout);
        assert_eq!(
            leaving(bench, &checkout, &[]),
            "remove\n  > fp_checkout_remove /x\n  > fp_folder_remove /x"
        );
        let operations = leave(bench, &checkout, &[]);
        // Something came in between.
        fs::write(bench.file(HERE).join("mine"), "x").unwrap();
        let said = bench.perform(&operations);
        assert_eq!(said.status, 3);
        assert!(said.text.ends_with("holds something that is nowhere else, by now\n"), "{}", said.text);
        fs::remove_file(bench.file(HERE).join("mine")).unwrap();
        assert!(bench.file("it is here/settings.json").exists());
        // A removal that was cut off is gone on with, whatever it left.
        fs::write(bench.file(HERE).join(".git/fleetprov-leaving"), "").unwrap();
        fs::remove_file(bench.file(HERE).join("settings.json")).unwrap();
        fs::remove_dir_all(bench.file(HERE).join(".git/refs")).unwrap();
        let said = bench.perform(&leave(bench, &checkout, &[]));
        assert_eq!((said.status, said.text.as_str()), (0, ""));
        assert!(!bench.file(HERE).exists());
        assert_eq!(bench.perform(&operations).status, 0, "once more does no harm");
        // The folder that was there stays.
        fs::create_dir(bench.file(HERE)).unwrap();
        apply(bench, &checkout);
        let folder = format!("directory {}", checkout.path);
        assert_eq!(bench.perform(&leave(bench, &checkout, &[&folder])).status, 0);
        assert_eq!(fs::read_dir(bench.file(HERE)).unwrap().count(), 0);
        assert_eq!(leaving(bench, &checkout, &[&folder]), "gone");
    });
}

#[test]
fn a_checkout_with_local_work_stays_and_says_what() {
    on_every_shell(|bench| {
        let checkout = with_remote(bench);
        apply(bench, &checkout);
        let stays = |what: &str| {
            assert_eq!(leaving(bench, &checkout, &[]), format!("stays: it holds {what}; it stays as it is"));
        };
        let here = bench.file(HERE);
        fs::write(here.join("settings.json"), "mine\n").unwrap();
        fs::write(here.join("new"), "").unwrap();
        fs::write(here.join(".git/info/exclude"), "session*\n").unwrap();
        fs::write(here.join("session 1"), "").unwrap();
        fs::write(here.join("session 2"), "").unwrap();
        stays("one changed file, one untracked file, 2 ignored files and folders");
        for name in ["new", "session 1", "session 2"] {
            fs::remove_file(here.join(name)).unwrap();
        }
        git(bench, HERE, &["stash", "--quiet"]);
        stays("one stash");
        git(bench, HERE, &["stash", "drop", "--quiet"]);
        commit(bench, HERE, "settings.json", "committed\n");
        stays("one commit that its remote does not have");
        git(bench, HERE, &["checkout", "--quiet", "--detach"]);
        git(bench, HERE, &["branch", "--quiet", "--force", "main", "origin/main"]);
        stays("one commit that its remote does not have");
        git(bench, HERE, &["push", "--quiet", checkout.remote.as_str(), "HEAD:refs/heads/kept"]);
        git(bench, HERE, &["fetch", "--quiet", "origin"]);
        git(bench, HERE, &["worktree", "add", "--quiet", "../beside"]);
        stays("one other working tree");
        git(bench, HERE, &["worktree", "remove", "../beside"]);
        git(bench, HERE, &["branch", "--quiet", "-D", "beside"]);
        assert!(leaving(bench, &checkout, &[]).starts_with("remove"));
        assert_eq!(
            leaving(bench, &checkout, &["origin"]),
            "stays: it was there before fleetprov; it stays as it is"
        );
        fs::remove_dir_all(here.join(".git")).unwrap();
        assert_eq!(
            leaving(bench, &checkout, &[]),
            "stays: /x holds files and is no repository any more; it stays as it is"
        );
        let told = seen(&checkout, &bench.answer(&checkout.questions()));
        assert!(
            told.iter().all(|told| told.starts_with("directory ") || told.starts_with("owner ")),
            "{told:?}"
        );
    });
}

#[test]
fn a_key_of_its_own_is_kept_in_the_repository_and_goes_when_it_is_another() {
    let own = MachinePath::new("/home/alice/.ssh/fleetprov-dotfiles").unwrap();
    let with = Checkout { key: Some(own), ..checkout() };
    let there = |ssh: &str| {
        use base64::Engine as _;
        let Answer::Lines(mut lines) = repository(REMOTE, "disabled", "main", "origin/main", "0") else {
            panic!("no lines")
        };
        lines.push(format!("ssh {}", base64::engine::general_purpose::STANDARD.encode(ssh)));
        [folder("alice"), Answer::Lines(lines)]
    };
    let ssh = with.ssh_command();
    assert!(compared(&with, &there(&ssh)).unwrap().is_none());
    let set = shown(&differs(&with, &there("")));
    assert!(set.contains("ssh command none → ssh -o BatchMode=yes"), "{set}");
    assert!(set.contains("fp_checkout_configure /home/alice/.claude|core.sshCommand||ssh "), "{set}");
    assert!(shown(&differs(&checkout(), &there(&ssh))).contains("→ none"));
    // One that somebody has set is theirs.
    assert!(compared(&checkout(), &there("ssh -i ~/.ssh/mine")).unwrap().is_none());
}
