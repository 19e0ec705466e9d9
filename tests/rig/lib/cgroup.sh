# shellcheck shell=bash
# Groups of processes that are frozen and ended as one (cgroup v2, cgroups(7)
# and the kernel's admin-guide/cgroup-v2). Process ids wrap and processes
# fork; a group misses none.

# Prints the folder where cgroup v2 is mounted: all of the hierarchy on a
# present-day system, beside the older one on a hybrid system.
rig_cgroup_base() {
    local base
    for base in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        if [[ -e $base/cgroup.procs && -w $base/cgroup.procs && $(stat --file-system --format %T "$base") == cgroup2fs ]]; then
            printf '%s\n' "$base"
            return
        fi
    done
    rig_fail 'no writable cgroup v2 on this computer'
}

# Moves this process into a group.
rig_cgroup_enter() {
    echo "$BASHPID" >"$1/cgroup.procs"
}

# Whether a group's events say this.
rig_cgroup_has() {
    grep --no-messages --quiet --line-regexp --fixed-strings "$2" "$1/cgroup.events"
}

rig_cgroup_is_empty() {
    [[ ! -d $1 ]] || rig_cgroup_has "$1" 'populated 0' || [[ ! -d $1 ]]
}

# Ends all processes of a group and its subgroups, frozen ones too. Fails if
# some are still there after five seconds.
rig_cgroup_kill() {
    [[ -d $1 ]] || return 0
    echo 1 >"$1/cgroup.kill"
    rig_await 5 rig_cgroup_is_empty "$1"
}

# Removes an empty group and its subgroups.
rig_cgroup_remove() {
    [[ ! -d $1 ]] || find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || [[ ! -d $1 ]]
}

# Removes what is left of a group in the older hierarchy of a hybrid system,
# where systemd-nspawn makes one of the same name.
rig_cgroup_remove_shadow() {
    if [[ $1 == /sys/fs/cgroup/unified/* ]]; then
        rig_cgroup_remove "/sys/fs/cgroup/systemd/${1#/sys/fs/cgroup/unified/}"
    fi
}

# Freezes (1) or thaws (0) a group, and waits until it is so.
rig_cgroup_freeze() {
    echo "$2" >"$1/cgroup.freeze"
    rig_await 5 rig_cgroup_has "$1" "frozen $2"
}

# Prints the ids of all processes of a group and its subgroups.
rig_cgroup_processes() {
    find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null
}
