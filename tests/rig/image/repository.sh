#!/bin/bash
# Makes a small apt repository in the folder given: packages that a machine
# without a network can install.
#
#   rig-hello   1.0 and 1.1, one command
#   rig-world   1.0, one command, depends on rig-hello
#   rig-daemon  1.0, a service for systemd and for init.d, with a configuration
#               file; it notes each start and reload in /var/log/rig-daemon.log
set -euo pipefail

repository=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes the control file of one package: name, version, further lines.
describe() {
    local name=$1 version=$2
    shift 2
    mkdir -p "$work/$name/DEBIAN"
    printf '%s\n' "Package: $name" "Version: $version" 'Architecture: all' \
        'Maintainer: the rig <root@localhost>' "$@" >"$work/$name/DEBIAN/control"
}

# Installs standard input as a file of a package: name, mode, path.
ship() {
    install -D --mode "$2" /dev/stdin "$work/$1$3"
}

# Builds a package and adds it to the index.
publish() {
    local name=$1 version=$2 file=$1_$2_all.deb
    dpkg-deb --root-owner-group -Znone --build "$work/$name" "$repository/$file" >/dev/null
    {
        cat "$work/$name/DEBIAN/control"
        printf '%s\n' "Filename: ./$file" "Size: $(stat --format %s "$repository/$file")" \
            "SHA256: $(sha256sum "$repository/$file" | cut --delimiter ' ' --fields 1)" ''
    } >>"$repository/Packages"
    rm -rf "${work:?}/$name"
}

hello() {
    describe rig-hello "$1" 'Description: says hello'
    printf '%s\n' '#!/bin/sh' "echo 'hello $1'" | ship rig-hello 0755 /usr/bin/rig-hello
    publish rig-hello "$1"
}

world() {
    describe rig-world 1.0 'Depends: rig-hello' 'Description: says world'
    # shellcheck disable=SC2016  # The installed script expands it.
    printf '%s\n' '#!/bin/sh' 'echo "$(rig-hello), world"' | ship rig-world 0755 /usr/bin/rig-world
    publish rig-world 1.0
}

daemon() {
    describe rig-daemon 1.0 'Description: a service that notes what happens to it'
    ship rig-daemon 0755 /usr/sbin/rig-daemon <<'DAEMON'
#!/bin/bash
log=/var/log/rig-daemon.log
trap 'echo reloaded >>"$log"' HUP
trap 'echo stopped >>"$log"; kill "$sleeper"; exit 0' TERM
echo "started with $(cat /etc/rig-daemon.conf)" >>"$log"
while :; do
    sleep infinity &
    sleeper=$!
    # A signal ends the wait, not the sleep.
    wait "$sleeper"
    kill "$sleeper"
done
DAEMON
    echo 'greeting = hello' | ship rig-daemon 0644 /etc/rig-daemon.conf
    echo '/etc/rig-daemon.conf' | ship rig-daemon 0644 /DEBIAN/conffiles
    ship rig-daemon 0644 /lib/systemd/system/rig-daemon.service <<'UNIT'
[Unit]
Description=The rig's daemon

[Service]
ExecStart=/usr/sbin/rig-daemon
ExecReload=/bin/kill -HUP $MAINPID

[Install]
WantedBy=multi-user.target
UNIT
    ship rig-daemon 0755 /etc/init.d/rig-daemon <<'SCRIPT'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          rig-daemon
# Required-Start:    $local_fs
# Required-Stop:     $local_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: The rig's daemon
### END INIT INFO
. /lib/lsb/init-functions
pidfile=/run/rig-daemon.pid
start() {
    start-stop-daemon --start --quiet --oknodo --background --make-pidfile \
        --pidfile "$pidfile" --startas /usr/sbin/rig-daemon
}
stop() {
    start-stop-daemon --stop --quiet --oknodo --retry 5 --pidfile "$pidfile" --remove-pidfile
}
case $1 in
    start) start ;;
    stop) stop ;;
    restart | force-reload) stop && start ;;
    reload) start-stop-daemon --stop --signal HUP --quiet --pidfile "$pidfile" ;;
    status) status_of_proc -p "$pidfile" rig-daemon rig-daemon ;;
    *) echo "usage: $0 start|stop|restart|reload|status" >&2; exit 2 ;;
esac
SCRIPT
    echo '/etc/init.d/rig-daemon' >>"$work/rig-daemon/DEBIAN/conffiles"
    ship rig-daemon 0755 /DEBIAN/postinst <<'POSTINST'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    update-rc.d rig-daemon defaults >/dev/null
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl --quiet enable --now rig-daemon.service
    else
        service rig-daemon start
    fi
fi
POSTINST
    ship rig-daemon 0755 /DEBIAN/prerm <<'PRERM'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl --quiet disable --now rig-daemon.service
else
    service rig-daemon stop
fi
PRERM
    ship rig-daemon 0755 /DEBIAN/postrm <<'POSTRM'
#!/bin/sh
set -e
if [ "$1" = purge ]; then
    update-rc.d rig-daemon remove >/dev/null
    rm -f /var/log/rig-daemon.log
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
POSTRM
    publish rig-daemon 1.0
}

mkdir -p "$repository"
: >"$repository/Packages"
hello 1.0
hello 1.1
world
daemon
