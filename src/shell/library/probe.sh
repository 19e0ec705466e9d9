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

# Sets fp_mount to the mount point, of those that can hang, that path $1 lies at or below; to
# nothing when there is none. Links on the way are followed by their text, a link at the end is not.
# Nothing behind such a mount point is touched, nor the point itself.
fp_mount_of() {
	fp_mount=''
	[ -n "$fp_mounts" ] || return 0
	fp_rest=${1#/} fp_at='' fp_links=0
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
		case "
$fp_mounts" in
		*"
$fp_at/$fp_part
"*)
			fp_mount=$fp_at/$fp_part
			return 0
			;;
		esac
		if [ -n "$fp_rest" ] && [ "$fp_links" -lt 40 ] && [ -h "$fp_at/$fp_part" ]; then
			fp_links=$((fp_links + 1))
			fp_target=$(readlink -- "$fp_at/$fp_part")
			fp_rest=$fp_target/$fp_rest
			case $fp_target in /*) fp_at='' ;; esac
		else
			fp_at=$fp_at/$fp_part
		fi
	done
}

fp_count=0
fp_near=''
fp_groups=0
fp_hung=''

# Forgets what an earlier probe was about.
fp_probe_begin() {
	fp_count=0 fp_near='' fp_groups=0 fp_hung=''
	fp_hangable
}

# INDEX WANT DIGEST LIMIT PATH QUOTED-PATH. WANT: facts, unless, bytes, keyed. The paths on each
# file system that can hang are a group of their own.
fp_path() {
	fp_count=$((fp_count + 1))
	eval "fp_i$fp_count=\$1 fp_w$fp_count=\$2 fp_d$fp_count=\$3 fp_l$fp_count=\$4 fp_p$fp_count=\$5 fp_q$fp_count=\$6"
	fp_mount_of "$5"
	if [ -z "$fp_mount" ]; then
		fp_near="$fp_near $fp_count"
		return
	fi
	fp_g=1
	while [ "$fp_g" -le "$fp_groups" ]; do
		eval "[ \"\$fp_m$fp_g\" != \"\$fp_mount\" ]" || break
		fp_g=$((fp_g + 1))
	done
	if [ "$fp_g" -gt "$fp_groups" ]; then
		fp_groups=$fp_g
		eval "fp_m$fp_g=\$fp_mount fp_f$fp_g=''"
	fi
	eval "fp_f$fp_g=\"\$fp_f$fp_g \$fp_count\""
}

# The facts of the paths whose numbers are in $1.
fp_paths_now() {
	fp_all='' fp_files='' fp_keyeds=''
	for fp_k in $1; do
		eval "fp_w=\$fp_w$fp_k fp_p=\$fp_p$fp_k fp_q=\$fp_q$fp_k"
		fp_all="$fp_all $fp_q"
		if [ "$fp_w" != facts ] && [ ! -h "$fp_p" ] && [ -f "$fp_p" ]; then
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
	fp_table="$(eval "stat -c 's %f %u %g %U %G %s %n' -- $fp_all" 2>&1)
"
	printf '%s' "$fp_table"
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
				*"  $fp_p") break ;;
				\\*) break ;;
				esac
			done
			eval "fp_i=\$fp_i$fp_k fp_w=\$fp_w$fp_k fp_d=\$fp_d$fp_k fp_l=\$fp_l$fp_k"
			printf 'd %s %s\n' "$fp_i" "$fp_sum"
			[ "$fp_sum" != "$fp_d" ] || continue
			# The size stands before the name: a process for each file to ask again would cost more
			# than all the rest (measured: 1.3 ms each).
			fp_size=${fp_table%%" $fp_p
"*}
			if [ "${fp_size##* }" -le "$fp_l" ] 2>/dev/null; then
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

# Starts the script $1 in a child that holds no descriptor of ours and may hang for ever; its
# output goes to the file fp_scratch, with a last line `complete`.
fp_apart() {
	fp_scratch
	{
		eval "$1" >"$fp_scratch"
		printf '\ncomplete\n' >>"$fp_scratch"
	} </dev/null >/dev/null 2>&1 &
}

# Waits until the files that follow are complete, by looking, $1 tenths of a second at most. Fails
# when time is over.
fp_await() {
	fp_tries=$1
	shift
	for fp_file; do
		until grep -q '^complete$' "$fp_file"; do
			[ "$fp_tries" -gt 0 ] || return 1
			if sleep 0.1 2>/dev/null; then
				fp_tries=$((fp_tries - 1))
			else
				sleep 1
				fp_tries=$((fp_tries - 10))
			fi
		done
	done
}

# The facts of all paths. Each group that could hang is asked apart, and all of them get five
# seconds.
fp_paths() {
	fp_frame begin paths
	set --
	fp_g=1
	while [ "$fp_g" -le "$fp_groups" ]; do
		eval "fp_apart \"fp_paths_now '\$fp_f$fp_g'\""
		set -- "$@" "$fp_scratch"
		fp_g=$((fp_g + 1))
	done
	fp_paths_now "$fp_near"
	fp_await 50 "$@"
	fp_g=1
	while [ "$fp_g" -le "$fp_groups" ]; do
		cat "$1"
		if ! fp_await 0 "$1"; then
			eval "fp_far=\$fp_f$fp_g fp_mount=\$fp_m$fp_g"
			fp_hung="$fp_hung$fp_mount
"
			printf '\n'
			for fp_k in $fp_far; do
				eval "fp_i=\$fp_i$fp_k"
				printf 'h %s\n' "$fp_i"
			done
		fi
		[ "$1" = /dev/null ] || rm -f -- "$1"
		shift
		fp_g=$((fp_g + 1))
	done
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
	systemctl show --property=LoadState,ActiveState,UnitFileState,NeedDaemonReload,DropInPaths -- "$@" 2>&1
	fp_frame end
}

fp_packages() {
	fp_frame begin packages
	# shellcheck disable=SC2016 # dpkg-query's own fields
	dpkg-query --show --showformat='p ${db:Status-Abbrev} ${Package} ${Version}\n' -- "$@" 2>/dev/null
	fp_frame end
}

# INDEX FOLDER PROGRAM-TEXT: a question of a kind's own. In a folder that could hang it is asked
# apart, and gets twenty seconds.
fp_ask() {
	fp_frame begin ask "$1"
	fp_left=0
	fp_mount=''
	[ -z "$2" ] || fp_mount_of "$2/."
	if [ -n "$fp_mount" ]; then
		fp_ask_apart "$2" "$3"
	elif [ -n "$2" ]; then
		fp_within "$2" "$3" </dev/null
	else
		eval "$3" </dev/null
	fi
	fp_status=$?
	printf '\n'
	fp_frame end "$fp_status"
}

# FOLDER PROGRAM-TEXT, the folder being behind mount point fp_mount.
fp_ask_apart() {
	case "
$fp_hung" in
	*"
$fp_mount
"*) ;;
	*)
		fp_folder=$1 fp_question=$2
		# shellcheck disable=SC2016 # expanded apart
		fp_apart 'fp_within "$fp_folder" "$fp_question"; printf "\n%s" "$?"'
		if fp_await 200 "$fp_scratch"; then
			fp_status=$(tail -n 2 "$fp_scratch" | head -n 1)
			sed -e '$d' "$fp_scratch" | sed -e '$d' | sed -e '${' -e '/^$/d' -e '}'
			rm -f -- "$fp_scratch"
			return "$fp_status"
		fi
		fp_hung="$fp_hung$fp_mount
"
		[ "$fp_scratch" = /dev/null ] || rm -f -- "$fp_scratch"
		;;
	esac
	printf '%s does not answer: the file system it is on hangs\n' "$1"
	return 1
}

# Facts of the machine itself. $1 is the login user as declared.
fp_facts() {
	fp_frame begin facts
	printf 'uid %s\n' "$fp_self"
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
