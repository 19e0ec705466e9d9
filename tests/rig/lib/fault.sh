# shellcheck shell=bash
# What can go wrong with a machine, done to it.

# The caller's folder, the machine's name, the fault, perhaps a path.
rig_fault() {
    local directory=$1 fault=$3 path=${4-} machine cgroup label init
    machine=$(rig_machine_of "$1" "$2")
    cgroup=$(<"$machine/cgroup")
    label=$(<"$machine/label")
    case $fault in
        readonly | writable) [[ $path == /* ]] || rig_fail "$fault needs an absolute path" ;;
    esac
    case $fault in
        cut) ip link set "$label" down ;;
        join) ip link set "$label" up ;;
        freeze) rig_cgroup_freeze "$cgroup" 1 ;;
        thaw) rig_cgroup_freeze "$cgroup" 0 ;;
        freeze-sshd) kill -STOP "$(rig_sshd_of "$machine")" ;;
        thaw-sshd) kill -CONT "$(rig_sshd_of "$machine")" ;;
        crash)
            init=$(rig_machine_init "$machine") || rig_fail "$2 is not running"
            rig_machine_kill "$machine"
            rig_machine_await "$machine" "$init"
            ;;
        reboot)
            init=$(rig_machine_init "$machine") || rig_fail "$2 is not running"
            rig_machine_reboot "$machine" "$init"
            rig_machine_await "$machine" "$init"
            ;;
        stop) rig_machine_off "$machine" ;;
        start)
            rig_keeper_is_gone "$machine" || rig_fail "$2 is not switched off"
            rig_machine_on "$machine"
            rig_machine_await "$machine"
            ;;
        fill) rig_disk_fill "$machine/disk" ;;
        unfill) rm -f "$machine/disk/ballast" ;;
        fill-inodes) mount -o "remount,nr_inodes=$(stat --file-system --format '%c %d' "$machine/disk" | awk '{ print $1 - $2 }')" "$machine/disk" ;;
        unfill-inodes) mount -o remount,nr_inodes=1m "$machine/disk" ;;
        readonly)
            init=$(rig_machine_init "$machine") || rig_fail "$2 is not running"
            # shellcheck disable=SC2016  # The machine's shell expands it.
            rig_machine_enter "$init" sh -euc 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"' sh "$path"
            ;;
        writable)
            init=$(rig_machine_init "$machine") || rig_fail "$2 is not running"
            rig_machine_enter "$init" umount --lazy "$path"
            ;;
        *) rig_fail "not a fault: $fault" ;;
    esac
    case $fault in crash | reboot | stop | start) rig_write_table "$directory" ;; esac
}

# Prints the id of a machine's listening sshd, as this computer sees it.
rig_sshd_of() {
    local machine=$1 init inside process
    init=$(rig_machine_init "$machine") || rig_fail "$(<"$machine/name") is not running"
    inside=$(rig_machine_enter "$init" cat /run/sshd.pid)
    for process in $(rig_cgroup_processes "$(<"$machine/cgroup")"); do
        if grep --quiet --no-messages --extended-regexp $'^NSpid:\t[0-9]+\t'"$inside\$" "/proc/$process/status"; then
            printf '%s\n' "$process"
            return
        fi
    done
    rig_fail "$(<"$machine/name") has no sshd"
}

# A clean restart. A plain machine has no init that could do it: its sessions
# and daemons are asked to end, then it is switched off and on.
rig_machine_reboot() {
    local machine=$1 init=$2
    if [[ $(<"$machine/kind") == systemd ]]; then
        rig_machine_enter "$init" systemctl reboot
    else
        # -1 is every process of the machine but its first and this one.
        rig_machine_enter "$init" sh -c 'kill -TERM -1; sleep 0.2' || true
        rig_machine_kill "$machine"
    fi
}

# Takes every byte that is left of a disk.
rig_disk_fill() {
    local left
    left=$(stat --file-system --format '%a %S' "$1" | awk '{ print $1 * $2 }')
    ((left == 0)) || fallocate --length "$left" "$1/ballast"
}
