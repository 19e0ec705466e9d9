# shellcheck shell=bash
# A fleet that is left standing to play with.

rig_play() {
    local directory
    rig_prepare_host
    directory=$(mktemp -d "${TMPDIR:-/tmp}/fleetprov-play.XXXXXX")
    rig_up "$directory" cc-pc:systemd hs-pc:systemd droplet:systemd hs-nas:systemd cc-nas:systemd
    printf '%s\n' 'Five machines are up:' ''
    cut -f 1,3 "$directory/machines.tsv" | sed 's/^/    /'
    printf '%s\n' '' 'Log in (as root; or alice@, sudoer@, operator@, doer@):' '' \
        "    ssh -F $directory/ssh_config droplet" '' \
        "The password of sudoer is in $directory/password." '' \
        'Look inside without ssh, break something, take it all down:' '' \
        "    $rig_home/rig exec $directory droplet systemctl list-timers" \
        "    $rig_home/rig fault $directory hs-nas cut" \
        "    $rig_home/rig down $directory && rmdir $directory"
}
