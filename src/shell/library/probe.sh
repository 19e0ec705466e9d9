# shellcheck shell=sh
# Answers questions in batches: one stat and one sha256sum for all paths, one systemctl for all
# units, one dpkg-query for all packages.

# The facts of the paths whose numbers are in $1.
fp_paths_now() {
	fp_all='' fp_files='' fp_keyeds=''
	for fp_k in $1; do
		eval "fp_w=\$fp_w$fp_k fp_p=\$fp_p$fp_k"
		fp_all="$fp_all \"\$fp_p$fp_k\""
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
		fp_list="$fp_list \"\$fp_p$fp_k\""
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

# The program that answers for the paths whose numbers are in $1, for another user's shell.
fp_paths_text() {
	for fp_k in $1; do
		eval "set -- \"\$1\" \"\$fp_i$fp_k\" \"\$fp_w$fp_k\" \"\$fp_d$fp_k\" \"\$fp_l$fp_k\" \"\$fp_q$fp_k\""
		printf "fp_i$fp_k=%s fp_w$fp_k=%s fp_d$fp_k=%s fp_l$fp_k=%s fp_p$fp_k=%s\n" "$2" "$3" "$4" "$5" "$6"
	done
	printf "fp_paths_now '%s'\nprintf 'answered\\\\n'\n" "$1"
}

# The facts of the paths of group $1.
fp_group_now() {
	eval "fp_list=\$fp_f$1 fp_who=\$fp_u$1"
	if [ -z "$fp_who" ]; then
		fp_paths_now "$fp_list"
	else
		fp_act "$fp_who" "$(fp_paths_text "$fp_list")"
	fi
}

# Starts the script $1 in a child that holds no descriptor of ours and may hang for ever; its
# output goes to the file fp_scratch, with a last line `complete`. What it does as another user is
# ended after twenty seconds.
fp_apart() {
	fp_scratch
	{
		fp_left=0
		! command -v timeout >/dev/null || fp_limit='timeout -s KILL 20'
		eval "$1" >"$fp_scratch"
		printf '\ncomplete\n' >>"$fp_scratch"
	} </dev/null >/dev/null 2>&1 &
}

# Waits until the file $2 is complete, by looking, $1 tenths of a second at most, counted by fp_tries
# for all of them. Fails when time is over.
fp_await() {
	fp_looks=0
	until grep -q '^complete$' "$2"; do
		[ "$fp_tries" -lt "$1" ] || return 1
		fp_looks=$((fp_looks + 1))
		if [ "$fp_looks" -le 25 ] && sleep 0.02 2>/dev/null; then
			# Most are complete at once; these looks are too short to count.
			:
		elif sleep 0.1 2>/dev/null; then
			fp_tries=$((fp_tries + 1))
		else
			sleep 1
			fp_tries=$((fp_tries + 10))
		fi
	done
}

# The facts of all paths. Each group that could hang or belongs to another user is asked apart; what
# could hang gets five seconds, the others what it takes to end them.
fp_paths() {
	fp_divide
	set --
	fp_g=1
	while [ "$fp_g" -le "$fp_groups" ]; do
		fp_apart "fp_group_now $fp_g"
		set -- "$@" "$fp_scratch"
		fp_g=$((fp_g + 1))
	done
	fp_frame begin paths
	fp_paths_now "$fp_near"
	fp_frame end
	fp_tries=0
	fp_g=1
	while [ "$fp_g" -le "$fp_groups" ]; do
		eval "fp_mount=\$fp_m$fp_g fp_who=\$fp_u$fp_g fp_far=\$fp_f$fp_g"
		fp_group_answer "$1"
		[ "$1" = /dev/null ] || rm -f -- "$1"
		shift
		fp_g=$((fp_g + 1))
	done
}

# Prints what is in the file $1, the answer for the paths fp_far, or that there is none.
fp_group_answer() {
	fp_numbers=''
	for fp_k in $fp_far; do
		eval "fp_numbers=\"\$fp_numbers \$fp_i$fp_k\""
	done
	if [ -n "$fp_mount" ] && ! fp_await 50 "$1"; then
		fp_hung="$fp_hung$fp_mount
"
		fp_frame silent hung "$fp_numbers"
	elif [ "$fp_who" = UNKNOWN ]; then
		fp_frame silent orphan "$fp_numbers"
	elif [ -n "$fp_who" ] && { ! fp_await 250 "$1" || ! grep -q '^answered$' "$1"; }; then
		fp_frame silent late "$fp_who" "$fp_numbers"
	elif [ -n "$fp_who" ]; then
		fp_teams=$(id -Gn -- "$fp_who" 2>/dev/null | tr ' ' ',')
		fp_frame acting "$fp_who" "${fp_teams:--}" "$fp_numbers"
		fp_frame begin theirs "$fp_numbers"
		fp_foreign <"$1"
		fp_frame end
	else
		fp_frame begin paths
		cat "$1"
		fp_frame end
	fi
}

# Standard input as lines that cannot be taken for frames: another user's process wrote them, and the
# nonce stands among the arguments of ours, for everybody to see.
fp_foreign() {
	sed -e 's/^/u /'
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

# INDEX FOLDER PROGRAM-TEXT: a question of a kind's own. In a folder that could hang, or as another
# user, it is asked apart.
fp_ask() {
	fp_left=0 fp_mount='' fp_who=''
	if [ -n "$2" ]; then
		fp_way "$2/."
		if [ -z "$fp_mount" ] && ! fp_why=$(fp_whose "$2" 2>&1); then
			fp_frame begin ask "$1"
			printf '%s\n\n' "$fp_why"
			fp_frame end 1
			return
		fi
		[ -n "$fp_mount" ] || fp_whose "$2"
	fi
	if [ -n "$fp_mount$fp_who" ]; then
		fp_frame begin ask "$1" theirs
		fp_ask_apart "$2" "$3"
	else
		fp_frame begin ask "$1"
		eval "$3" </dev/null
	fi
	fp_status=$?
	printf '\n'
	fp_frame end "$fp_status"
}

# FOLDER PROGRAM-TEXT, the folder being behind mount point fp_mount or another user's, fp_who.
fp_ask_apart() {
	case $fp_hung in
	*"
$fp_mount
"*) ;;
	*)
		fp_folder=$1 fp_question=$2
		# shellcheck disable=SC2016 # expanded apart
		fp_apart 'fp_within "$fp_folder" "$fp_question"; printf "\n%s" "$?"'
		fp_tries=0
		if fp_await 250 "$fp_scratch"; then
			fp_status=$(tail -n 2 "$fp_scratch" | head -n 1)
			sed -e '$d' "$fp_scratch" | sed -e '$d' | sed -e '${' -e '/^$/d' -e '}' | fp_foreign
			[ "$fp_status" != 137 ] || printf 'u %s could not be looked at in time as %s\n' "$1" "$fp_who"
			rm -f -- "$fp_scratch"
			return "$fp_status"
		fi
		[ -z "$fp_mount" ] || fp_hung="$fp_hung$fp_mount
"
		[ "$fp_scratch" = /dev/null ] || rm -f -- "$fp_scratch"
		;;
	esac
	printf 'u %s does not answer: the file system it is on hangs\n' "$1"
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
	if [ -r /etc/ssh/sshd_config ]; then
		# As much as a setting may have, and of so many lines.
		sed -n 's/^[[:space:]]*\(authorized[a-z]*\|trustedusercakeys\)\([[:space:]=].\{1,300\}\)$/sshd \1\2/Ip' \
			/etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | head -n 40
	fi
	fp_frame end
}
