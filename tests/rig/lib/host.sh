# shellcheck shell=bash
# What this computer needs in order to start machines and to run the tests.

# Command, then the Debian package that has it.
rig_host_tools=(
    debootstrap debootstrap
    systemd-nspawn systemd-container
    ip iproute2
    ssh openssh-client
    ssh-keygen openssh-client
    nsenter util-linux
    flock util-linux
    mount mount
    ps procps
    strace strace
    # What tests start or ask beside the rig.
    git git
    rclone rclone
    sshd openssh-server
    systemd-analyze systemd
    # Login shells that are not like sh.
    fish fish
    mksh mksh
    tcsh tcsh
    zsh zsh
    # What `.ci/run` checks with.
    shellcheck shellcheck
)

# Installs what is missing, and says nothing unless that fails.
rig_prepare_host() {
    local missing=() output index
    for ((index = 0; index < ${#rig_host_tools[@]}; index += 2)); do
        command -v "${rig_host_tools[index]}" >/dev/null || missing+=("${rig_host_tools[index + 1]}")
    done
    # debootstrap checks signatures only if the keys are there.
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || rig_fail "missing on this computer: ${missing[*]}"
    output=$(rig_install "${missing[@]}" 2>&1 </dev/null) || rig_fail "failed to install ${missing[*]}:"$'\n'"$output"
}

# Installs packages, and starts none of their services, now or at the next
# boot: a test wants an sshd of its own, not an open port. A subshell, so that
# its trap is its own.
rig_install() (
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        # What invoke-rc.d(8) asks first; 101 means "no".
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # A fresh computer has no package lists, an old one has stale ones.
    timeout 300 apt-get --quiet update || exit
    timeout 900 apt-get --quiet --yes --no-install-recommends install "$@" || exit
    if [[ " $* " == *' openssh-server '* ]]; then
        systemctl --quiet disable ssh.service
    fi
)

# Every booted machine uses about eight inotify instances, and all of them
# count against root's limit: 128 by default, which is enough for 16 machines.
rig_inotify_limit=/proc/sys/fs/inotify/max_user_instances

# Raises the limit if need be, and notes what it was. Under the lock.
rig_raise_limits() {
    local machines=("$rig_run"/[0-9]*/machines/*/)
    (($(<"$rig_inotify_limit") < ${#machines[@]} * 8)) || return 0
    [[ -e $rig_run/inotify-limit ]] || cat "$rig_inotify_limit" >"$rig_run/inotify-limit"
    echo 8192 >"$rig_inotify_limit"
}

# Leaves this computer as it was, when the last instance is gone. Under the
# lock.
rig_forget_host() {
    local instances=("$rig_run"/[0-9]*/)
    [[ -d $rig_run && ! -e ${instances[0]} ]] || return 0
    [[ ! -e $rig_run/inotify-limit ]] || cat "$rig_run/inotify-limit" >"$rig_inotify_limit"
    rm -rf "$rig_run"
}
