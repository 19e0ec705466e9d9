# shellcheck shell=bash
# Starts an instance, and takes it down again if one of its machines fails.

# The caller's folder, NAME:KIND[:SIZE]...; the owner is in rig_owner.
rig_up() {
    local directory=$1 number instance image cgroup machine machines=() jobs=() job failed=
    shift
    rig_check_machines "$@"
    image=$(rig_image)
    cgroup=$(rig_cgroup_base)/fleetprov-rig
    mkdir -p "$directory"
    directory=$(realpath "$directory")
    [[ ! -e $directory/instance ]] || rig_fail "a rig is already in $directory"
    rig_clean_leftovers

    # Until all is up, the instance lives for this process: if it is killed,
    # the next caller finds an instance without an owner.
    number=$(rig_locked "$(rig_lock_file numbers)" rig_claim_number "$directory" "$(rig_identify "${rig_owner:-$$}")")
    instance=$rig_run/$number
    # shellcheck disable=SC2064  # The values of now are meant.
    trap "rig_up_failed $number ${directory@Q}" EXIT
    echo "$number" >"$directory/instance"
    mkdir -p "$cgroup/$number/keepers"
    rig_cgroup_enter "$cgroup/$number/keepers"
    [[ -z ${rig_owner-} ]] || rig_watch_owner "$instance" "$directory"

    rig_credentials "$directory"
    rig_network_start "$number" $#
    rig_describe "$instance" "$directory" "$cgroup" "$@"
    rig_locked "$(rig_lock_file numbers)" rig_raise_limits
    for machine in "$instance"/machines/*/; do
        machine=${machine%/}
        machines+=("$machine")
        rig_machine_start "$machine" "$directory" "$image" "$number" $# &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || failed=yes; done
    [[ -z $failed ]] || return 1

    rig_write_known_hosts "$directory" "${machines[@]}"
    rig_write_table "$directory"
    [[ -n ${rig_owner-} ]] || echo none >"$instance/owner"
    trap - EXIT
}

# Prints what names a process for good: its id and its start time.
rig_identify() {
    echo "$1 $(rig_start_time "$1")"
}

rig_up_failed() {
    rig_say 'up failed; taking it down'
    rig_down_number "$1" "$2"
    exit 1
}

rig_check_machines() {
    local machine name kind size seen=' '
    (($#)) || rig_fail 'no machine was named: NAME:KIND[:SIZE]...'
    (($# <= 240)) || rig_fail 'an instance has at most 240 machines'
    for machine in "$@"; do
        IFS=: read -r name kind size <<<"$machine"
        [[ $name =~ ^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$ ]] || rig_fail "not a machine's name: $name"
        [[ $seen != *" $name "* ]] || rig_fail "two machines are named $name"
        [[ $kind == systemd || $kind == plain ]] || rig_fail "not a kind of machine (systemd, plain): $kind"
        [[ -z $size || $size =~ ^[0-9]+[kmg]?$ ]] || rig_fail "not a size: $size"
        seen+="$name "
    done
}

# Ends the instance when its owner ends, however that happens.
rig_watch_owner() {
    setsid bash "$rig_home/lib/watch.sh" "$rig_home" "$1" "$2" </dev/null >/dev/null 2>&1 &
}

# Makes the key that opens all machines, and the password of "sudoer".
rig_credentials() {
    local directory=$1
    ssh-keygen -q -t ed25519 -N '' -C rig -f "$directory/client_key"
    (
        umask 077
        head --bytes 15 /dev/urandom | base64 | tr '+/' 'xy' >"$directory/password"
    )
}

# Writes the facts of all machines, and the names they know each other by.
rig_describe() {
    local instance=$1 directory=$2 cgroup=$3 number=${1##*/} index=0 machine name kind size
    shift 3
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost' >"$directory/hosts"
    for machine in "$@"; do
        IFS=: read -r name kind size <<<"$machine"
        index=$((index + 1))
        machine=$instance/machines/$name
        mkdir "$machine"
        echo "$name" >"$machine/name"
        echo "$kind" >"$machine/kind"
        echo "${size:-512m}" >"$machine/size"
        echo "$index" >"$machine/index"
        echo "rig$number-$index" >"$machine/label"
        echo "$cgroup/$number/machine-$name" >"$machine/cgroup"
        rig_address "$number" "$index" >"$machine/address"
        echo "$(<"$machine/address") $name" >>"$directory/hosts"
    done
}

# Makes one machine and waits until it answers: the machine's folder, the
# caller's folder, the image, the number, how many machines there are.
rig_machine_start() {
    local machine=$1 directory=$2 image=$3
    rig_network_connect "$4" "$(<"$machine/index")" "$5" "$machine/network"
    rig_machine_disk "$machine" "$(<"$machine/size")" "$image"
    rig_machine_identity "$machine" "$directory"
    rig_machine_on "$machine"
    rig_machine_await "$machine"
}

# Writes what a client needs: the caller's folder, the machines' folders.
rig_write_known_hosts() {
    local directory=$1 machine
    shift
    for machine in "$@"; do
        printf '%s %s\n' "$(<"$machine/address")" "$(cut -d ' ' -f 1,2 "$machine/root/etc/ssh/ssh_host_ed25519_key.pub")"
    done >"$directory/known_hosts"
    {
        for machine in "$@"; do
            printf 'Host %s\n    HostName %s\n' "$(<"$machine/name")" "$(<"$machine/address")"
        done
        printf '%s\n' 'Host *' '    User root' '    IdentitiesOnly yes' \
            "    IdentityFile \"$directory/client_key\"" "    UserKnownHostsFile \"$directory/known_hosts\""
    } >"$directory/ssh_config"
}

# Writes the table of machines, by address: name, kind, address, the id of
# the first process, the root folder, the file of the network namespace. Two
# machines may restart at the same time: one writes after the other.
rig_write_table() {
    local instance
    instance=$(rig_instance_of "$1")
    rig_locked "$instance/machines" rig_write_table_of "$1" "$instance"
}

rig_write_table_of() {
    local directory=$1 instance=$2 machine
    for machine in "$instance"/machines/*/; do
        machine=${machine%/}
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$(<"$machine/name")" "$(<"$machine/kind")" "$(<"$machine/address")" \
            "$(rig_machine_init "$machine" || echo 0)" "$machine/root" "$machine/network"
    done | sort --field-separator . --key 4n >"$directory/machines.new"
    mv "$directory/machines.new" "$directory/machines.tsv"
}
