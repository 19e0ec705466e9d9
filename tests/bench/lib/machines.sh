# shellcheck shell=bash
# Machines of the rig, and how each contender is told of them.
#
# A rig's folder also holds the project of fleetprov: near.yaml and far.yaml
# beside roles/ and files/, and likewise the inventories of the others.

# Starts machines: the rig's name, NAME:KIND[:SIZE]...
machines_up() {
    local rig=$bench_work/$1 name
    shift
    "$bench_project/tests/rig/rig" up --owner $$ "$rig" "$@"
    cp -r "$bench_home/site/." "$rig/"
    cp "$rig/ssh_config" "$rig/near.ssh_config"
    mkdir "$rig/keys"
    while read -r name _; do
        # fleetprov wants a key of its own for each machine.
        ssh-keygen -q -t ed25519 -N '' -C bench -f "$rig/keys/$name"
        # shellcheck disable=SC2016  # The machine expands it.
        "$bench_project/tests/rig/rig" exec "$rig" "$name" sh -c 'echo "$1" >>/root/.ssh/authorized_keys' \
            sh "$(<"$rig/keys/$name.pub")"
    done < <(machines_list "${rig##*/}" near)
}

machines_down() {
    "$bench_project/tests/rig/rig" down "$bench_work/$1"
    rm -rf --one-file-system "${bench_work:?}/$1"
}

# Prints the address of a machine: the rig's name, the machine's.
machines_address() {
    awk -F '\t' -v name="$2" '$1 == name { print $3 }' "$bench_work/$1/machines.tsv"
}

# Prints name, address and port of each machine: the rig's name, near or far.
machines_list() {
    if [[ $2 == far ]]; then
        cat "$bench_work/$1/far.list"
    else
        awk -F '\t' '{ print $1, $3, 22 }' "$bench_work/$1/machines.tsv"
    fi
}

# Puts a long way before each machine: the rig's name, milliseconds for each
# direction.
machines_far() {
    local rig=$bench_work/$1 name address port key
    : >"$rig/far.list"
    while read -r name address port; do
        : >"$rig/$name.passed"
        python3 -S "$bench_home/delay.py" "$2" "$address" "$port" >"$rig/$name.passed" &
        bench_proxies+=($!)
        until port=$(head -n 1 "$rig/$name.passed") && [[ -n $port ]]; do sleep 0.05; done
        echo "$name 127.0.0.1 $port" >>"$rig/far.list"
        key=$(awk -v host="$address" '$1 == host { print $2, $3 }' "$rig/known_hosts")
        echo "[127.0.0.1]:$port $key" >>"$rig/known_hosts"
    done < <(machines_list "$1" near)
    {
        while read -r name address port; do
            printf 'Host %s\n    HostName %s\n    Port %s\n' "$name" "$address" "$port"
        done <"$rig/far.list"
        sed -n '/^Host \*/,$p' "$rig/ssh_config"
    } >"$rig/far.ssh_config"
}

# What an application has left on every machine, for the keys to be owned in,
# and Python, for Ansible: the rig's name, "python" or nothing.
machines_furnish() {
    local rig=$bench_work/$1 name
    while read -r name _; do
        "$bench_project/tests/rig/rig" exec "$rig" "$name" sh -euc '
            mkdir -p /etc/application
            printf "{\n  \"name\": \"example\",\n  \"port\": 80,\n  \"cache\": {\"size\": 64}\n}\n" >/etc/application/settings.json
            printf "[server]\nname = example\nworkers = 1\n\n[log]\nlevel = info\n" >/etc/application/application.ini'
        [[ ${2-} == python ]] || continue
        tar --create --directory "$bench_packages" . | "$bench_project/tests/rig/rig" exec "$rig" "$name" sh -euc '
            mkdir /run/packages
            tar -x -C /run/packages
            apt-get --quiet --quiet --no-install-recommends install /run/packages/*.deb >/dev/null 2>&1
            rm -r /run/packages'
    done < <(machines_list "$1" near)
}

# Writes fleetprov's inventory: the rig's name, near or far, the role.
machines_inventory() {
    local rig=$bench_work/$1 name address port kind
    {
        printf 'fleet: bench\ntiers:\n  all: {pattern: mesh}\nmachines:\n'
        while read -r name address port; do
            kind=$(awk -F '\t' -v name="$name" '$1 == name { print $2 }' "$rig/machines.tsv")
            printf '  %s: {tier: all, platform: debian, init: %s, connect: {ssh: "root@%s:%s", key: keys/%s}, roles: [%s]}\n' \
                "$name" "${kind/plain/sysv}" "$address" "$port" "$name" "$3"
        done < <(machines_list "$1" "$2")
    } >"$rig/$2.yaml"
}

# Writes pyinfra's inventory: the rig's name, near or far.
machines_inventory_py() {
    local rig=$bench_work/$1 name address port
    {
        printf 'machines = [\n'
        while read -r name address port; do
            printf '    ("%s", {"ssh_hostname": "%s", "ssh_port": %s, "ssh_user": "root", "ssh_key": "%s/client_key", "ssh_known_hosts_file": "%s/known_hosts", "ssh_strict_host_key_checking": "yes"}),\n' \
                "$name" "$address" "$port" "$rig" "$rig"
        done < <(machines_list "$1" "$2")
        printf ']\n'
    } >"$rig/$2.py"
}

# Writes what all contenders need, for near and far: the rig's name.
machines_ready() {
    local where
    machines_far "$1" "$bench_way"
    for where in near far; do
        machines_inventory "$1" "$where" site
        machines_inventory_py "$1" "$where"
    done
}
