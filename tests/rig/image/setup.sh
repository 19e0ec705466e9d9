#!/bin/bash
# Runs inside a fresh Debian root (chroot) and turns it into the root that all
# rig machines share. Whatever differs between machines (host keys, machine
# id, addresses, login keys, the password) is made when a machine starts.
set -euo pipefail

make_users() {
    useradd --create-home --shell /bin/bash --uid 1001 alice
    useradd --create-home --shell /bin/bash --uid 1002 sudoer
    # Debian has a group of that name already.
    useradd --create-home --shell /bin/bash --uid 1003 --gid operator operator
    useradd --create-home --shell /bin/bash --uid 1004 doer
    echo 'sudoer ALL=(ALL:ALL) ALL' >/etc/sudoers.d/sudoer
    echo 'operator ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/operator
    chmod 0440 /etc/sudoers.d/sudoer /etc/sudoers.d/operator
    echo 'permit nopass doer as root' >/etc/doas.conf
    chmod 0400 /etc/doas.conf
}

configure_ssh_server() {
    # Many tests log in at once, to machines that have no name server.
    printf '%s\n' 'UseDNS no' 'MaxStartups 1000' 'PrintMotd no' 'PrintLastLog no' \
        >/etc/ssh/sshd_config.d/rig.conf
    rm -f /etc/ssh/ssh_host_*
}

configure_systemd() {
    # There is no terminal to log in on, and no network to update from.
    systemctl mask --quiet console-getty.service getty.target getty-static.service \
        apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service
    # A persistent journal would use up the small disks of the machines.
    mkdir -p /etc/systemd/journald.conf.d
    printf '%s\n' '[Journal]' 'Storage=volatile' 'RuntimeMaxUse=16M' \
        >/etc/systemd/journald.conf.d/rig.conf
}

forget_the_build() {
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/*.log
    rm -f /etc/apt/sources.list.d/* /etc/hostname /var/lib/dbus/machine-id
    : >/etc/machine-id
    : >/etc/resolv.conf
    # The disks are tmpfs: a flush protects nothing there.
    echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/rig
    echo 'deb [trusted=yes] file:/opt/rig-repository ./' >/etc/apt/sources.list
    apt-get --quiet --quiet update
}

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
make_users
configure_ssh_server
configure_systemd
bash "$(dirname "$0")/repository.sh" /opt/rig-repository
forget_the_build
