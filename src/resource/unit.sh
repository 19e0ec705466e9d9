# shellcheck shell=sh
# systemd units by systemctl.

# The units that this session has started or restarted: one restart is enough.
fp_unit_fresh=' '

fp_unit_systemctl() {
	systemctl --no-ask-password --no-pager "$@" </dev/null
}

# Sets fp_unit_value to property $2 of unit $1.
fp_unit_property() {
	fp_unit_value=$(fp_unit_systemctl show --property="$2" -- "$1") || return 1
	fp_unit_value=${fp_unit_value#*=}
}

# Prints why unit $1 is as it is: systemd's own word for it and the last lines of its journal.
fp_unit_reason() {
	if fp_unit_property "$1" Result && [ -n "$fp_unit_value" ] && [ "$fp_unit_value" != success ]; then
		printf 'result: %s\n' "$fp_unit_value"
	fi
	journalctl --quiet --no-pager --output=cat --lines=6 --unit="$1" 2>/dev/null </dev/null |
		cut -c 1-300 | sed 's/^/journal: /'
}

# Asks systemctl for $1 of unit $2 and says what it said when that fails.
fp_unit_ask() {
	fp_unit_said=$(fp_unit_systemctl "$1" -- "$2" 2>&1) && return 0
	printf 'failed to %s %s: %s\n' "$1" "$2" "$fp_unit_said" >&2
	return 1
}

# NAME...: reads the unit files again when those of one of the units have changed.
fp_unit_reload() {
	fp_unit_value=$(fp_unit_systemctl show --property=NeedDaemonReload -- "$@") || return 1
	case $fp_unit_value in
	*=yes*) ;;
	*) return 0 ;;
	esac
	fp_unit_reload_all
}

# Reads all unit files again.
fp_unit_reload_all() {
	fp_unit_said=$(fp_unit_systemctl daemon-reload 2>&1) && return 0
	printf 'failed to read the unit files again: %s\n' "$fp_unit_said" >&2
	return 1
}

# NAME enable|disable. systemctl enable exits with 0 for a unit that cannot be enabled, so the
# state is looked at afterwards.
fp_unit_file() {
	fp_unit_property "$1" UnitFileState || return 1
	case $fp_unit_value in
	masked*)
		fp_refuse "$1 has been masked since it was looked at"
		return
		;;
	esac
	fp_unit_ask "$2" "$1" || return 1
	fp_unit_property "$1" UnitFileState || return 1
	case $2/$fp_unit_value in
	enable/enabled | enable/alias | enable/generated) return 0 ;;
	enable/static) fp_unit_said='its file has no [Install] section' ;;
	enable/*) fp_unit_said="its file is $fp_unit_value" ;;
	disable/enabled | disable/enabled-runtime | disable/alias) fp_unit_said="its file is still $fp_unit_value" ;;
	*) return 0 ;;
	esac
	printf 'failed to %s %s: %s\n' "$2" "$1" "$fp_unit_said" >&2
	return 1
}

# NAME
fp_unit_start() {
	fp_unit_fresh="$fp_unit_fresh$1 "
	fp_unit_property "$1" ActiveState || return 1
	# A unit that failed too often in a row is not started again until it is forgiven.
	if [ "$fp_unit_value" = failed ]; then
		fp_unit_systemctl reset-failed -- "$1" 2>/dev/null
	fi
	if ! fp_unit_ask start "$1"; then
		fp_unit_reason "$1" >&2
		return 1
	fi
	fp_unit_property "$1" ActiveState || return 1
	case $fp_unit_value in
	active | activating | reloading | refreshing) return 0 ;;
	esac
	printf 'failed to keep %s active: it was started and is %s already\n' "$1" "$fp_unit_value" >&2
	if fp_unit_property "$1" Type && [ "$fp_unit_value" = oneshot ]; then
		printf 'a oneshot service stays active only with RemainAfterExit=yes\n' >&2
	fi
	fp_unit_reason "$1" >&2
	return 1
}

# NAME
fp_unit_stop() {
	fp_unit_ask stop "$1"
}

# NAME: restarts it when it is active and was not started just now.
fp_unit_restart() {
	case $fp_unit_fresh in
	*" $1 "*) return 0 ;;
	esac
	fp_unit_fresh="$fp_unit_fresh$1 "
	fp_unit_ask try-restart "$1" && return 0
	fp_unit_reason "$1" >&2
	return 1
}

# NAME: the links by which a unit starts with others, one a line, also when nothing is left of the unit itself.
fp_unit_links() {
	for fp_unit_link in /etc/systemd/system/*.wants/"$1" /etc/systemd/system/*.requires/"$1"; do
		[ ! -h "$fp_unit_link" ] || printf '%s\n' "$fp_unit_link"
	done
}

# Stops unit $1, also when its file is gone and systemd knows only that it runs, and sees to it that it has
# ended.
fp_unit_end() {
	fp_unit_property "$1" ActiveState || return 1
	case $fp_unit_value in '' | inactive | failed) return 0 ;; esac
	fp_unit_ask stop "$1" || return 1
	fp_unit_property "$1" ActiveState || return 1
	case $fp_unit_value in '' | inactive | failed) return 0 ;; esac
	printf 'failed to stop %s: it is still %s\n' "$1" "$fp_unit_value" >&2
	return 1
}

# NAME [MOUNT]: stops it, and what it has mounted, for good, and forgets what it left behind: that it
# failed, when its timer ran last.
fp_unit_retire() {
	fp_unit_state=$(fp_unit_systemctl show --property=LoadState,UnitFileState,Persistent -- "$1") || return 1
	fp_unit_end "$1" || return 1
	[ -z "${2-}" ] || fp_unit_end "$2" || return 1
	# Without its file a unit has no such state, and its links stay until they are taken away.
	case "$fp_unit_state
" in
	*UnitFileState=enabled* | *UnitFileState=alias* | *UnitFileState=linked*) fp_unit_ask disable "$1" || return 1 ;;
	*"UnitFileState=
"*)
		# It fails when there is no link either.
		if ! fp_unit_ask disable "$1" 2>/dev/null && [ -n "$(fp_unit_links "$1")" ]; then
			printf 'failed to disable %s: %s\n' "$1" "$fp_unit_said" >&2
			return 1
		fi
		;;
	esac
	# Of a timer that makes up for runs it missed, systemd keeps a stamp.
	case $fp_unit_state in
	*Persistent=yes*) fp_unit_systemctl clean --what=state -- "$1" 2>/dev/null ;;
	esac
	fp_unit_systemctl reset-failed -- "$1" 2>/dev/null
	return 0
}
