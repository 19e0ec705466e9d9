# shellcheck shell=bash
# What is measured. Each scenario starts its machines, prints its tables, and
# takes its machines down.

# Milliseconds that a byte is on its way to a machine that is far.
bench_way=100

# The differences are small here, so there are more rounds, without the others.
scenario_login() {
    local where round rounds=$((4 * bench_runs))
    machines_up login server:systemd
    machines_furnish login
    machines_ready login
    contend_fleetprov_apply warm login near server changed
    for where in near far; do
        bench_say "a plan beside a bare ssh, $where, $rounds rounds"
        for ((round = 1; round <= rounds; round++)); do
            contend_ssh "login-$where" login "$where" server
            contend_ssh_curve25519 "login-$where" login "$where" server
            contend_fleetprov_plan "login-$where" login "$where" server unchanged
        done
        scenario_title "A plan of 32 resources in order beside a bare ssh, $(scenario_where "$where"), $rounds runs"
        clock_table "login-$where"
    done
    machines_down login
}

scenario_unchanged() {
    local where round
    scenario_machines unchanged
    bench_say 'bringing the machines to their state'
    contend_fleetprov_apply warm unchanged near fleetprov changed
    contend_ansible warm unchanged near ansible changed
    contend_pyinfra warm unchanged near pyinfra changed
    for where in near far; do
        for ((round = 1; round <= bench_runs; round++)); do
            bench_say "nothing to change, $where, round $round of $bench_runs"
            contend_ssh "unchanged-$where" unchanged "$where" fleetprov
            contend_fleetprov_plan "unchanged-$where" unchanged "$where" fleetprov unchanged
            contend_fleetprov_apply "unchanged-$where" unchanged "$where" fleetprov unchanged
            contend_ansible "unchanged-$where" unchanged "$where" ansible unchanged
            contend_pyinfra "unchanged-$where" unchanged "$where" pyinfra unchanged
        done
        scenario_title "32 resources, nothing to change, $(scenario_where "$where"), $bench_runs runs"
        clock_table "unchanged-$where"
    done
    machines_down unchanged
}

scenario_first() {
    local where round rounds
    # A round takes minutes, and starts new machines.
    rounds=$(((bench_runs + 1) / 2))
    for where in near far; do
        for ((round = 1; round <= rounds; round++)); do
            bench_say "first apply, $where, round $round of $rounds"
            scenario_machines first
            contend_ssh "first-$where" first "$where" fleetprov
            contend_fleetprov_apply "first-$where" first "$where" fleetprov changed
            contend_ansible "first-$where" first "$where" ansible changed
            contend_pyinfra "first-$where" first "$where" pyinfra changed
            machines_down first
        done
        scenario_title "32 resources, first apply, $(scenario_where "$where"), $rounds runs"
        clock_table "first-$where"
    done
}

# Starts a machine for each contender: the rig's name.
scenario_machines() {
    machines_up "$1" fleetprov:systemd ansible:systemd pyinfra:systemd
    machines_furnish "$1" python
    machines_ready "$1"
    # The first login of a machine does more than those that follow.
    contend_ssh warm "$1" near fleetprov
    contend_ssh warm "$1" near ansible
    contend_ssh warm "$1" near pyinfra
}

scenario_wire() {
    local rig=$bench_work/wire number
    machines_up wire server:plain
    machines_far wire "$bench_way"
    {
        printf 'role: many\nresources:\n  - directory: {path: /srv/many, mode: "0750"}\n'
        for ((number = 1; number < 100; number++)); do
            case $((number % 10)) in
                0) printf '  - directory: {path: /srv/many/folder-%d, owner: alice}\n' "$number" ;;
                1) printf '  - link: {path: /srv/many/link-%d, target: /srv/many/file-%d}\n' "$number" "$number" ;;
                *) printf '  - file: {path: /srv/many/file-%d, mode: "0640", content: "line %d of a file"}\n' "$number" "$number" ;;
            esac
        done
    } >"$rig/roles/many.yaml"
    machines_inventory wire near many
    machines_inventory wire far many
    contend_fleetprov_apply warm wire near server changed
    contend_ssh wire wire far server
    contend_fleetprov_plan wire wire far server unchanged
    scenario_title 'A plan of 100 resources in order, on the wire'
    # The proxy notes a connection once both sides have closed it.
    until (($(wc -l <"$rig/server.passed") >= 3)); do sleep 0.1; done
    printf '| | round trips, TCP included | bytes sent | bytes received | wall time at %d ms |\n|---|--:|--:|--:|--:|\n' $((2 * bench_way))
    scenario_wire_rows "$rig/server.passed" "$bench_work/wire.times"
    machines_down wire
}

# Prints the rows: the proxy's notes, behind the port it listens on, and the
# times. TCP's own handshake is a round trip that the proxy does not see.
scenario_wire_rows() {
    local sent received turns time row rows=("\`ssh HOST true\`" "\`fleetprov plan\`") index=0
    while read -r sent received turns _ time; do
        row=${rows[index++]}
        printf '| %s | %d | %d | %d | %s |\n' "$row" $((turns + 1)) "$sent" "$received" "$(clock_seconds "$time")"
    done < <(paste -d ' ' <(sed 1d "$1") "$2")
}

scenario_fleet() {
    local rig=$bench_work/fleet round peak machines=() number
    for ((number = 1; number <= 50; number++)); do machines+=("box-$number:plain:64m"); done
    bench_say 'starting 50 machines'
    machines_up fleet "${machines[@]}"
    machines_furnish fleet
    machines_inventory fleet near site
    bench_say 'bringing 50 machines to their state'
    contend_fleet fleet-first fleetprov-apply apply --yes
    cut -f 1 "$rig/machines.tsv" >"$rig/names"
    for ((round = 1; round <= bench_runs; round++)); do
        bench_say "50 machines, round $round of $bench_runs"
        clock fleet ssh xargs --arg-file "$rig/names" --max-procs 50 --replace ssh -F "$rig/ssh_config" '{}' true ||
            clock_complain 'ssh failed'
        contend_fleet fleet fleetprov-plan plan
    done
    scenario_title "50 machines with 30 resources each, nothing to change, $bench_runs runs"
    clock_table fleet
    scenario_title '50 machines with 30 resources each, first apply, 1 run'
    clock_table fleet-first
    scenario_title 'Memory at its peak'
    printf '| | peak of resident memory |\n|---|--:|\n'
    peak=$(scenario_peak plan "$rig/near.yaml" --machine box-1)
    printf '%s\n' "| \`fleetprov plan\`, 1 machine | $peak |"
    peak=$(scenario_peak plan "$rig/near.yaml")
    printf '%s\n' "| \`fleetprov plan\`, 50 machines at once | $peak |"
    machines_down fleet
}

# All machines of the fleet: the table's name, the row's, arguments.
contend_fleet() {
    local table=$1 row=$2 command=$3
    shift 3
    clock "$table" "$row" "${bench_clean[@]}" "$fleetprov" "$command" "$bench_work/fleet/near.yaml" "$@" ||
        clock_complain "fleetprov $command failed"
}

scenario_memory() {
    local rig=$bench_work/memory
    machines_up memory server:plain
    head --bytes 50000000 /dev/urandom >"$rig/files/large"
    printf 'role: large\nresources:\n  - file: {path: /srv/large, source: large, mode: "0644"}\n' >"$rig/roles/large.yaml"
    machines_inventory memory near large
    scenario_title 'A file of 50 MB'
    printf '| | peak of resident memory | wall time |\n|---|--:|--:|\n'
    scenario_memory_row "\`fleetprov apply\`, the file is sent" apply "$rig/near.yaml" --yes
    scenario_memory_row "\`fleetprov plan\`, the file is in order" plan "$rig/near.yaml"
    machines_down memory
}

scenario_memory_row() {
    local title=$1 start peak
    shift
    start=${EPOCHREALTIME/./}
    peak=$(scenario_peak "$@")
    printf '| %s | %s | %s |\n' "$title" "$peak" "$(clock_seconds $((${EPOCHREALTIME/./} - start)))"
}

# Prints the most resident memory that fleetprov had: its arguments.
scenario_peak() {
    timeout "$bench_patience" "${bench_clean[@]}" /usr/bin/time --format %M --output "$bench_work/peak" \
        "$fleetprov" "$@" >"$bench_work/said" 2>&1 || clock_complain "fleetprov $1 failed"
    awk '{ printf "%.0f MiB\n", $1 / 1024 }' "$bench_work/peak"
}

scenario_title() {
    printf '\n### %s\n\n' "$1"
}

scenario_where() {
    if [[ $1 == far ]]; then printf '%d ms round trip\n' $((2 * bench_way)); else printf 'near\n'; fi
}
