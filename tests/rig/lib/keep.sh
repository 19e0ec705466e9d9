#!/bin/bash
# The keeper of one machine: starts it, and starts it again after a reboot or
# a crash, on the same disk, until it is switched off. The rig's folder, the
# machine's folder. Started by machine.sh.
set -euo pipefail

rig_home=$1
machine=$2
# shellcheck source=common.sh source-path=SCRIPTDIR
source "$rig_home/lib/common.sh"
# shellcheck source=cgroup.sh source-path=SCRIPTDIR
source "$rig_home/lib/cgroup.sh"

name=$(<"$machine/name")
cgroup=$(<"$machine/cgroup")

# A booted systemd in a container. It makes its own process namespace; the
# network is the one made before, so that addresses outlive a reboot.
start_systemd() {
    # The machine's /tmp is to be on its disk, as it is on Debian. Its network is its own, so that it may
    # have a firewall.
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_TMPFS_TMP=0
    exec systemd-nspawn --quiet --settings=no --register=no --keep-unit \
        --machine="$(<"$machine/label")" --hostname="$name" \
        --directory="$machine/root" --boot \
        --network-namespace-path="$machine/network" --capability=CAP_NET_ADMIN \
        --bind="$machine/disk/devices/fuse:/dev/fuse" --bind="$machine/disk/devices/autofs:/dev/autofs" \
        --resolv-conf=off --timezone=off --link-journal=no --console=read-only
}

# sshd as the first process, with cron beside it.
start_plain() {
    exec nsenter --net="$machine/network" \
        unshare --mount --pid --uts --ipc --cgroup --fork --kill-child \
        /bin/bash "$rig_home/lib/plain.sh" "$machine/root" "$name"
}

short_lives=0
while [[ ! -e $machine/halted ]]; do
    mkdir -p "$cgroup"
    status=0
    began=$EPOCHSECONDS
    (
        rig_cgroup_enter "$cgroup"
        "start_$(<"$machine/kind")"
    ) || status=$?
    printf 'keeper: %s ended with %s\n' "$name" "$status"
    # What started it may be gone before all that it started.
    rig_cgroup_kill "$cgroup" || true
    rig_cgroup_remove "$cgroup" || true
    # A guest that was powered off stays off: systemd-nspawn ends with 0 then,
    # with 133 after a reboot, and with something else after a crash.
    ((status != 0)) || : >"$machine/halted"
    # One that cannot start at all is not tried for ever.
    if ((EPOCHSECONDS - began > 1)); then short_lives=0; else ((++short_lives < 10)) || break; fi
done
