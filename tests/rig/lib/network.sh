# shellcheck shell=bash
# The network of an instance: a bridge on this computer, and per machine a
# namespace with one cable to the bridge.
#
# Who is where is fixed (permanent neighbours), so that a machine whose cable
# is cut is silent, as one behind a router is, instead of "no route to host"
# after three seconds.

rig_address() {
    printf '10.77.%s.%s\n' "$1" $((10 + $2))
}

rig_hardware_address() {
    printf '02:77:00:00:%02x:%02x\n' "$1" "$2"
}

# Claims a free number, with the folder and the owner noted in the same step:
# the caller's folder, the owner. Prints the number. Under the lock.
rig_claim_number() {
    local number taken claim
    taken=$(ip -4 -oneline address show; ip -4 route show)
    mkdir -p "$rig_run"
    rm -rf "$rig_run"/claim.*
    claim=$(mktemp -d "$rig_run/claim.XXXXXX")
    mkdir "$claim/machines"
    echo "$1" >"$claim/directory"
    echo "$2" >"$claim/owner"
    for ((number = 1; number < 255; number++)); do
        [[ ! -e $rig_run/$number && ! -e /sys/class/net/rig$number && $taken != *" 10.77.$number."* ]] || continue
        mv --no-target-directory "$claim" "$rig_run/$number"
        printf '%s\n' "$number"
        return
    done
    rm -r "$claim"
    rig_fail 'all networks from 10.77.1.0/24 to 10.77.254.0/24 are taken'
}

# Makes the bridge: the number, how many machines there will be.
rig_network_start() {
    local number=$1 count=$2 index
    {
        echo "link add rig$number type bridge mcast_snooping 0"
        echo "link set rig$number addrgenmode none up"
        echo "address add 10.77.$number.1/24 dev rig$number"
        for ((index = 1; index <= count; index++)); do
            echo "neighbour replace $(rig_address "$number" "$index") lladdr $(rig_hardware_address "$number" "$index") dev rig$number nud permanent"
        done
    } | ip -batch -
}

# Makes the namespace of one machine and connects it: the number, the index,
# how many machines there will be, the file to keep the namespace by.
rig_network_connect() {
    local number=$1 index=$2 count=$3 namespace=$4 other
    : >"$namespace"
    unshare --net="$namespace" true
    {
        echo "link add rig$number-$index type veth peer name eth0 address $(rig_hardware_address "$number" "$index") netns $namespace"
        echo "link set rig$number-$index addrgenmode none master rig$number up"
    } | ip -batch -
    {
        echo 'link set lo up'
        echo 'link set eth0 addrgenmode none up'
        echo "address add $(rig_address "$number" "$index")/24 dev eth0"
        echo "route add default via 10.77.$number.1"
        for ((other = 1; other <= count; other++)); do
            ((other == index)) ||
                echo "neighbour replace $(rig_address "$number" "$other") lladdr $(rig_hardware_address "$number" "$other") dev eth0 nud permanent"
        done
    } | nsenter --net="$namespace" ip -batch -
}

# Removes the bridge and all cables. The kernel removes the namespaces some
# time after their last user; the cables are not to wait for that.
rig_network_stop() {
    local link
    for link in /sys/class/net/"rig$1"-*; do
        [[ ! -e $link ]] || ip link delete "${link##*/}" 2>/dev/null || true
    done
    [[ ! -e /sys/class/net/rig$1 ]] || ip link delete "rig$1" 2>/dev/null || true
}
