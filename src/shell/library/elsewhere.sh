# shellcheck shell=sh
# Records of this machine in other places than the one that is asked for: of another login, of the same one
# with other rights, or where the inventory had it before.
#
# Where a login keeps its record when nothing is declared, a file beside it, with .fleets behind its name,
# says for everybody to read where the records of that login are (notice.sh).

# Whether the way to path $1 leads over a file system that can hang.
fp_is_distant() {
	[ -n "$fp_mounts" ] || return 1
	# Nobody has to know what is passed.
	fp_theirs=' ' fp_who=' '
	fp_way "$1/."
	[ -n "$fp_mount" ]
}

# Whether folder $1 holds a record, or may hold one as far as we can see.
fp_has_record() {
	[ -e "$1/record" ] || { [ -d "$1" ] && [ ! -x "$1" ]; }
}

# Prints the first $2 lines of file $1, each behind the word `of`.
fp_tell_head() {
	fp_n=0
	while [ "$fp_n" -lt "$2" ] && IFS= read -r fp_line; do
		printf 'of %.300s\n' "$fp_line"
		fp_n=$((fp_n + 1))
	done <"$1"
}

# Tells of the record in folder $1, and of those that are named beside it; not of the one in fp_here.
fp_tell() {
	if [ "$1" != "$fp_here" ] && fp_has_record "$1"; then
		printf 'elsewhere %s\n' "$1"
		if [ -f "$1/record" ] && [ -r "$1/record" ]; then
			fp_tell_head "$1/record" 5
			fp_state_last "$1"
			[ -z "$fp_last" ] || [ ! -f "$1/runs/$fp_last/run" ] || fp_tell_head "$1/runs/$fp_last/run" 4
		fi
	fi
	if [ -f "$1.fleets" ] && [ -r "$1.fleets" ]; then
		fp_n=0
		while [ "$fp_n" -lt 50 ] && IFS= read -r fp_line; do
			fp_n=$((fp_n + 1))
			fp_folder=${fp_line#* * * }
			if [ "$fp_folder" != "$fp_here" ] && fp_has_record "$fp_folder"; then
				printf 'noticed %.1000s\n' "$fp_line"
			fi
		done <"$1.fleets"
	fi
}

# The same for the folder $1, as whoever it belongs to: root opens nothing that a user could exchange. Where
# nothing is, no process is started.
fp_tell_as_theirs() {
	case $fp_looked in
	*"
$1
"*) return 0 ;;
	esac
	fp_looked="$fp_looked$1
"
	if fp_is_distant "$1"; then
		return 0
	elif [ ! -e "$1/record" ] && [ ! -e "$1.fleets" ] && { [ ! -d "$1" ] || [ -x "$1" ]; }; then
		return 0
	elif [ "$1" != "$fp_here" ] && [ -e "$fp_here" ] &&
		[ "$(stat -L -c %d:%i -- "$1" 2>/dev/null)" = "$(stat -L -c %d:%i -- "$fp_here" 2>/dev/null)" ]; then
		# The same by another name.
		return 0
	fi
	case $fp_self$1 in
	[!0]* | 0/var/lib/* | 0/root/*)
		fp_tell "$1"
		return
		;;
	esac
	if ! fp_whose "${1%/*}" 2>/dev/null; then
		[ ! -e "$1/record" ] || printf 'elsewhere %s\n' "$1"
	elif [ -z "$fp_who" ]; then
		fp_tell "$1"
	else
		! command -v timeout >/dev/null || fp_limit='timeout -s KILL 5'
		fp_left=0
		case $1$fp_here in
		*\'*) ;;
		*) fp_act "$fp_who" "fp_here='$fp_here'
fp_tell '$1'" </dev/null 2>/dev/null | head -c 8192 | fp_foreign ;;
		esac
		fp_limit=''
	fi
}

# STATE DEFAULT: tells of all other records than that in folder STATE, as far as we can see; DEFAULT is where
# the login's would be without root's rights.
fp_elsewhere() {
	fp_here=$1
	fp_looked='
'
	fp_probe_begin
	fp_tell_as_theirs /var/lib/fleetprov
	[ -z "$2" ] || fp_tell_as_theirs "$2"
	fp_tell_as_theirs /root/.local/state/fleetprov
	for fp_above in /home /var/services/homes /share/homes; do
		if fp_is_distant "$fp_above" || [ ! -d "$fp_above" ]; then continue; fi
		for fp_home in "$fp_above"/*; do
			# Most have none, and this is all they cost.
			fp_tell_as_theirs "$fp_home/.local/state/fleetprov"
		done
	done
	fp_mounts_known=yes
	[ -r /etc/passwd ] || return 0
	while IFS=: read -r _ _ _ _ _ fp_home _; do
		case $fp_home in
		/home/* | /root | / | '') ;;
		/*) fp_tell_as_theirs "${fp_home%/}/.local/state/fleetprov" ;;
		esac
	done </etc/passwd
}
