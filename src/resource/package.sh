# shellcheck shell=sh
# Packages by apt. What apt and the packages' own scripts say goes to a file, never to a pipe: a
# daemon that a package starts would keep the pipe open, and the session would wait for it.

# Whether this session has fetched the lists of packages anew.
fp_package_updated=''

# apt-get $@ without questions. A configuration file that somebody changed is kept, and an
# installation that would remove another package fails.
fp_package_apt() {
	DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 \
		apt-get -q -y --no-remove -o DPkg::Lock::Timeout=120 \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		"$@" >"$fp_package_log" 2>&1 </dev/null
}

# The reasons in the log: apt's own errors, or the last words.
fp_package_reason() {
	grep '^E: ' <"$fp_package_log" | head -n 3 | grep . || tail -n 3 <"$fp_package_log"
}

# Whether package $1 is installed and configured.
fp_package_is_installed() {
	# shellcheck disable=SC2016 # dpkg-query expands it
	dpkg-query -W -f '${db:Status-Status}\n' -- "$1" 2>/dev/null </dev/null | grep -qx installed
}

# Installs package $1. What an interrupted dpkg left is finished first when dpkg asks for it; the
# lists are fetched once a session, and only when they do not know the package or are out of date.
fp_package_attempt() {
	fp_package_note=''
	fp_package_tries=0
	while [ "$fp_package_tries" -lt 3 ]; do
		fp_package_tries=$((fp_package_tries + 1))
		if fp_package_apt install -- "$1"; then
			fp_package_is_installed "$1" && return 0
			printf '%s was not installed under that name: another package provides it, declare that one\n' "$1" >&2
			return 1
		fi
		if grep -q 'dpkg --configure -a' <"$fp_package_log"; then
			DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a \
				>"$fp_package_log" 2>&1 </dev/null || break
		elif [ -z "$fp_package_updated" ] && grep -qE \
			'^E: (Unable to locate|Unable to fetch|Failed to fetch|Package .* has no installation candidate)' \
			<"$fp_package_log"; then
			fp_package_updated=yes
			fp_package_apt update || fp_package_note=$(fp_package_reason)
		else
			break
		fi
	done
	printf 'failed to install %s: %s\n' "$1" "$(fp_package_reason)" >&2
	[ -z "$fp_package_note" ] || printf 'fetching the lists of packages failed, too: %s\n' "$fp_package_note" >&2
	return 1
}

# NAME
fp_package_install() {
	if ! command -v apt-get >/dev/null 2>&1; then
		printf 'failed to install %s: this machine has no apt-get\n' "$1" >&2
		return 1
	fi
	fp_package_log=$(mktemp) || return 1
	fp_package_attempt "$1"
	fp_package_status=$?
	rm -f -- "$fp_package_log"
	return "$fp_package_status"
}

# apt-get remove of packages without questions; configuration files stay, and so does everything else.
fp_package_drop() {
	DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_SUSPEND=1 \
		apt-get -q -y -o DPkg::Lock::Timeout=120 -o APT::Get::AutomaticRemove=false \
		"$@" >"$fp_package_log" 2>&1 </dev/null
}

# The packages that would go with package $1, itself among them, one a line.
fp_package_with() {
	fp_package_drop -s remove -- "$1" || return 1
	sed -n 's/^Remv \([^ ]*\) .*/\1/p' <"$fp_package_log"
}

# NAME: prints `installed` yes or no, and `takes` and the name of each package that would go with it.
fp_package_look() {
	if ! fp_package_is_installed "$1"; then
		printf 'installed no\n'
		return
	fi
	fp_package_log=$(mktemp) || return 1
	if fp_package_list=$(fp_package_with "$1"); then
		printf 'installed yes\n'
		printf '%s\n' "$fp_package_list" | sed -n 's/^./takes &/p'
		fp_package_status=0
	else
		printf 'failed to find out what removing %s would take along: %s\n' "$1" "$(fp_package_reason)"
		fp_package_status=1
	fi
	rm -f -- "$fp_package_log"
	return "$fp_package_status"
}

# NAME ALLOWED...: removes it, and at most those that follow with it.
fp_package_remove() {
	fp_package_is_installed "$1" || return 0
	fp_package_log=$(mktemp) || return 1
	fp_package_status=0
	if ! fp_package_list=$(fp_package_with "$1"); then
		printf 'failed to remove %s: %s\n' "$1" "$(fp_package_reason)" >&2
		fp_package_status=1
	fi
	for fp_package_one in $fp_package_list; do
		case " $* " in
		*" $fp_package_one "*) ;;
		*)
			fp_refuse "removing $1 would take $fp_package_one along"
			fp_package_status=3
			;;
		esac
	done
	if [ "$fp_package_status" = 0 ] && ! fp_package_drop remove -- "$1"; then
		printf 'failed to remove %s: %s\n' "$1" "$(fp_package_reason)" >&2
		fp_package_status=1
	fi
	rm -f -- "$fp_package_log"
	return "$fp_package_status"
}
