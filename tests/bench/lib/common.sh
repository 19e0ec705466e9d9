# shellcheck shell=bash
# The folder everything is in while the run lasts, and its end.

bench_cache=${FLEETPROV_BENCH_CACHE:-/var/cache/fleetprov-bench}
bench_runs=${FLEETPROV_BENCH_RUNS:-5}
# No single command may take longer, in seconds.
bench_patience=600

bench_say() {
    printf 'bench: %s\n' "$*" >&2
}

bench_fail() {
    bench_say "$*"
    exit 1
}

# Makes the folder, and sees to it that it goes, with all machines and proxies.
bench_start() {
    ((EUID == 0)) || bench_fail 'the machines of the rig need root'
    [[ $bench_runs =~ ^[1-9][0-9]?$ ]] || bench_fail "not a number of runs: $bench_runs"
    exec </dev/null
    # Short, because the path of a control socket is bounded.
    bench_work=$(mktemp -d /tmp/fleetprov-bench.XXXX)
    bench_proxies=()
    trap bench_end EXIT
    trap 'exit 130' INT TERM
    mkdir "$bench_work/home" "$bench_work/control"
    # What everything measured is run in: nothing of the caller's settings, and
    # nothing is written to the caller's home.
    bench_clean=(env --ignore-environment PATH="$PATH" HOME="$bench_work/home" LANG=C.UTF-8 TERM=dumb
        ANSIBLE_CONFIG="$bench_home/site/ansible.cfg" ANSIBLE_SSH_CONTROL_PATH_DIR="$bench_work/control")
}

bench_end() {
    local proxy instance
    [[ ! -e $bench_work/control ]] || contend_ansible_rest
    for proxy in "${bench_proxies[@]}"; do
        kill "$proxy" 2>/dev/null || true
        wait "$proxy" 2>/dev/null || true
    done
    for instance in "$bench_work"/*/instance; do
        [[ ! -e $instance ]] || "$bench_project/tests/rig/rig" down "${instance%/instance}"
    done
    rm -rf --one-file-system "$bench_work"
}
