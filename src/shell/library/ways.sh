# shellcheck shell=sh
# The ways that paths take: over mounts that can hang and through folders of other users. The paths
# of a probe are divided by them.

# Mount points of file systems that can hang, one a line. Decided from the kernel's text alone:
# touching one could block for ever (measured: test, stat, timeout and its KILL all hang on a dead
# FUSE mount).
fp_hangable() {
	fp_mounts=''
	fp_mounted=''
	[ -r /proc/self/mounts ] || return 0
	while read -r _ fp_point fp_type _; do
		case $fp_point in
		# No declared path has a line break, and an answer must not have one that a user chose.
		*\\012*) ;;
		*\\*) fp_point=$(printf '%b' "$(printf '%s' "$fp_point" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')") ;;
		esac
		fp_mounted="$fp_mounted$fp_point
"
		case $fp_type in
		fuse | fuse.* | fuseblk | nfs | nfs4 | cifs | smb3 | smbfs | 9p | davfs | afs | ceph | autofs)
			fp_mounts="${fp_mounts:-
}$fp_point
"
			;;
		esac
	done </proc/self/mounts
}

# Goes the way of path $1 and sets fp_mount to the first mount point, of those that can hang, that it
# comes to; to nothing when there is none. Nothing behind such a point is touched, nor the point
# itself. Links on the way are followed by their text, a link at the end is not. Calls fp_pass for
# every folder and link on the way; fp_at is where it has come to.
fp_way() {
	fp_mount='' fp_rest=${1#/} fp_at='' fp_links=0
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
		case $fp_mounts in
		*"
$fp_at/$fp_part
"*)
			fp_mount=$fp_at/$fp_part
			return 0
			;;
		esac
		[ -z "$fp_rest" ] || fp_pass "$fp_at/$fp_part"
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

# On the first way, notes that entry $1 is passed; on the second, when it is known whose the entries
# are, sets fp_who to the owner of the first one that is not root's.
fp_pass() {
	if [ -z "$fp_theirs" ]; then
		case $fp_noted in
		*"
$1
"*) return 0 ;;
		esac
		fp_noted="$fp_noted$1
"
		fp_entries=$((fp_entries + 1))
		eval "fp_e$fp_entries=\$1"
	elif [ -z "$fp_who" ]; then
		case $fp_theirs in
		*"
$1	"*)
			fp_who=${fp_theirs#*"
$1	"}
			fp_who=${fp_who%%"
"*}
			;;
		esac
	fi
}

# Forgets what an earlier probe was about.
fp_probe_begin() {
	fp_count=0 fp_groups=0 fp_folder='' fp_entries=0 fp_theirs='' fp_who=''
	fp_noted='
'
	fp_hung='
'
	# Who has just looked at the mounts need not do so again: it costs more than all else here.
	[ -n "$fp_mounts_known" ] || fp_hangable
	fp_mounts_known=''
}

fp_mounts_known=''

# INDEX WANT DIGEST LIMIT PATH QUOTED-PATH. WANT: facts, unless, bytes, keyed.
fp_path() {
	fp_count=$((fp_count + 1))
	eval "fp_i$fp_count=\$1 fp_w$fp_count=\$2 fp_d$fp_count=\$3 fp_l$fp_count=\$4 fp_p$fp_count=\$5 fp_q$fp_count=\$6"
	fp_way_to "$5"
}

# Goes the way to path $1 and sets fp_mount, also when that is where it ends, and fp_who. What lies
# in the same folder as the path before has the same way.
fp_way_to() {
	if [ "$fp_folder" != "${1%/*}/" ]; then
		fp_folder=${1%/*}/ fp_who=''
		fp_way "$fp_folder."
		fp_folder_at=$fp_at fp_folder_mount=$fp_mount
	fi
	fp_mount=$fp_folder_mount
	[ -z "$fp_mount" ] || return 0
	case $fp_mounts in
	*"
$fp_folder_at/${1##*/}
"*) fp_mount=$fp_folder_at/${1##*/} ;;
	esac
}

# Divides the paths: into those that root asks about, those in the folders of each other user, since
# root must not be led by links there nor be kept busy, and each of these by the mount that can hang.
fp_divide() {
	if [ "$fp_self" = 0 ] && [ "$fp_entries" -gt 0 ]; then
		fp_list=''
		fp_k=0
		while [ "$fp_k" -lt "$fp_entries" ]; do
			fp_k=$((fp_k + 1))
			fp_list="$fp_list \"\$fp_e$fp_k\""
		done
		fp_table=$(eval "stat -c '%u %U %n' -- $fp_list" 2>/dev/null)
		while read -r fp_uid fp_user fp_name; do
			case $fp_uid in
			'' | 0) ;;
			*) fp_theirs="$fp_theirs
$fp_name	$fp_user" ;;
			esac
		done <<-EOF
			$fp_table
		EOF
		[ -z "$fp_theirs" ] || fp_theirs="$fp_theirs
"
	fi
	fp_folder=''
	fp_near=''
	fp_k=0
	while [ "$fp_k" -lt "$fp_count" ]; do
		fp_k=$((fp_k + 1))
		if [ -n "$fp_theirs$fp_mounts" ]; then
			eval "fp_p=\$fp_p$fp_k"
			fp_way_to "$fp_p"
		fi
		if [ -z "$fp_mount$fp_who" ]; then
			fp_near="$fp_near $fp_k"
		else
			fp_group
			eval "fp_f$fp_g=\"\$fp_f$fp_g \$fp_k\""
		fi
	done
}

# Sets fp_g to the number of the group of fp_mount and fp_who.
fp_group() {
	fp_g=1
	while [ "$fp_g" -le "$fp_groups" ]; do
		eval "[ \"\$fp_m$fp_g \$fp_u$fp_g\" != \"\$fp_mount \$fp_who\" ]" || return 0
		fp_g=$((fp_g + 1))
	done
	fp_groups=$fp_g
	eval "fp_m$fp_g=\$fp_mount fp_u$fp_g=\$fp_who fp_f$fp_g=''"
}
