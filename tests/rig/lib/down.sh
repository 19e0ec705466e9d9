# shellcheck shell=bash
# Takes instances down. Every step works on what is there, in whatever state
# it is, so that it can be done again.

# The files `rig up` makes in the caller's folder.
rig_files=(instance client_key client_key.pub password hosts known_hosts ssh_config machines.tsv machines.new)

# The caller's folder, which may be gone. Says nothing if there is no rig.
rig_down() {
    local directory instance
    directory=$(realpath --canonicalize-missing "$1")
    for instance in "$rig_run"/[0-9]*/; do
        # One that another process takes down at this moment has lost files.
        if [[ $(cat "$instance/directory" 2>/dev/null) == "$directory" ]]; then
            rig_down_number "$(basename "$instance")" "$directory"
        fi
    done
    rm -f "${rig_files[@]/#/$directory/}"
}

# The number, and the caller's folder: by the time this process holds the
# lock, the number may be another's.
rig_down_number() {
    [[ ! -d $rig_run/$1 ]] || rig_locked "$rig_run/$1" rig_down_locked "$1" "$2"
}

rig_down_locked() {
    local number=$1 directory=$2 instance=$rig_run/$1 base cgroup
    [[ -e $instance/directory && $(<"$instance/directory") == "$directory" ]] || return 0
    base=$(rig_cgroup_base)
    cgroup=$base/fleetprov-rig/$number
    # This process may itself be in the group that is ended, and so may be the
    # shell that waits for it.
    echo $$ >"$base/cgroup.procs"
    rig_cgroup_enter "$base"
    rig_machines_off "$instance"
    rig_cgroup_kill "$cgroup" || rig_fail "processes of instance $number do not end: $(rig_cgroup_processes "$cgroup" | paste --serial --delimiters ' ')"
    rig_cgroup_remove "$cgroup"
    rig_cgroup_remove_shadow "$cgroup"
    rig_network_stop "$number"
    rig_forget_containers "$instance"
    rig_unmount_below "$instance"
    if [[ -e $directory/instance && $(<"$directory/instance") == "$number" ]]; then
        rm -f "${rig_files[@]/#/$directory/}"
    fi
    rm -rf --one-file-system "$instance"
    rig_locked "$(rig_lock_file numbers)" rig_forget_host
    rmdir "$base/fleetprov-rig" 2>/dev/null || true
    rmdir /sys/fs/cgroup/systemd/fleetprov-rig 2>/dev/null || true
}

# Switches all machines off at once. One that does not obey is ended with the
# whole group afterwards.
rig_machines_off() {
    local machine machines=()
    for machine in "$1"/machines/*/; do
        [[ -e $machine/cgroup ]] || continue
        machines+=("$machine")
        : >"$machine/halted"
    done
    for machine in "${machines[@]}"; do rig_machine_kill "$machine"; done
    for machine in "${machines[@]}"; do rig_await 2 rig_keeper_is_gone "$machine" || break; done
}

# Removes what a killed systemd-nspawn leaves: the folder it passes mounts
# through, and the lock of its root, named after device and inode.
rig_forget_containers() {
    local machine label
    for machine in "$1"/machines/*/; do
        [[ -e $machine/label ]] || continue
        label=$(<"$machine/label")
        rm -rf "/run/systemd/nspawn/propagate/$label" "/run/systemd/nspawn/unix-export/$label"
        [[ ! -d $machine/root ]] || rm -f "/run/systemd/nspawn/locks/inode-$(stat --format %d:%i "$machine/root")"
    done
}

# Unmounts everything below a folder, the last mounted first.
rig_unmount_below() {
    local mounts=() index
    mapfile -t mounts < <(awk -v below="$1/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo)
    for ((index = ${#mounts[@]} - 1; index >= 0; index--)); do
        umount "${mounts[index]}" 2>/dev/null || umount --lazy "${mounts[index]}" || true
    done
}

# Takes down the instances whose owner is dead, and those without an owner
# whose folder is gone.
rig_clean_leftovers() {
    local instance process start directory
    for instance in "$rig_run"/[0-9]*/; do
        { read -r process start <"$instance/owner" && directory=$(<"$instance/directory"); } 2>/dev/null || continue
        if [[ $process == none ]]; then
            [[ ! -d $directory ]] || continue
        else
            [[ $(rig_start_time "$process") != "$start" ]] || continue
        fi
        rig_down_number "$(basename "$instance")" "$directory"
    done
}
