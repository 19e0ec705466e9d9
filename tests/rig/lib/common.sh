# shellcheck shell=bash
# What all parts of the rig share: messages, where things are kept, waiting.
#
# An instance is one fleet of machines, known by a number N. Everything it
# makes on this computer carries the number, so that it can be taken down even
# if its folder is gone:
#
#   /run/fleetprov-rig/N/     what belongs to it (below: the instance's folder)
#     directory               the folder the caller gave to `rig up`
#     owner                   process id and start time of who it lives for, or "none"
#     machines/NAME/          one machine: its facts, its disk, its mounts
#   rigN, rigN-K              the bridge, and the cable of its K-th machine
#   10.77.N.0/24              its network; this computer is .1, machines from .11
#   fleetprov-rig/N           its cgroup: keepers/, and one below it per machine

rig_run=/run/fleetprov-rig
rig_cache=${FLEETPROV_RIG_CACHE:-/var/cache/fleetprov-rig}

rig_say() {
    printf 'rig: %s\n' "$*" >&2
}

rig_fail() {
    rig_say "$@"
    exit 1
}

rig_require_root() {
    ((EUID == 0)) || rig_fail 'root is needed to start machines'
}

# Runs a command again and again until it succeeds: seconds, command.
# Fails when the time is over.
rig_await() {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        sleep 0.03
    done
}

# Runs a command while holding a lock: the file or folder to lock, command.
# The command must leave no process behind: it would keep the lock.
rig_locked() {
    local lock=$1
    shift
    (
        flock 9
        "$@"
    ) 9<"$lock"
}

# Prints the file to lock for a purpose, made if need be.
rig_lock_file() {
    mkdir -p "$rig_cache"
    [[ -e $rig_cache/$1.lock ]] || : >>"$rig_cache/$1.lock"
    printf '%s\n' "$rig_cache/$1.lock"
}

# The start time of a process in clock ticks since boot (proc(5), field 22);
# with the process id it names one process for good.
rig_start_time() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    # The command's name may hold spaces and parentheses: count after it.
    read -r -a line <<<"${line##*) }"
    printf '%s\n' "${line[19]}"
}

# Prints the folder of the instance that lives in the caller's folder.
rig_instance_of() {
    local number
    [[ -e $1/instance ]] || rig_fail "no rig in $1"
    number=$(<"$1/instance")
    [[ -d $rig_run/$number ]] || rig_fail "the rig of $1 is gone"
    printf '%s\n' "$rig_run/$number"
}

# Prints the folder of a machine: the caller's folder, the machine's name.
rig_machine_of() {
    local instance
    instance=$(rig_instance_of "$1")
    [[ -d $instance/machines/$2 ]] || rig_fail "no machine named $2 in $1"
    printf '%s\n' "$instance/machines/$2"
}
