# shellcheck shell=sh
# Answers questions in batches: one stat and one sha256sum for all paths, one systemctl for all
# units, one dpkg-query for all packages.

# Mount points of file systems that can hang, one a line. Decided from the kernel's text alone:
# touching one could block for ever (measured: test, stat, timeout and its KILL all hang on a dead
# FUSE mount).
fp_hangable() {
	fp_mounts=''
	fp_mounted=''
	[ -r /proc/self/mounts ] || return 0
	while read -r _ fp_point fp_type _; do
		case $fp_point in
		*\\*) fp_point=$(printf '%b' "$(printf '%s' "$fp_point" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')") ;;
		esac
		fp_mounted="$fp_mounted$fp_point
"
		case $fp_type in
		fuse | fuse.* | fuseblk | nfs | nfs4 | cifs | smb3 | smbfs | 9p | davfs | afs | ceph | autofs)
			fp_mounts="$fp_mounts$fp_point
"
			;;
		esac
	done </proc/self/mounts
}

# Whether path $1 is at or below a mount that can hang.
fp_may_hang() {
	[ -n "$fp_mounts" ] || return 1
	while read -r fp_point; do
		[ -n "$fp_point" ] || continue
		case $1/ in
		"$fp_point"/*) return 0 ;;
		esac
	done <<-EOF
		$fp_mounts
	EOF
	return 1
}

fp_count=0
fp_near=''
fp_far=''

# INDEX WANT DIGEST LIMIT PATH QUOTED-PATH. WANT: facts, unless, bytes, keyed.
fp_path() {
	fp_count=$((fp_count + 1))
	eval "fp_i$fp_count=\$1 fp_w$fp_count=\$2 fp_d$fp_count=\$3 fp_l$fp_count=\$4 fp_p$fp_count=\$5 fp_q$fp_count=\$6"
	if fp_may_hang "$5"; then
		fp_far="$fp_far $fp_count"
	else
		fp_near="$fp_near $fp_count"
	fi
}

# The facts of the paths whose numbers are in $1.
fp_paths_now() {
	fp_all='' fp_files='' fp_keyeds=''
	for fp_k in $1; do
		eval "fp_w=\$fp_w$fp_k fp_p=\$fp_p$fp_k fp_q=\$fp_q$fp_k"
		fp_all="$fp_all $fp_q"
		if [ "$fp_w" != facts ] && [ -f "$fp_p" ] && [ ! -h "$fp_p" ]; then
			if [ "$fp_w" = keyed ]; then
				fp_keyeds="$fp_keyeds $fp_k"
			else
				fp_files="$fp_files $fp_k"
			fi
		fi
		if [ -h "$fp_p" ]; then
			eval "fp_i=\$fp_i$fp_k"
			printf 'l %s %s\n' "$fp_i" "$(readlink -- "$fp_p" | fp_base64)"
		fi
	done
	[ -n "$fp_all" ] || return 0
	eval "stat -c 's %f %u %g %U %G %s %n' -- $fp_all" 2>&1
	fp_list=''
	for fp_k in $fp_files; do
		eval "fp_list=\"\$fp_list \$fp_q$fp_k\""
	done
	if [ -n "$fp_list" ]; then
		fp_sums=$(eval "sha256sum -- $fp_list" 2>/dev/null)
		# shellcheck disable=SC2086 # a list of numbers
		set -- $fp_files
		while IFS= read -r fp_line; do
			fp_sum=${fp_line%% *}
			fp_sum=${fp_sum#\\}
			while [ $# -gt 0 ]; do
				fp_k=$1
				shift
				eval "fp_p=\$fp_p$fp_k"
				case $fp_line in
				*" $fp_p") break ;;
				\\*) break ;;
				esac
			done
			eval "fp_i=\$fp_i$fp_k fp_w=\$fp_w$fp_k fp_d=\$fp_d$fp_k fp_l=\$fp_l$fp_k"
			printf 'd %s %s\n' "$fp_i" "$fp_sum"
			if [ "$fp_sum" != "$fp_d" ] && [ "$(wc -c <"$fp_p")" -le "$fp_l" ]; then
				printf 'b %s ' "$fp_i"
				fp_base64 <"$fp_p"
				printf '\n'
			fi
		done <<-EOF
			$fp_sums
		EOF
	fi
	for fp_k in $fp_keyeds; do
		eval "fp_i=\$fp_i$fp_k fp_p=\$fp_p$fp_k"
		printf 'd %s %s\n' "$fp_i" "$(fp_keyed <"$fp_p")"
	done
}

# The facts of all paths. Those that could hang are asked in a child that holds no descriptor of
# ours, and waited for by looking, five seconds at most.
fp_paths() {
	fp_frame begin paths
	fp_paths_now "$fp_near"
	fp_frame end
	[ -n "$fp_far" ] || return 0
	fp_answer=$(mktemp 2>/dev/null) || fp_answer=''
	fp_frame begin paths
	if [ -n "$fp_answer" ]; then
		{
			fp_paths_now "$fp_far" >"$fp_answer" 2>&1
			printf 'complete\n' >>"$fp_answer"
		} <&- >/dev/null 2>&1 &
		fp_tries=0
		while [ "$fp_tries" -lt 50 ] && ! grep -q '^complete$' "$fp_answer"; do
			sleep 0.1 2>/dev/null || sleep 1
			fp_tries=$((fp_tries + 1))
		done
		cat "$fp_answer"
		if ! grep -q '^complete$' "$fp_answer"; then
			for fp_k in $fp_far; do
				eval "fp_i=\$fp_i$fp_k"
				printf 'h %s\n' "$fp_i"
			done
		fi
		rm -f "$fp_answer"
	fi
	fp_frame end
}

fp_mount_points() {
	fp_frame begin mounts
	printf '%s' "$fp_mounted"
	fp_frame end
}

# Properties of the units named, a block each, in their order.
fp_units() {
	fp_frame begin units
	systemctl show --property=LoadState,ActiveState,UnitFileState,NeedDaemonReload -- "$@" 2>&1
	fp_frame end
}

fp_packages() {
	fp_frame begin packages
	# shellcheck disable=SC2016 # dpkg-query's own fields
	dpkg-query --show --showformat='p ${db:Status-Abbrev} ${Package} ${Version}\n' -- "$@" 2>/dev/null
	fp_frame end
}

# INDEX FOLDER PROGRAM-TEXT: a question of a kind's own.
fp_ask() {
	fp_frame begin ask "$1"
	fp_left=0
	if [ -n "$2" ]; then
		fp_within "$2" "$3" </dev/null
	else
		eval "$3" </dev/null
	fi
	fp_status=$?
	printf '\n'
	fp_frame end "$fp_status"
}

# Facts of the machine itself. $1 is the login user as declared.
fp_facts() {
	fp_frame begin facts
	printf 'uid %s\n' "$(id -u)"
	printf 'system %s\n' "$(uname -s)"
	case $1 in
	*[!a-zA-Z0-9._-]*) ;;
	*) eval "printf 'home %s\\n' ~$1" ;;
	esac
	if [ -d /run/systemd/system ]; then
		printf 'init systemd\n'
	else
		printf 'init sysv\n'
	fi
	fp_frame end
}
