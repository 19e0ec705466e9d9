# shellcheck shell=bash
# One machine: its disk, what is written on it before it starts, its keeper,
# and whether it is ready.
#
# A machine's folder holds these facts, one a file:
#   name kind address index cgroup   what it is
#   keeper                           the process that starts it again and again
#   halted                           exists while it is switched off
#   console                          what it and its keeper said
#   network                          its network namespace
#   disk/                            a tmpfs, as large as the machine's disk
#   root/                            the shared root with the disk laid over it

# Makes the disk of a machine and lays it over the image: the machine's
# folder, the size of the disk, the image's root.
rig_machine_disk() {
    local machine=$1
    mkdir "$machine/disk" "$machine/root"
    mount -t tmpfs -o "size=$2,mode=0755" rig "$machine/disk"
    mkdir "$machine/disk/upper" "$machine/disk/work" "$machine/disk/devices"
    # This computer may keep /dev/fuse to root; and /run, where the machines
    # are, may be mounted without devices, but the disk is not.
    mknod -m 0666 "$machine/disk/devices/fuse" c 10 229
    mknod -m 0666 "$machine/disk/devices/autofs" c 10 235
    mount -t overlay -o "lowerdir=$3,upperdir=$machine/disk/upper,workdir=$machine/disk/work" rig "$machine/root"
}

# Writes what differs between machines: the machine's folder, the caller's
# folder (for its keys and hosts).
rig_machine_identity() {
    local machine=$1 directory=$2 name root=$1/root id
    name=$(<"$machine/name")
    echo "$name" >"$root/etc/hostname"
    cp "$directory/hosts" "$root/etc/hosts"
    id=$(</proc/sys/kernel/random/uuid)
    echo "${id//-/}" >"$root/etc/machine-id"
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$root/etc/ssh/ssh_host_ed25519_key"
    chroot "$root" /bin/bash -s "$(<"$directory/client_key.pub")" "$(<"$directory/password")" <<'SCRIPT'
        set -euo pipefail
        for user in root alice sudoer operator doer; do
            home=$(getent passwd "$user" | cut -d : -f 6)
            install -d -m 0700 "$home/.ssh"
            echo "$1" >"$home/.ssh/authorized_keys"
            chmod 0600 "$home/.ssh/authorized_keys"
            chown "$user:" "$home/.ssh" "$home/.ssh/authorized_keys"
        done
        echo "sudoer:$2" | chpasswd
SCRIPT
}

# Switches a machine on: starts its keeper, away from everything the caller
# has open, so that nobody waits for it by accident.
rig_machine_on() {
    local machine=$1
    rm -f "$machine/halted"
    (
        # Outside of the machine's own group, which ends with the machine.
        rig_cgroup_enter "$(dirname "$(<"$machine/cgroup")")/keepers"
        exec setsid bash "$rig_home/lib/keep.sh" "$rig_home" "$machine"
    ) </dev/null >>"$machine/console" 2>&1 &
    echo $! >"$machine/keeper"
}

# Switches a machine off, as if its plug were pulled.
rig_machine_off() {
    local machine=$1
    : >"$machine/halted"
    rig_machine_kill "$machine"
    rig_await 2 rig_keeper_is_gone "$machine" || {
        rig_cgroup_kill "$(<"$machine/cgroup")" && rig_await 5 rig_keeper_is_gone "$machine"
    }
}

# Kills the first process of a machine, and the kernel all others with it.
# What started it sees that, so that none is left to this computer's init.
rig_machine_kill() {
    local cgroup init
    cgroup=$(<"$1/cgroup")
    ! init=$(rig_machine_init "$1") || kill -KILL "$init" || true
    # In a frozen machine what waits for it is frozen too.
    { echo 0 >"$cgroup/cgroup.freeze"; } 2>/dev/null || true
}

# One that has ended counts as gone, though its parent has not noticed yet.
rig_keeper_is_gone() {
    local keeper
    [[ -e $1/keeper ]] || return 0
    keeper=$(<"$1/keeper")
    [[ ! -e /proc/$keeper || $(ps -o stat= -p "$keeper") == Z* ]]
}

# Prints the id of a machine's first process, as this computer sees it: the
# one that is number 1 in a process namespace one level down. Fails unless it
# already lives in the machine's root: until then it would let a command run
# on this computer instead.
rig_machine_init() {
    local machine=$1 processes=() process
    mapfile -t processes < <(rig_cgroup_processes "$(<"$machine/cgroup")")
    for process in "${processes[@]}"; do
        grep --quiet --no-messages --extended-regexp $'^NSpid:\t[0-9]+\t1$' "/proc/$process/status" || continue
        [[ /proc/$process/root/. -ef $machine/root/. ]] || continue
        printf '%s\n' "$process"
        return
    done
    return 1
}

# Runs a command inside a machine, without its sshd: the process id of its
# init, command.
rig_machine_enter() {
    local init=$1
    shift
    nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
        /usr/bin/env --ignore-environment HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Whether a machine has started: booted, logins allowed, sshd answering. The
# machine's folder, and an init process that does not count because it is of
# the start before ("" if there was none).
rig_machine_is_ready() {
    local machine=$1 before=$2 init
    init=$(rig_machine_init "$machine") && [[ $init != "$before" ]] || return 1
    if [[ $(<"$machine/kind") == systemd ]]; then
        # Users may log in once the boot is over; before, pam_nologin(8) says no.
        # The answer is "running", or "degraded" when a unit failed.
        [[ $(timeout 20 nsenter --target "$init" --mount --net --pid --root --wd \
            /bin/systemctl is-system-running --wait 2>/dev/null) =~ ^(running|degraded)$ ]] || return 1
    fi
    rig_banner "$(<"$machine/address")"
}

# Whether an SSH server answers at an address.
rig_banner() {
    # shellcheck disable=SC2016  # The inner shell expands it.
    timeout 1 bash -c 'exec 3<>"/dev/tcp/$1/22" && read -r -u 3 banner && [[ $banner == SSH-2.0-* ]]' \
        bash "$1" 2>/dev/null
}

# Waits until a machine has started (again), and says why if it does not.
rig_machine_await() {
    local machine=$1
    rig_await 30 rig_machine_is_ready "$machine" "${2-}" && return
    rig_say "$(<"$machine/name") did not start; it said:"
    tail -n 30 "$machine/console" >&2
    return 1
}
