# shellcheck shell=bash
# The root file system that all machines share, made once and kept.
#
# It is kept under a name made from everything it is made of. It is built
# beside that name and renamed, so an interrupted build leaves nothing that
# could be taken for an image.

rig_suite=bookworm

# Prints the name of the image: a digest of what it is made from.
rig_image_key() {
    {
        echo "$rig_suite"
        cat "$rig_home/image/packages" "$rig_home/image/setup.sh" "$rig_home/image/repository.sh"
    } | sha256sum | cut -c 1-16
}

# Makes the image unless it is there, and prints its root folder.
rig_image() {
    local root
    root=$rig_cache/$(rig_image_key)/root
    [[ -d $root ]] || rig_locked "$(rig_lock_file image)" rig_image_build_once "${root%/root}"
    printf '%s\n' "$root"
}

# Another caller may have built it while this one waited for the lock.
rig_image_build_once() {
    local image=$1 building
    [[ ! -d $image/root ]] || return 0
    # Only the holder of the lock builds, so what is here was interrupted.
    rm -rf --one-file-system "$rig_cache"/building.*
    rig_image_forget_old "$image"
    building=$(mktemp -d "$rig_cache/building.XXXXXX")
    chmod 0755 "$building"
    rig_say 'building the root file system of the machines (once, one or two minutes)'
    # Mounts and processes of the build end with its namespaces. In the
    # foreground, because a Ctrl-C is meant for the build too.
    if ! timeout --foreground 1800 unshare --mount --pid --fork --kill-child \
        bash "$rig_home/lib/build.sh" "$rig_home" "$building" "$rig_suite" >"$building/log" 2>&1; then
        tail -n 40 "$building/log" >&2
        rm -rf --one-file-system "$building"
        rig_fail 'failed to build the root file system'
    fi
    mv --no-target-directory "$building" "$image"
}

# Images made from something else go after a week without a machine on them;
# until then another branch may come back to them.
rig_image_forget_old() {
    local image
    for image in "$rig_cache"/*/; do
        image=${image%/}
        [[ $image != "$1" && -d $image/root ]] || continue
        [[ -n $(find "$image" -maxdepth 0 -mtime +7) ]] || continue
        grep --quiet --fixed-strings "lowerdir=$image/root" /proc/self/mounts && continue
        rm -rf --one-file-system "$image"
    done
}
