# shellcheck shell=sh
# Changes files, folders and links, each only in the state it was seen in, and none of them halfway.

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
	if [ -d "$1" ]; then
		if [ "$fp_self" = 0 ] || [ -x "$1" ]; then
			(cd -P -- "$1" && fp_same . "$1" && fp_shape . "$2")
			return
		fi
	elif [ "$fp_self" = 0 ] || [ -r "$1" ]; then
		# shellcheck disable=SC2094 # it is opened for reading only
		{ fp_same /proc/self/fd/8 "$1" && fp_shape /proc/self/fd/8 "$2"; } 8<"$1"
		return
	fi
	# Its owner may not open it. Where only the owner can exchange it, that is nobody else's harm.
	fp_shape "$1" "$2"
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
	fp_failed="use the new $1"
	fp_checked "$1" "$fp_temporary" || return
	fp_failed="give $1 its owner and mode"
	fp_shape /proc/self/fd/9 "$fp_mode" || return
	fp_failed="flush $1"
	sync -- /proc/self/fd/9 2>/dev/null || sync || return
	fp_failed="put $1 in its place"
	fp_put "$fp_temporary" "$1" || return
	fp_failed=''
}

# Whether file $2 is fit to become $1, by the checker of whoever reads it, where there is one: those that
# decide who gets in would keep everybody out when they cannot read it. Says why not. What a checker lacks
# on this machine is no fault of the file.
fp_checked() {
	case $1 in
	/etc/ssh/sshd_config | /etc/ssh/sshd_config.d/*.conf) set -- sshd -t -f "$2" ;;
	/etc/sudoers.d/*[.~]*) return 0 ;;
	/etc/sudoers | /etc/sudoers.d/*) set -- visudo -c -f "$2" ;;
	/etc/nftables.conf | /etc/nftables.d/*) set -- nft -c -f "$2" ;;
	*) return 0 ;;
	esac
	[ "$fp_self" = 0 ] || return 0
	# sshd wants to be called by its whole path.
	fp_checker=$(command -v "$1" 2>/dev/null) || return 0
	shift
	fp_said=$("$fp_checker" "$@" 2>&1 </dev/null) && return 0
	case $fp_said in
	*'no hostkeys available'* | *'Missing privilege separation'* | *'Operation not permitted'* | *'not supported'*) return 0 ;;
	esac
	printf '%s\n' "$fp_said" | sed "s|$fp_temporary|the new file|g" >&2
	return 1
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
	fp_reshape "$1" "$5" && return 0
	fp_status=$?
	# Half made it would be in the way of the next run.
	rmdir -- "$1"
	return "$fp_status"
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
	# What we make is ours.
	case $4 in
	- | "$fp_me" | "$fp_self") ;;
	*) chown -h -- "$4" "$fp_temporary" ;;
	esac && fp_put "$fp_temporary" "$1" && return 0
	rm -f -- "$fp_temporary"
	return 1
}
