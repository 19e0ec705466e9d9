# shellcheck shell=sh
# Services started by scripts in init.d below $2 of every function, which is /etc.

# Runs action $3 of the script of service $1 with a plain environment. What it says goes to the file
# $4: a service that it starts would keep a pipe open, and the session would wait for it.
fp_init_run() {
	env -i PATH="$PATH" TERM=dumb LC_ALL=C "$2/init.d/$1" "$3" </dev/null >"$4" 2>&1
}

# NAME ETC: prints `present`, `enabled` and `running`, each with yes or no; running may be unknown.
fp_init_look() {
	if [ ! -x "$2/init.d/$1" ]; then
		printf 'present no\nenabled no\nrunning no\n'
		return
	fi
	printf 'present yes\n'
	fp_init_enabled=no
	for fp_init_link in "$2"/rc[2-5].d/S[0-9][0-9]"$1"; do
		if [ -e "$fp_init_link" ] || [ -h "$fp_init_link" ]; then
			fp_init_enabled=yes
		fi
	done
	printf 'enabled %s\n' "$fp_init_enabled"
	if ! grep -qw status "$2/init.d/$1"; then
		printf 'running unknown\n'
		return
	fi
	# 0 runs; 1 to 3 does not; 4 and above are unknown (Linux Standard Base 5.0, section 22.2).
	fp_init_run "$1" "$2" status /dev/null
	case $? in
	0) printf 'running yes\n' ;;
	1 | 2 | 3) printf 'running no\n' ;;
	*) printf 'running unknown\n' ;;
	esac
}

# NAME ETC enable|disable
fp_init_links() {
	if ! command -v update-rc.d >/dev/null 2>&1; then
		printf 'failed to %s %s: this machine has no update-rc.d\n' "$3" "$1" >&2
		return 1
	fi
	# A script that has no links yet gets them first; the call keeps those that are there.
	fp_init_said=$(update-rc.d "$1" defaults 2>&1 </dev/null && update-rc.d "$1" "$3" 2>&1 </dev/null) && return 0
	printf 'failed to %s %s: %s\n' "$3" "$1" "$fp_init_said" >&2
	return 1
}

# NAME ETC start|stop|restart
fp_init_act() {
	fp_init_log=$(mktemp) || return 1
	fp_init_run "$1" "$2" "$3" "$fp_init_log"
	fp_init_status=$?
	if [ "$fp_init_status" -ne 0 ]; then
		printf 'failed to %s %s: its script ended with %s: %s\n' \
			"$3" "$1" "$fp_init_status" "$(tail -n 5 "$fp_init_log")" >&2
		fp_init_status=1
	fi
	rm -f -- "$fp_init_log"
	return "$fp_init_status"
}

# NAME ETC: takes its links in the run levels away, because its script goes next.
fp_init_forget() {
	if ! command -v update-rc.d >/dev/null 2>&1; then
		printf 'failed to remove the links of %s: this machine has no update-rc.d\n' "$1" >&2
		return 1
	fi
	fp_init_said=$(update-rc.d -f "$1" remove 2>&1 </dev/null) && return 0
	printf 'failed to remove the links of %s: %s\n' "$1" "$fp_init_said" >&2
	return 1
}
