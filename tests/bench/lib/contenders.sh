# shellcheck shell=bash
# How each contender is run, and how it says that nothing was left to do. Each
# takes a table's name, the rig's name, near or far, the machine, and what is
# expected: changed or unchanged. Each has a machine of its own, because they
# do not leave each other's crontab entries alone.

contend_ssh() {
    local rig=$bench_work/$2
    clock "$1" ssh ssh -F "$rig/$3.ssh_config" "$4" true || clock_complain 'ssh failed'
}

# With the key exchange that fleetprov has with the machines' OpenSSH 9.2. Its own
# is safe from quantum computers, and takes more computing on both sides.
contend_ssh_curve25519() {
    local rig=$bench_work/$2
    clock "$1" ssh-curve25519 ssh -F "$rig/$3.ssh_config" -o KexAlgorithms=curve25519-sha256 "$4" true ||
        clock_complain 'ssh failed'
}

contend_fleetprov_plan() {
    local rig=$bench_work/$2 expected=0
    [[ $5 == unchanged ]] || expected=2
    contend_fleetprov "$1" fleetprov-plan $expected plan "$rig/$3.yaml" --machine "$4"
}

contend_fleetprov_apply() {
    local rig=$bench_work/$2
    contend_fleetprov "$1" fleetprov-apply 0 apply "$rig/$3.yaml" --machine "$4" --yes
    local nothing=no
    ! grep --quiet 'nothing to do' "$bench_work/said" || nothing=yes
    [[ $5/$nothing == changed/no || $5/$nothing == unchanged/yes ]] ||
        clock_complain "fleetprov apply was expected to leave the machine $5"
}

# A table's name, the row's, the exit code expected, arguments.
contend_fleetprov() {
    local table=$1 row=$2 expected=$3 status=0
    shift 3
    clock "$table" "$row" "${bench_clean[@]}" "$fleetprov" "$@" || status=$?
    ((status == expected)) || clock_complain "fleetprov $1 ended with $status"
}

contend_ansible() {
    local rig=$bench_work/$2 changed='changed=0 '
    [[ $5 == unchanged ]] || changed='changed=[1-9]'
    clock "$1" ansible "${bench_clean[@]}" "$bench_venv/bin/ansible-playbook" --inventory "$4," --user root \
        --ssh-common-args "-F $rig/$3.ssh_config" "$rig/playbook.yaml" || clock_complain 'ansible-playbook failed'
    grep --quiet "$changed" "$bench_work/said" || clock_complain "ansible-playbook was expected to leave the machine $5"
    contend_ansible_rest
}

# Ends the connections that Ansible keeps, so that its next run starts as its
# first did, and as the others do.
contend_ansible_rest() {
    local socket
    for socket in "$bench_work"/control/*; do
        [[ ! -S $socket ]] || ssh -F none -O exit -o "ControlPath=$socket" any >/dev/null 2>&1 || true
    done
}

# It takes the files from the folder it is in, and says how many operations
# changed something in its last table.
contend_pyinfra() {
    local rig=$bench_work/$2
    clock "$1" pyinfra env --chdir="$rig" "${bench_clean[@]}" "$bench_venv/bin/pyinfra" --yes --limit "$4" "$3.py" deploy.py ||
        clock_complain 'pyinfra failed'
    local changed
    changed=$(awk '/^ *Grand total/ { print $4 == "-" ? "unchanged" : "changed" }' "$bench_work/said")
    [[ $changed == "$5" ]] || clock_complain "pyinfra was expected to leave the machine $5"
}
