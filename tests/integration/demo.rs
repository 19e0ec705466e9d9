//! `fleetprov demo`, run as people run it, in an enclosure in which nothing else happens: processes,
//! mounts, namespaces and files are the same before and after, however it ends.

use std::path::Path;
use std::process::Command;

/// What is allowed in the enclosure.
#[derive(Clone, Copy, Debug)]
enum Who {
    /// Root, with all of root's rights.
    Root,
    /// A user without rights.
    User,
    /// Root, that may not make namespaces. Needs to be root: in a user namespace of somebody else's the
    /// folders above the machines belong to nobody.
    Confined,
}

/// Runs in the enclosure: `demo` becomes the demo, `check` finds what it left.
///
/// The enclosure is the first process of a process namespace, so that it is given the children of
/// whatever dies, and sees all that is left; its /tmp is empty; its mounts are its own.
const ENCLOSURE: &str = r#"
set -u
# Opened first: the program may itself lie in /tmp.
exec 8<"$1" || exit 99
mount -t tmpfs -o mode=1777 tmpfs /tmp || exit 99
# Nothing else can be written to; inside a user namespace that may not be said of every mount.
mount -o remount,bind,ro / || [ "$3" = mapped ] || exit 99
# Where everybody may run it.
cat <&8 >/tmp/fleetprov && chmod 0755 /tmp/fleetprov || exit 99
exec 8<&-
mkdir -m 1777 /tmp/demos
case $2 in
Root) demo() { exec setsid env -i PATH="$PATH" TMPDIR=/tmp/demos /tmp/fleetprov demo; } ;;
User) demo() {
	exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
		setsid env -i PATH="$PATH" TMPDIR=/tmp/demos /tmp/fleetprov demo
} ;;
Confined)
	echo 0 >/proc/sys/user/max_user_namespaces || exit 99
	echo 0 >/proc/sys/user/max_mnt_namespaces || exit 99
	demo() { exec setsid env -i PATH="$PATH" TMPDIR=/tmp/demos /tmp/fleetprov demo; }
	;;
esac
# Every process but the first one and the shells that ask.
processes() {
	for process in /proc/[0-9]*; do
		line=$(tr '\0' ' ' <"$process/cmdline") && name=$(cat "$process/comm") || continue
		case $line in
		*"$0"*) ;;
		*) printf 'process %s: %s %s\n' "${process#/proc/}" "$name" "$line" ;;
		esac
	done 2>/dev/null
}
# Into the file $1.
now() {
	{
		processes
		cat /proc/self/mounts
		readlink /proc/[0-9]*/ns/* 2>/dev/null
	} >/tmp/out.now
	find /tmp ! -path '/tmp/out*' >>/tmp/out.now
	sort -u /tmp/out.now >"$1"
}
now /tmp/out.before
# Nothing may be there that was not. Mounts may go: other tests end elsewhere, and a mount on a folder
# that is removed goes with it, in every namespace.
check() {
	now /tmp/out.after
	left=$(comm -13 /tmp/out.before /tmp/out.after)
	[ -z "$left" ] || fail "left behind $1: $left"
}
fail() {
	printf '%s\n' "$1"
	cat /tmp/out
	exit 1
}
"#;

/// Runs a script in the enclosure and gives what it says. It has to end well, before the runner of the tests
/// loses its patience.
fn enclosed(who: Who, script: &str) -> String {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let mut command = Command::new("timeout");
    command.args([
        "--kill-after=5",
        "110",
        "unshare",
        "--mount",
        "--pid",
        "--uts",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]);
    let is_mapped = !is_root || matches!(who, Who::Confined);
    if is_mapped {
        // Limits of its own; and where we are not root, the right to mount.
        command.args(["--user", "--map-root-user"]);
    }
    // Without root we are that user already.
    let who = if is_root { format!("{who:?}") } else { format!("{who:?}").replace("User", "Root") };
    let whole = format!("{ENCLOSURE}\n{script}");
    let output = command
        .args(["sh", "-c", &whole, "fleetprov-demo-enclosure"])
        .arg(Path::new(env!("CARGO_BIN_EXE_fleetprov")))
        .arg(who)
        .arg(if is_mapped { "mapped" } else { "real" })
        .output()
        .expect("start unshare of util-linux");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {said}", output.status);
    said
}

#[test]
fn the_enclosure_sees_what_is_left() {
    let said = enclosed(
        Who::Root,
        r#"
unshare --mount sleep 60 &
: >/tmp/demos/file
mount -t tmpfs left-behind /tmp/demos
: >/tmp/demos/other
until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.01; done
now /tmp/out.after
comm -13 /tmp/out.before /tmp/out.after
"#,
    );
    for left in ["sleep 60", "mnt:[", "left-behind /tmp/demos tmpfs", "/tmp/demos/other"] {
        assert!(said.contains(left), "{left} is not seen: {said}");
    }
}

const WHOLE: &str = r#"
(demo) >/tmp/out 2>&1 </dev/null
status=$?
check "by a whole demo"
[ "$status" = 0 ] || fail "it ended with $status"
grep -q '^Everything held' /tmp/out || fail "it does not say that everything held"
cat /tmp/out
"#;

#[test]
fn as_root_everything_holds_and_nothing_is_left() {
    let said = enclosed(Who::Root, WHOLE);
    assert!(said.contains("Each has a root of its own"), "{said}");
    assert!(said.contains("7/7 Put it back."), "{said}");
}

#[test]
fn rig_as_a_user_everything_holds_and_nothing_is_left() {
    let said = enclosed(Who::User, WHOLE);
    assert!(said.contains("Each has a root of its own, in a user namespace"), "{said}");
}

#[test]
fn rig_where_namespaces_are_not_allowed_folders_do_and_it_says_why() {
    let said = enclosed(Who::Confined, WHOLE);
    assert!(said.contains("Each is a folder that stands for its root."), "{said}");
    assert!(said.contains("/proc/sys/user/max_user_namespaces is 0"), "{said}");
}

/// Sends a signal when a step has begun, and after times that hit the moments between.
fn interrupted(who: Who, signal: &str, moments: &str) {
    let script = format!(
        r#"
for moment in {moments}; do
	: >/tmp/out
	(demo) >>/tmp/out 2>&1 </dev/null &
	pid=$!
	case $moment in
	*/*)
		until grep -q "^$moment" /tmp/out; do
			[ -d "/proc/$pid" ] || grep -q "^$moment" /tmp/out || fail "it ended before $moment"
			sleep 0.005
		done
		;;
	*) sleep "$moment" ;;
	esac
	kill {signal} 2>/dev/null
	wait $pid
	status=$?
	check "after {signal} at $moment"
	case $status in
	130) grep -q 'failed to finish: the demo was interrupted' /tmp/out || fail "it says nothing" ;;
	0) grep -q '^Everything held' /tmp/out || fail "0 at $moment" ;;
	# Before it listens for signals the system's own way is taken.
	143 | 129) [ ! -s /tmp/out ] || fail "{signal} was not heard at $moment" ;;
	*) fail "it ended with $status at $moment" ;;
	esac
	printf '%s: %s\n' "$moment" "$status"
done
"#
    );
    let said = enclosed(who, &script);
    assert!(said.contains(": 130\n"), "no signal came in time:\n{said}");
}

const STEPS: &str = "1/7 2/7 3/7 4/7 5/7 6/7 7/7";
const TIMES: &str = "0.01 0.03 0.06 0.1 0.2 0.4 0.8 1.2";

#[test]
fn a_ctrl_c_at_any_step_leaves_nothing() {
    // As a terminal sends it: to everybody in the foreground.
    interrupted(Who::Root, "-INT -$pid", STEPS);
}

#[test]
fn a_ctrl_c_at_any_time_leaves_nothing() {
    interrupted(Who::Root, "-INT -$pid", TIMES);
}

#[test]
fn rig_a_users_ctrl_c_leaves_nothing() {
    interrupted(Who::User, "-INT -$pid", STEPS);
}

#[test]
fn a_request_to_end_leaves_nothing() {
    interrupted(Who::Root, "-TERM $pid", "2/7 4/7 6/7");
}

#[test]
fn rig_a_closed_terminal_leaves_nothing_where_machines_are_folders() {
    interrupted(Who::Confined, "-HUP $pid", "1/7 3/7 4/7 6/7");
}

/// Killed, it can remove nothing. No process may stay, and the next demo takes the folder away.
fn killed(who: Who) {
    let script = r#"
for moment in 1/7 4/7; do
	while :; do
		: >/tmp/out
		(demo) >>/tmp/out 2>&1 </dev/null &
		pid=$!
		until grep -q "^$moment" /tmp/out; do sleep 0.005; done
		kill -KILL $pid 2>/dev/null
		wait $pid
		set -- /tmp/demos/*
		[ -d "$1" ] && break
		# On a busy computer it may be over before the signal is sent.
		grep -q '^7/7' /tmp/out || fail "no folder is left at $moment"
	done
	tries=0
	while [ -n "$(processes)" ]; do
		[ "$tries" -lt 100 ] || fail "still there after a kill at $moment: $(processes)"
		tries=$((tries + 1))
		sleep 0.05
	done
	[ "$#" = 1 ] || fail "more than one folder is left: $*"
	(demo) >/tmp/out 2>&1 </dev/null || fail "the next demo failed"
	grep -q 'Removed what was left of 1 demo that was killed' /tmp/out || fail "it does not say what it removed"
	check "after a kill at $moment and the next demo"
done
"#;
    enclosed(who, script);
}

#[test]
fn a_killed_demo_leaves_no_process_and_the_next_one_removes_its_folder() {
    killed(Who::Root);
}

#[test]
fn rig_a_users_killed_demo_leaves_no_process() {
    killed(Who::User);
}

#[test]
fn rig_a_killed_demo_leaves_no_process_where_machines_are_folders() {
    killed(Who::Confined);
}

#[test]
fn a_demo_that_cannot_write_says_so_and_leaves_nothing() {
    let said = enclosed(
        Who::Root,
        r#"
mount -t tmpfs -o size=16k,mode=1777 tmpfs /tmp/demos || exit 99
now /tmp/out.before
(demo) >/tmp/out 2>&1 </dev/null
status=$?
check "on a full disk"
[ "$status" = 1 ] || fail "it ended with $status"
cat /tmp/out
"#,
    );
    assert!(said.contains("error: failed to "), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
}
