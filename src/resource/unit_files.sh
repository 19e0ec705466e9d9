# shellcheck shell=sh
# What systemd has to be told when files that define its units go.

# NAME: lets systemd forget a unit whose file has gone. An empty NAME: anything may have changed.
fp_unit_file_gone() {
	[ -d /run/systemd/system ] || return 0
	if [ -n "$1" ]; then
		systemctl --no-ask-password --no-pager reset-failed -- "$1" 2>/dev/null </dev/null
		fp_unit_known=$(systemctl show --property=LoadState,NeedDaemonReload -- "$1" 2>/dev/null </dev/null)
		# Of a unit that nothing in memory speaks of any more, systemd looks for the file by itself.
		case $fp_unit_known in
		*NeedDaemonReload=yes*) ;;
		*LoadState=not-found*) return 0 ;;
		esac
	fi
	fp_unit_known=$(systemctl --no-ask-password --no-pager daemon-reload 2>&1 </dev/null) && return 0
	printf 'failed to read the unit files again: %s\n' "$fp_unit_known" >&2
	return 1
}
