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

# Sets fp_spec to USER:GROUP for chown, or to nothing when both are "-".
fp_ownership() {
	case $1/$2 in
	-/-) fp_spec='' ;;
	-/*) fp_spec=":$2" ;;
	*/-) fp_spec="$1" ;;
	*) fp_spec="$1:$2" ;;
	esac
}

# Whether $1, followed when it is a link, is the very thing that $2, not followed, is now. What is
# open cannot be exchanged any more: so root knows that it holds what stands at a path in a folder
# that others can write, and not what a link put there meanwhile leads to.
fp_same() {
	[ "$(stat -L -c '%d %i' -- "$1")" = "$(stat -c '%d %i' -- "$2")" ] && return 0
	fp_refuse "$2 is being exchanged by somebody else"
}

# Gives $1 the owner and group of fp_spec and mode $2. With a fifth digit chmod clears the bits that
# a folder has from the one above it too; with four GNU's keeps them.
fp_shape() {
	if [ -n "$fp_spec" ]; then
		chown -- "$fp_spec" "$1" || return 1
	fi
	if [ "$2" != - ]; then
		chmod -- "0$2" "$1"
	fi
}

# As fp_shape, for what stands at path $1 and can be exchanged by others.
fp_reshape() {
	if [ "$fp_self" != 0 ]; then
		fp_shape "$1" "$2"
	elif [ -d "$1" ]; then
		(cd -P -- "$1" && fp_same . "$1" && fp_shape . "$2")
	else
		# shellcheck disable=SC2094 # it is opened for reading only
		{ fp_same /proc/self/fd/8 "$1" && fp_shape /proc/self/fd/8 "$2"; } 8<"$1"
	fi
}

# Sets fp_temporary to a path in folder $1 that nobody can foresee, and removes those of sessions
# that were killed. The number in the name is that of the shell.
fp_temporary_in() {
	for fp_old in "$1"/.fleetprov-[1-9]*-????????-????-????-????-????????????; do
		fp_pid=${fp_old##*/.fleetprov-}
		fp_pid=${fp_pid%%-*}
		case $fp_pid in
		*[!0-9]*) ;;
		*) [ -d "/proc/$fp_pid" ] || rm -f -- "$fp_old" ;;
		esac
	done
	read -r fp_chance </proc/sys/kernel/random/uuid
	fp_temporary="$1/.fleetprov-$$-$fp_chance"
}

# Renames $1 to $2, also when that is a link to a directory, which mv without -T would move into and
# BusyBox's with -T refuses (measured with 1.35): there the link goes first.
fp_put() {
	if mv -fT -- "$1" "$2" 2>/dev/null; then
		return 0
	elif [ -h "$2" ] && [ -d "$2" ]; then
		rm -f -- "$2" && mv -f -- "$1" "$2"
	elif [ -d "$2" ]; then
		fp_refuse "$2 is a directory"
	else
		mv -f -- "$1" "$2"
	fi
}

# Writes standard input to path $1 by way of a temporary file in the same folder, with owner $2,
# group $3 and mode $4 ("-": as the present file has it). The temporary file is made exclusively,
# is ours alone until it is complete, and is handled through its descriptor, so that nobody who can
# write to the folder can look at it or put another in its place.
fp_install() {
	if [ -d "$1" ] && [ ! -h "$1" ]; then
		fp_refuse "$1 is a directory"
		return
	fi
	if [ ! -d "${1%/*}/" ]; then
		printf 'the folder %s is not there; declare it as a directory\n' "${1%/*}" >&2
		return 1
	fi
	fp_owner=$2 fp_group=$3 fp_mode=$4
	if [ -f "$1" ] && [ ! -h "$1" ]; then
		# shellcheck disable=SC2046 # three numbers
		set -- "$1" $(stat -c '%u %g %a' -- "$1")
		[ "$fp_owner" != - ] || fp_owner=$2
		[ "$fp_group" != - ] || fp_group=$3
		[ "$fp_mode" != - ] || fp_mode=$4
	fi
	[ "$fp_mode" != - ] || fp_mode=0644
	fp_ownership "$fp_owner" "$fp_group"
	# What we make is ours.
	case $fp_spec in "$fp_me" | "$fp_self") fp_spec='' ;; esac
	fp_temporary_in "${1%/*}"
	fp_failed="write in ${1%/*}/"
	umask 077
	set -C
	{
		set +C
		umask 022
		fp_fill "$1"
	} 9>"$fp_temporary"
	set +C
	umask 022
	[ -n "$fp_failed" ] || return 0
	rm -f -- "$fp_temporary"
	printf 'failed to %s\n' "$fp_failed" >&2
	return 1
}

# Standard input to the temporary file at descriptor 9, and that to its place at path $1. Sets
# fp_failed to what failed, or to nothing.
fp_fill() {
	fp_failed="write in ${1%/*}/"
	cat >&9 || return
	fp_failed="receive $1 whole"
	fp_verify || return
	fp_failed="give $1 its owner and mode"
	fp_shape /proc/self/fd/9 "$fp_mode" || return
	fp_failed="flush $1"
	sync -- /proc/self/fd/9 2>/dev/null || sync || return
	fp_failed="put $1 in its place"
	fp_put "$fp_temporary" "$1" || return
	fp_failed=''
}

# Whether the temporary file is what was sent: its digest is fp_wanted, when one is set.
# dd exits 0 when the stream is cut (measured), so only the digest tells.
fp_wanted=''
fp_wanted_how=plain
fp_verify() {
	[ -n "$fp_wanted" ] || return 0
	if [ "$fp_wanted_how" = keyed ]; then
		[ "$(fp_keyed </proc/self/fd/9)" = "$fp_wanted" ]
	else
		fp_digest=$(sha256sum </proc/self/fd/9) && [ "${fp_digest%% *}" = "$fp_wanted" ]
	fi
}

# PATH GUARD plain|keyed OWNER GROUP MODE SIZE DIGEST, content on the stream.
fp_write() {
	fp_expect "$1" "$2" "$3" || return
	fp_wanted=$8
	fp_wanted_how=$3
	# What a failure leaves in the pipe is read, or the rest of it would be taken for what follows.
	fp_take "$7" | {
		fp_install "$1" "$4" "$5" "$6"
		fp_status=$?
		[ "$fp_status" = 0 ] || cat >/dev/null
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
	if [ "${2%% *}" = link ]; then
		[ -z "$fp_spec" ] || chown -h -- "$fp_spec" "$1"
	else
		fp_reshape "$1" "$6"
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
	(umask 077 && mkdir -- "$1") || return 1
	fp_ownership "$3" "$4"
	fp_reshape "$1" "$5"
}

# As fp_directory, but content with a directory that another step has made meanwhile.
fp_parent() {
	[ -d "$1" ] || fp_directory "$@"
}

# PATH GUARD TARGET OWNER: the link is made beside and renamed, so that there is always an old or a new one.
fp_link() {
	fp_expect "$1" "$2" plain || return
	fp_temporary_in "${1%/*}"
	ln -s -- "$3" "$fp_temporary" || return 1
	if { [ "$4" = - ] || chown -h -- "$4" "$fp_temporary"; } && fp_put "$fp_temporary" "$1"; then
		return 0
	fi
	rm -f -- "$fp_temporary"
	return 1
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
		fp_refuse "the way to $fp_end leads through what belongs to a user without a name"
		return
	fi
}

# Runs the program text $2 on behalf of whoever owns folder $1; its standard input is what is left
# of the payload. Another user's shell is started with nothing but the loop that takes orders, and
# reads the rest: arguments of processes show to everybody.
fp_within() {
	fp_whose "$1" || return
	if [ -z "$fp_who" ]; then
		eval "$2"
		return
	fi
	fp_text="fp_nonce=$fp_nonce
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
		fp_as "$fp_who" "$fp_loop
fp_orders"
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
