# shellcheck shell=sh
# The functions every session has. POSIX sh for dash, bash and BusyBox ash, with the tools of
# coreutils or BusyBox. The controller sets fp_nonce before; standard input is its stream.

LC_ALL=C
export LC_ALL
umask 022
fp_key=${fp_key-}
fp_left=0
fp_self=$(id -u)
fp_serial=0

# A frame of the protocol: the nonce, then words.
fp_frame() {
	printf '%s %s\n' "$fp_nonce" "$*"
}

# Copies exactly $1 bytes of the stream to standard output. dd with fullblock never reads
# further; head -c does on BusyBox, and plain dd reads short (measured).
fp_take() {
	fp_blocks=$(($1 / 65536))
	fp_rest=$(($1 % 65536))
	if [ "$fp_blocks" -gt 0 ]; then
		dd bs=65536 count="$fp_blocks" iflag=fullblock 2>/dev/null
	fi
	if [ "$fp_rest" -gt 0 ]; then
		dd bs="$fp_rest" count=1 iflag=fullblock 2>/dev/null
	fi
	fp_left=0
}

# Reads what an operation left of its payload, so that the next one starts at its own bytes.
fp_drain() {
	if [ "$fp_left" -gt 0 ]; then
		fp_take "$fp_left" >/dev/null
	fi
}

fp_base64() {
	base64 | tr -d '\n'
}

# Standard input to the hexadecimal digest of the run's key followed by it.
fp_keyed() {
	{
		printf '%s' "$fp_key"
		cat
	} | sha256sum | cut -d ' ' -f 1
}

fp_refuse() {
	printf '%s\n' "$1" >&2
	return 3
}

# Sets fp_now to the state of path $1; $2 says how its digest is made: plain, keyed, none.
fp_state() {
	if [ -h "$1" ]; then
		fp_now="link $(readlink -- "$1")"
	elif [ -f "$1" ]; then
		case $2 in
		keyed) fp_digest=$(fp_keyed <"$1") ;;
		plain) fp_digest=$(sha256sum <"$1") && fp_digest=${fp_digest%% *} ;;
		*) fp_digest=- ;;
		esac
		fp_now="file $(stat -c '%a %u %g' -- "$1") $fp_digest"
	elif [ -d "$1" ]; then
		fp_now="directory $(stat -c '%a %u %g' -- "$1")"
	elif [ -e "$1" ]; then
		fp_now=other
	else
		fp_now=absent
	fi
}

# Refuses unless path $1 is in state $2; $3 as for fp_state.
fp_expect() {
	fp_state "$1" "$3"
	[ "$fp_now" = "$2" ] && return 0
	fp_refuse "$1 has changed since it was looked at: it was ${2%% *}, it is ${fp_now%% *}$(
		[ "${2%% *}" != "${fp_now%% *}" ] || printf ' with other content, mode or owner'
	)"
}

# Sets fp_spec to USER:GROUP for chown, or to nothing when both are "-".
fp_ownership() {
	case $1/$2 in
	-/-) fp_spec='' ;;
	-/*) fp_spec=":$2" ;;
	*/-) fp_spec="$1" ;;
	*) fp_spec="$1:$2" ;;
	esac
}

# Writes standard input to path $1 by way of a temporary file in the same folder, with owner $2,
# group $3 and mode $4 ("-": as the present file has it). The temporary file is made exclusively
# and changed through its descriptor, so that nobody who can write to the folder can put another
# in its place.
fp_install() {
	if [ -d "$1" ] && [ ! -h "$1" ]; then
		fp_refuse "$1 is a directory"
		return
	fi
	fp_owner=$2 fp_group=$3 fp_mode=$4
	if [ -f "$1" ] && [ ! -h "$1" ]; then
		# shellcheck disable=SC2046 # three numbers
		set -- "$1" $(stat -c '%u %g %a' -- "$1")
		[ "$fp_owner" != - ] || fp_owner=$2
		[ "$fp_group" != - ] || fp_group=$3
		[ "$fp_mode" != - ] || fp_mode=$4
	fi
	fp_serial=$((fp_serial + 1))
	fp_temporary="${1%/*}/.fleetprov-$fp_nonce-$fp_serial"
	set -C
	if ! { exec 9>"$fp_temporary"; } 2>/dev/null; then
		set +C
		printf 'cannot write in %s: ' "${1%/*}" >&2
		(: >"$fp_temporary") 2>&1 | sed 's/.*: //' >&2
		return 1
	fi
	set +C
	fp_failed=''
	cat >&9 || fp_failed="write to ${1%/*}"
	fp_ownership "$fp_owner" "$fp_group"
	if [ -z "$fp_failed" ] && [ -n "$fp_spec" ] && ! chown -- "$fp_spec" /proc/self/fd/9; then
		fp_failed="give $1 to $fp_spec"
	fi
	if [ -z "$fp_failed" ] && [ "$fp_mode" != - ] && ! chmod -- "$fp_mode" /proc/self/fd/9; then
		fp_failed="set the mode of $1"
	fi
	exec 9>&-
	if [ -z "$fp_failed" ] && ! sync -- "$fp_temporary" 2>/dev/null && ! sync; then
		fp_failed="flush $1"
	fi
	if [ -z "$fp_failed" ] && ! fp_verify; then
		fp_failed="receive $1 whole"
	fi
	if [ -z "$fp_failed" ] && ! mv -f -- "$fp_temporary" "$1"; then
		fp_failed="put $1 in its place"
	fi
	[ -n "$fp_failed" ] || return 0
	rm -f -- "$fp_temporary"
	printf 'failed to %s\n' "$fp_failed" >&2
	return 1
}

# Whether the temporary file is what was sent: its digest is fp_wanted, when one is set.
# dd exits 0 when the stream is cut (measured), so only the digest tells.
fp_wanted=''
fp_wanted_how=plain
fp_verify() {
	[ -n "$fp_wanted" ] || return 0
	if [ "$fp_wanted_how" = keyed ]; then
		[ "$(fp_keyed <"$fp_temporary")" = "$fp_wanted" ]
	else
		fp_digest=$(sha256sum <"$fp_temporary") && [ "${fp_digest%% *}" = "$fp_wanted" ]
	fi
}

# PATH GUARD plain|keyed OWNER GROUP MODE SIZE DIGEST, content on the stream.
fp_write() {
	fp_expect "$1" "$2" "$3" || return
	fp_wanted=$8
	fp_wanted_how=$3
	if [ "$6" = - ] && [ "${2%% *}" != file ]; then
		set -- "$1" "$2" "$3" "$4" "$5" 0644 "$7"
	fi
	# What a failure leaves in the pipe is read, or the rest of it would be taken for what follows.
	fp_take "$7" | {
		fp_install "$1" "$4" "$5" "$6"
		fp_status=$?
		cat >/dev/null
		exit "$fp_status"
	}
	fp_status=$?
	fp_left=0
	fp_wanted=''
	return "$fp_status"
}

# PATH GUARD plain|keyed|none OWNER GROUP MODE
fp_attributes() {
	fp_expect "$1" "$2" "$3" || return
	fp_ownership "$4" "$5"
	if [ -n "$fp_spec" ]; then
		chown -h -- "$fp_spec" "$1" || return 1
	fi
	if [ "$6" != - ]; then
		chmod -- "$6" "$1" || return 1
	fi
}

# PATH GUARD plain|keyed|none
fp_remove() {
	fp_expect "$1" "$2" "$3" || return
	if [ -d "$1" ] && [ ! -h "$1" ]; then
		rmdir -- "$1"
	else
		rm -f -- "$1"
	fi
}

# PATH GUARD OWNER GROUP MODE
fp_directory() {
	fp_expect "$1" "$2" none || return
	mkdir -- "$1" || return 1
	fp_ownership "$3" "$4"
	if [ -n "$fp_spec" ]; then
		chown -h -- "$fp_spec" "$1" || return 1
	fi
	chmod -- "$5" "$1"
}

# As fp_directory, but content with a directory that another step has made meanwhile.
fp_parent() {
	[ -d "$1" ] || fp_directory "$@"
}

# PATH GUARD TARGET OWNER: the link is made beside and renamed, so that there is always an old or a new one.
fp_link() {
	fp_expect "$1" "$2" plain || return
	fp_serial=$((fp_serial + 1))
	fp_temporary="${1%/*}/.fleetprov-$fp_nonce-$fp_serial"
	ln -s -- "$3" "$fp_temporary" || return 1
	if [ "$4" != - ] && ! chown -h -- "$4" "$fp_temporary"; then
		rm -f -- "$fp_temporary"
		return 1
	fi
	if ! mv -f -- "$fp_temporary" "$1"; then
		rm -f -- "$fp_temporary"
		return 1
	fi
}

# Sets fp_who to the user that has to act in folder $1: empty for ourselves, a name when the
# folder or one above it belongs to somebody else. Refuses a folder when somebody else may replace
# one on the way to it (Debian's policy makes group staff root's equal below /usr/local).
fp_whose() {
	fp_who=''
	set -- "$1" /
	fp_walk=$1
	while [ -n "$fp_walk" ] && [ "$fp_walk" != / ]; do
		set -- "$@" "$fp_walk"
		fp_walk=${fp_walk%/*}
	done
	fp_end=$1
	shift
	fp_table=$(stat -L -c '%u %a %U %G %n' -- "$@" 2>/dev/null)
	while read -r fp_uid fp_bits fp_user fp_team fp_name; do
		[ -n "$fp_uid" ] || continue
		if [ "$fp_uid" != 0 ] && [ "$fp_uid" != "$fp_self" ]; then
			fp_who=$fp_user
		elif [ "$fp_name" != "$fp_end" ] && [ "$fp_name" != / ]; then
			case $fp_bits/$fp_team in
			[1357]???/*) ;;
			*[2367]/*)
				fp_refuse "$fp_name can be written by everybody, so nothing below it is safe to change"
				return
				;;
			*[2367]?/root | *[2367]?/staff) ;;
			*[2367]?/*)
				fp_refuse "$fp_name can be written by group $fp_team, so nothing below it is safe for root to change"
				return
				;;
			esac
		fi
	done <<-EOF
		$fp_table
	EOF
	if [ "$fp_who" = UNKNOWN ]; then
		fp_refuse "$fp_end belongs to a user that has no name"
		return
	fi
}

# Runs the program text $2 on behalf of whoever owns folder $1; its standard input is what is left
# of the payload.
fp_within() {
	fp_whose "$1" || return
	if [ -z "$fp_who" ] || [ "$fp_self" != 0 ]; then
		eval "$2"
		return
	fi
	fp_text="fp_nonce=$fp_nonce
$fp_libraries
IFS= read -r fp_key
fp_left=$fp_left
$2"
	fp_payload=$fp_left
	fp_left=0
	{
		printf '%s\n' "$fp_key"
		fp_take "$fp_payload"
	} | {
		fp_as "$fp_who" "$fp_text"
		fp_status=$?
		cat >/dev/null
		exit "$fp_status"
	}
}

# Runs program text $2 as user $1, without a login and in a folder that is there.
fp_as() {
	if command -v runuser >/dev/null 2>&1; then
		(cd / && exec runuser -u "$1" -- sh -c "$2")
	else
		(cd / && exec su -s /bin/sh "$1" -c "$2")
	fi
}
