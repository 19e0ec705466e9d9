#!/bin/bash
# Builds one image in namespaces of its own: the rig's folder, the folder to
# build in, the Debian suite. Started by image.sh.
set -euo pipefail

rig_home=$1
building=$2
suite=$3

# Prints "URL options" of the first archive this computer is configured to
# install Debian's main component from; options is "trusted" where signatures
# are not to be checked.
configured_mirror() {
    local files=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list) sources=(/etc/apt/sources.list.d/*.sources)
    {
        cat "${files[@]}" 2>/dev/null | awk '
            $1 == "deb" {
                trusted = /trusted=yes/ ? "trusted" : ""
                sub(/\[[^]]*\]/, "")
                if ($3 !~ /security/ && / main( |$)/) print $2, trusted
            }'
        # The deb822 form: paragraphs of "Field: value", sources.list(5).
        cat "${sources[@]}" 2>/dev/null | awk '
            function flush() {
                if (types ~ /(^| )deb( |$)/ && suites !~ /security/ && components ~ /(^| )main( |$)/)
                    print uri, trusted
                types = suites = components = uri = trusted = ""
            }
            /^[ \t]*$/ { flush(); next }
            /^#/ { next }
            tolower($1) == "types:" { $1 = ""; types = $0 }
            tolower($1) == "uris:" { uri = $2 }
            tolower($1) == "suites:" { $1 = ""; suites = $0 }
            tolower($1) == "components:" { $1 = ""; components = $0 }
            tolower($1) == "trusted:" && tolower($2) == "yes" { trusted = "trusted" }
            END { flush() }'
    } | grep --extended-regexp '^(https?|file|copy|ftp):?/' | grep --invert-match --extended-regexp 'debug|ports' |
        sed --quiet '1p'
}

umask 022
read -r mirror trusted <<<"$(configured_mirror)" || true
[[ -n $mirror ]] || { echo 'no Debian archive is configured on this computer'; exit 1; }
options=()
[[ -z $trusted ]] || options+=(--no-check-gpg)
proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
[[ -z $proxy || $proxy == DIRECT ]] || export http_proxy=$proxy

packages=$(sed '/^#/d; /^$/d' "$rig_home/image/packages" | paste --serial --delimiters ,)
debootstrap --variant=minbase "${options[@]}" --include="$packages" "$suite" "$building/root" "$mirror" </dev/null

mkdir "$building/root/opt/rig-setup"
cp "$rig_home"/image/*.sh "$building/root/opt/rig-setup"
mount -t proc proc "$building/root/proc"
env --ignore-environment PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    chroot "$building/root" bash /opt/rig-setup/setup.sh </dev/null
umount "$building/root/proc"
rm -r "$building/root/opt/rig-setup"
