# shellcheck shell=sh
# The functions every session has. POSIX sh for dash, bash and BusyBox ash, with the tools of
# coreutils or BusyBox. The controller sets fp_nonce before; standard input is its stream.

LC_ALL=C
export LC_ALL
umask 022
fp_key=${fp_key-}
fp_left=0
fp_self=$(id -u)
fp_me=$(id -un)

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

# Sets fp_scratch to a new empty file, in memory first: what is said of a full disk needs a place
# too. Fails, and sets it to /dev/null, when there is none.
fp_scratch() {
	for fp_place in /run /dev/shm "${TMPDIR:-/tmp}"; do
		fp_scratch=$(mktemp "$fp_place/fleetprov.XXXXXX" 2>/dev/null) && return 0
	done
	fp_scratch=/dev/null
	return 1
}

# Standard input in base64, in one line. Old versions of BusyBox know no -w and say so before they read.
fp_base64() {
	base64 -w 0 2>/dev/null || base64 | tr -d '\n'
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

# Sets fp_who to the user that has to act in folder $1: empty for ourselves, a name when the folder
# or one on the way to it belongs to somebody else. Follows the links on the way one by one, and
# refuses when somebody else can exchange what is on the way: then nobody's rights fit.
fp_whose() {
	fp_who=''
	[ "$fp_self" = 0 ] || return 0
	fp_end=$1 fp_rest=${1#/} fp_at='' fp_links=0
	set -- /
	while [ -n "$fp_rest" ]; do
		fp_part=${fp_rest%%/*}
		fp_rest=${fp_rest#"$fp_part"}
		fp_rest=${fp_rest#/}
		case $fp_part in
		'' | .) continue ;;
		..)
			fp_at=${fp_at%/*}
			continue
			;;
		esac
		set -- "$@" "$fp_at/$fp_part"
		if [ -h "$fp_at/$fp_part" ]; then
			fp_links=$((fp_links + 1))
			if [ "$fp_links" -gt 40 ]; then
				fp_refuse "$fp_end has too many links on the way to it"
				return
			fi
			fp_target=$(readlink -- "$fp_at/$fp_part")
			fp_rest=$fp_target/$fp_rest
			case $fp_target in /*) fp_at='' ;; esac
		else
			fp_at=$fp_at/$fp_part
		fi
	done
	fp_table=$(stat -c '%f %u %a %U %G %n' -- "$@" 2>/dev/null)
	while read -r fp_type fp_uid fp_bits fp_user fp_team fp_name; do
		[ -n "$fp_type" ] || continue
		if [ "$fp_uid" != 0 ] && [ -z "$fp_who" ]; then
			fp_who=$fp_user
		fi
		# Links have no rights of their own, and in the last folder nothing is on the way.
		case $fp_type in a???) continue ;; esac
		[ "$fp_name" != "${fp_at:-/}" ] || continue
		fp_open=''
		case $fp_bits in
		[1357]???) ;;
		*[2367]) fp_open=everybody ;;
		*[2367]?)
			# Debian gives staff what is root's below /usr/local, and each user a group of their own.
			case $fp_team in
			root | staff | "$fp_user") ;;
			*) fp_open="group $fp_team" ;;
			esac
			;;
		esac
		if [ -n "$fp_open" ]; then
			fp_refuse "$fp_name can be written by $fp_open, so what is below it cannot be changed safely"
			return
		fi
	done <<-EOF
		$fp_table
	EOF
	if [ "$fp_who" = UNKNOWN ]; then
		fp_refuse "the way to $fp_end leads through what belongs to a user that is not there any more; remove it by hand, or give it to somebody (chown)"
		return
	fi
}

# Runs the program text $2 on behalf of whoever owns folder $1; its standard input is what is left
# of the payload.
fp_within() {
	fp_whose "$1" || return
	if [ -z "$fp_who" ]; then
		eval "$2"
	else
		fp_act "$fp_who" "$2"
	fi
}

# Runs program text $2 as user $1; its standard input is what is left of the payload. The shell is
# started with nothing but the loop that takes orders, and reads the rest: arguments of processes
# show to everybody.
fp_act() {
	fp_text="fp_nonce=
$fp_libraries
fp_left=$fp_left
$2
exit \$?"
	fp_size=$(printf '%s' "$fp_text" | wc -c)
	fp_payload=$fp_left
	fp_left=0
	{
		printf 'key %s\nrun %d\n%s' "$fp_key" "$fp_size" "$fp_text"
		fp_take "$fp_payload"
	} | {
		fp_as "$1" "$fp_loop
fp_orders"
		fp_status=$?
		cat >/dev/null
		exit "$fp_status"
	}
}

# Runs program text $2 as user $1, without a login and in a folder that is there; under fp_limit,
# when one is set.
fp_limit=''
fp_as() {
	cd / || return 1
	if command -v runuser >/dev/null 2>&1; then
		# shellcheck disable=SC2086 # a command and its arguments
		$fp_limit runuser -u "$1" -- sh -c "$2"
	else
		# shellcheck disable=SC2086
		$fp_limit su -s /bin/sh "$1" -c "$2"
	fi
}
