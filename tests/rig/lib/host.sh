# shellcheck shell=bash
# What this computer needs in order to start machines.

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
    output=$(
        exec 2>&1 </dev/null
        export DEBIAN_FRONTEND=noninteractive
        # A fresh computer has no package lists, an old one has stale ones.
        timeout 300 apt-get --quiet update &&
            timeout 600 apt-get --quiet --yes --no-install-recommends install "${missing[@]}"
    ) || rig_fail "failed to install ${missing[*]}:"$'\n'"$output"
}

# Every booted machine uses about eight inotify instances, and all of them
# count against root's limit: 128 by default, which is enough for 16 machines.
rig_raise_limits() {
    local limit needed machines=("$rig_run"/*/machines/*/)
    limit=$(</proc/sys/fs/inotify/max_user_instances)
    needed=$((${#machines[@]} * 8))
    ((limit >= needed)) || echo 8192 >/proc/sys/fs/inotify/max_user_instances
}
