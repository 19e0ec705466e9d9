# shellcheck shell=sh
# What fleetprov remembers on the machine: reads the record of what it owns and the journal of its last run.

# Whether the state folder $1 is ours alone and no link. Prints why not.
fp_state_safe() {
	if [ -h "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then
		printf '%s is no folder\n' "$1"
	elif [ "$(stat -c '%u %a' -- "$1")" != "$fp_self 700" ]; then
		printf '%s must belong to %s alone, with mode 0700\n' "$1" "$fp_me"
	else
		return 0
	fi
	return 1
}

# Prints the file $2 in base64 behind the word $1, when it is there. A large one is packed first: the record
# of a hundred resources would fill more than the first window of a slow connection.
fp_state_file() {
	[ -e "$2" ] || [ -h "$2" ] || return 0
	if [ -h "$2" ] || [ ! -f "$2" ]; then
		fp_why="$2 is no plain file"
	elif [ "$(stat -c %s -- "$2")" -gt 4194304 ]; then
		fp_why="$2 is larger than 4 MiB"
	elif ! [ -r "$2" ] || ! fp_text=$(fp_state_packed "$2" | fp_base64); then
		fp_why="$2 cannot be read"
	else
		printf '%s %s\n' "$1" "$fp_text"
		return 0
	fi
	printf 'unreadable %s\n' "$(printf '%s' "$fp_why" | fp_base64)"
}

fp_state_packed() {
	if [ "$(stat -c %s -- "$1")" -gt 2000 ] && command -v gzip >/dev/null; then
		gzip -c <"$1"
	else
		cat <"$1"
	fi 2>/dev/null
}

# Sets fp_last to the run that the record in folder $1 names, or to nothing.
fp_state_last() {
	fp_last=''
	[ -f "$1/record" ] || return 0
	read -r fp_word fp_format fp_last <"$1/record"
	case "$fp_word $fp_format/$fp_last" in
	"fleetprov-record 1/"*[!a-zA-Z0-9-]* | "fleetprov-record 1/" | "fleetprov-record 1/-"*) fp_last='' ;;
	"fleetprov-record 1/"*) ;;
	*) fp_last='' ;;
	esac
}

# Sets fp_seen to the digest of record and progress in folder $1, or to absent; and fp_last.
fp_state_seen() {
	fp_state_last "$1"
	fp_seen=absent
	[ -f "$1/record" ] || return 0
	set -- "$1/record" "$1/runs/$fp_last/progress"
	if [ -z "$fp_last" ] || [ ! -f "$2" ]; then set -- "$1"; fi
	fp_seen=$(cat -- "$@" | sha256sum)
	fp_seen=${fp_seen%% *}
}

# Says so when runs in folder $1 have begun something, though there is no record. One that was cut before it
# wrote the first record has not.
fp_state_orphaned() {
	for fp_name in "$1"/runs/*/progress; do
		if { read -r fp_word && read -r fp_word; } 2>/dev/null <"$fp_name"; then
			printf 'orphaned yes\n'
			return
		fi
	done
}

# Whether guarded steps wait to be confirmed in state folder $1, or are being put back (guard.sh). Sets
# fp_word to their run.
fp_armed() {
	for fp_word in armed reverting; do
		if { read -r fp_word _ <"$1/guard/$fp_word"; } 2>/dev/null; then
			return 0
		fi
	done
	return 1
}

# Prints the record in folder $1 and the run fp_last with its progress, as far as they are there: the names
# and sizes, and all of it packed. Processes are what costs time here, so there is one for each sort of work,
# not for each file.
fp_state_files() {
	fp_why=''
	[ -z "$fp_last" ] || set -- "$1" "$1/record" "$1/runs/$fp_last/run" "$1/runs/$fp_last/progress"
	[ $# -gt 1 ] || set -- "$1" "$1/record"
	fp_above=$1
	for fp_name; do
		shift
		if [ "$fp_name" = "$fp_above" ]; then
			continue
		elif [ -h "$fp_name" ] || { [ -e "$fp_name" ] && [ ! -f "$fp_name" ]; }; then
			fp_why="$fp_name is no plain file"
		elif [ -f "$fp_name" ] && [ ! -r "$fp_name" ]; then
			fp_why="$fp_name cannot be read"
		elif [ -f "$fp_name" ]; then
			set -- "$@" "$fp_name"
		fi
	done
	fp_there=''
	if [ $# -gt 0 ]; then
		for fp_size in $(stat -c %s -- "$@"); do
			fp_name=$1
			shift
			set -- "$@" "$fp_name"
			fp_there="$fp_there ${fp_name##*/} $fp_size"
			[ "$fp_size" -le 4194304 ] || fp_why="$fp_name is larger than 4 MiB"
		done
	fi
	if [ -n "$fp_why" ]; then
		printf 'unreadable %s\n' "$(printf '%s' "$fp_why" | fp_base64)"
	elif [ $# -gt 0 ]; then
		fp_pack='cat'
		! command -v gzip >/dev/null || fp_pack='gzip -c'
		printf 'documents %s%s\n' "$(cat -- "$@" 2>/dev/null | $fp_pack | fp_base64)" "$fp_there"
	fi
}

# STATE DEFAULT: what is remembered in folder STATE, and where else there is a record (elsewhere.sh).
fp_kept() {
	fp_frame begin kept
	fp_last=''
	read -r fp_boot </proc/sys/kernel/random/boot_id && printf 'boot %s\n' "$fp_boot"
	if [ -e "$1" ] || [ -h "$1" ]; then
		if ! fp_why=$(fp_state_safe "$1"); then
			printf 'unreadable %s\n' "$(printf '%s' "$fp_why" | fp_base64)"
		else
			# A run that begins meanwhile puts its own record there: what is read has to belong together.
			fp_tries=0
			until
				fp_state_seen "$1"
				fp_of=$fp_last
				fp_files=$(fp_state_files "$1")
				fp_state_last "$1"
				[ "$fp_last" = "$fp_of" ] || [ "$fp_tries" -ge 5 ]
			do
				fp_tries=$((fp_tries + 1))
			done
			printf 'seen %s\n' "$fp_seen"
			[ -z "$fp_files" ] || printf '%s\n' "$fp_files"
			[ -e "$1/record" ] || [ -h "$1/record" ] || fp_state_orphaned "$1"
			if fp_armed "$1"; then
				printf 'armed %s\n' "$fp_word"
			fi
		fi
	else
		printf 'seen absent\n'
	fi
	fp_of=$fp_last
	fp_elsewhere "$1" "$2"
	fp_last=$fp_of
	fp_frame end
}
