# shellcheck shell=sh
# Runs as the first process of a machine, in namespaces of its own: builds a root in memory at the
# folder $1, moves into it under the name $2, says so, and stays until its standard input ends.
# With it every process of the machine ends, and the root with the last of them.
#
# The system's programs are shared, read-only; everything a run may change is the machine's own.
# An overlay over / would be less work, but inside a user namespace its files belong to nobody and
# cannot be changed.

set -e
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

# This process's number as seen from outside; the new proc is not mounted yet.
read -r pid _ </proc/self/stat

mount -t tmpfs -o mode=0755,size=256m fleetprov-demo "$1"
cd "$1"
mkdir dev etc home old proc root run srv sys tmp usr var var/lib var/log var/tmp
mkdir -p var/spool/cron/crontabs
chmod 0700 root var/spool/cron/crontabs
chmod 1777 tmp var/tmp

for folder in bin sbin lib lib32 lib64 libx32; do
	if [ -h "/$folder" ]; then
		cp -P "/$folder" "$folder"
	elif [ -d "/$folder" ]; then
		mkdir "$folder"
		mount --rbind "/$folder" "$folder"
		mount -o remount,bind,ro "$folder"
	fi
done
mount --rbind /usr usr
mount -o remount,bind,ro usr

for device in full null random tty urandom zero; do
	[ -e "/dev/$device" ] || continue
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd

# What the programs themselves need: where libraries are, and which of several programs has a name.
for file in alternatives ld.so.cache ld.so.conf ld.so.conf.d; do
	if [ -e "/etc/$file" ]; then
		cp -R -P "/etc/$file" etc/
	fi
done
printf '%s\n' "$2" >etc/hostname
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
# A name for people who look; nothing depends on it.
hostname "$2" 2>/dev/null || :

mount -t proc proc proc
pivot_root . old
cd /
umount -l old
rmdir old

printf 'ready %s\n' "$pid"
read -r _ || :
