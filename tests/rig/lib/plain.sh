#!/bin/bash
# The first process of a plain machine: sets up what an init would, and
# becomes sshd. Runs in fresh mount, process, host name and IPC namespaces.
# The root, the machine's name. Started by keep.sh.
set -euo pipefail

root=$1
hostname "$2"

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=0755,nosuid,size=1m tmpfs "$root/dev"
mount -t tmpfs -o mode=0755,nosuid,nodev,size=16m tmpfs "$root/run"

# Device numbers are those of the kernel's admin-guide/devices.txt.
while read -r device major minor; do
    mknod -m 0666 "$root/dev/$device" c "$major" "$minor"
done <<'DEVICES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
fuse 10 229
autofs 10 235
DEVICES
mkdir -m 1777 "$root/dev/shm" "$root/run/lock"
mkdir "$root/dev/pts" "$root/run/sshd"
mount -t devpts -o newinstance,mode=0620,gid=5,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

# This computer's file systems are to be out of reach, not only out of sight.
cd "$root"
pivot_root . mnt
# shellcheck disable=SC2016  # The inner shell expands it.
exec env --ignore-environment PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    chroot . /bin/sh -euc '
        umount --lazy /mnt
        service cron start
        exec /usr/sbin/sshd -D -e
    '
