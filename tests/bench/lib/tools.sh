# shellcheck shell=bash
# What is measured: fleetprov in release mode, Ansible and pyinfra from PyPI.

bench_ansible=ansible-core==2.19.14
bench_pyinfra=pyinfra==3.10.0

# Builds and installs what the scenarios named need.
bench_tools() {
    bench_say 'building fleetprov'
    (cd "$bench_project" && cargo build --release --locked --quiet)
    fleetprov=${CARGO_TARGET_DIR:-$bench_project/target}/release/fleetprov
    [[ -x $fleetprov ]] || bench_fail "there is no $fleetprov"
    "$bench_project/tests/rig/rig" prepare
    command -v python3 >/dev/null || bench_fail 'python3 is missing'
    [[ " $* " != *' fleet '* && " $* " != *' memory '* ]] || [[ -x /usr/bin/time ]] ||
        bench_fail 'GNU time is missing: apt-get install time'
    [[ " $* " != *' unchanged '* && " $* " != *' first '* ]] || bench_others
}

# Installs the others, once.
bench_others() {
    local folder
    folder=$bench_cache/$(printf '%s %s' "$bench_ansible" "$bench_pyinfra" | tr -c 'a-z0-9.\n' -)
    bench_venv=$folder/venv
    bench_packages=$folder/packages
    [[ ! -e $folder/complete ]] || return 0
    bench_say "installing $bench_ansible and $bench_pyinfra in $folder (once)"
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m venv "$bench_venv" >&2
    "$bench_venv/bin/pip" --quiet --disable-pip-version-check install "$bench_ansible" "$bench_pyinfra" >&2
    # Ansible wants Python on the machines, which those of the rig have not.
    mkdir "$bench_packages"
    bench_download "$bench_packages" python3 python3-apt
    : >"$folder/complete"
}

# Fetches packages that the machines of the rig lack, with all they need: the
# folder, packages.
bench_download() {
    local folder=$1 names
    shift
    # The machines have the packages of this computer's archive, not its own.
    names=$(apt-get --simulate --no-install-recommends -o "Dir::State::status=$(bench_status)" install "$@" |
        awk '$1 == "Inst" { print $2 }')
    # shellcheck disable=SC2086  # A list of names.
    (cd "$folder" && apt-get --quiet --quiet -o APT::Sandbox::User=root download $names >&2)
}

# Prints the file that says what the machines have: of the newest image.
bench_status() {
    local images
    mapfile -t images < <(ls --directory --sort=time \
        "${FLEETPROV_RIG_CACHE:-/var/cache/fleetprov-rig}"/*/root/var/lib/dpkg/status)
    printf '%s\n' "${images[0]}"
}
