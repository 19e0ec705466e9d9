#!/bin/bash
# Waits for the owner of an instance to end, then takes the instance down.
# The rig's folder, the instance's folder, the caller's folder. Started by
# up.sh.
set -euo pipefail

read -r owner _ <"$2/owner"
tail --pid="$owner" --lines=0 --follow /dev/null
exec "$1/rig" down "$3"
