# shellcheck shell=sh
# Keeps what a step is about to change, so that it can be put back.
#
# Below the run's folder the file before/INDEX.N holds the N-th thing that step INDEX touches: a line
# that names it, a line of words that say how it is, and its content. The file `after` has a line
# INDEX N WORDS for each, of how the step left it.

# The most that is kept of one file and in one run, in bytes.
fp_keep_most=8388608
fp_keep_all=67108864
fp_kept_bytes=0
# Whether each is flushed before its step begins: where a revert has to find it after a crash.
fp_keep_durable=''

# Sets fp_quoted to $1 as one word of a program's text.
fp_quote() {
	fp_rest=$1 fp_quoted=''
	while :; do
		case $fp_rest in
		*\'*) fp_quoted="$fp_quoted${fp_rest%%\'*}'\\''" fp_rest=${fp_rest#*\'} ;;
		*) break ;;
		esac
	done
	fp_quoted="'$fp_quoted$fp_rest'"
}

# Sets fp_folder to the folder that path $1 is in.
fp_folder_of() {
	fp_folder=${1%/*}
	fp_folder=${fp_folder:-/}
}

# As fp_whose for the folder that path $1 is in, which becomes fp_folder. What was found for the path before
# holds for the next one in the same folder, as long as nothing but files came and went: of those who are
# not root nobody can change a way that is root's alone.
fp_known_folder='' fp_known_who=''
fp_folder_whose() {
	fp_folder_of "$1"
	if [ "$fp_folder" = "$fp_known_folder" ]; then
		fp_who=$fp_known_who
		return 0
	fi
	fp_known_folder=''
	fp_whose "$fp_folder" 2>/dev/null || return 1
	fp_known_folder=$fp_folder fp_known_who=$fp_who
}

# Forgets it when words $1 are not those of a file.
fp_folder_known() {
	case $1 in file* | absent | unkept*) ;; *) fp_known_folder='' ;; esac
}

# Runs program text $2 as user $1, who may not keep us waiting.
fp_act_soon() {
	! command -v timeout >/dev/null || fp_limit='timeout -s KILL 20'
	fp_left=0
	fp_act "$1" "$2" </dev/null
	fp_status=$?
	fp_limit=''
	return "$fp_status"
}

# Sets fp_now to how path $1 is, in words of one line: file MODE USER GROUP DIGEST, directory MODE USER
# GROUP, link USER GROUP TARGET (in base64), other, absent.
fp_path_words() {
	if [ -h "$1" ]; then
		fp_now="link $(stat -c '%u %g' -- "$1") $(readlink -n -- "$1" | fp_base64)"
	elif [ -f "$1" ]; then
		fp_digest=$(sha256sum <"$1") || fp_digest=unreadable
		fp_now="file $(stat -c '%a %u %g' -- "$1") ${fp_digest%% *}"
	elif [ -d "$1" ]; then
		fp_now="directory $(stat -c '%a %u %g' -- "$1")"
	elif [ -e "$1" ]; then
		fp_now=other
	else
		fp_now=absent
	fi
}

# Prints what is kept of path $1: its words, of a file with its size instead of the digest, and the content.
fp_path_image() {
	if [ -h "$1" ] || [ ! -f "$1" ]; then
		fp_path_words "$1"
		printf '%s\n' "$fp_now"
		return
	fi
	# shellcheck disable=SC2046 # four numbers
	set -- "$1" $(stat -c '%s %a %u %g' -- "$1")
	if [ $# -lt 5 ] || [ ! -r "$1" ]; then
		printf 'unkept it cannot be read\n'
	elif [ "$2" -gt "$fp_keep_most" ]; then
		printf 'unkept it has %s bytes, more than are kept\n' "$2"
	else
		printf 'file %s %s %s %s\n' "$3" "$4" "$5" "$2" && head -c "$2" <"$1"
	fi
}

# Sets fp_now to unit and whether unit $1 is enabled and runs: unit enabled|disabled|OTHER active|inactive.
fp_unit_words() {
	fp_now='unkept there is no systemd'
	[ -d /run/systemd/system ] || return 0
	fp_enabled=disabled fp_active=inactive
	fp_table=$(systemctl show --property=UnitFileState,ActiveState -- "$1" 2>&1 </dev/null) || return 0
	while IFS= read -r fp_line; do
		case $fp_line in
		UnitFileState= | UnitFileState=bad | UnitFileState=transient) ;;
		UnitFileState=enabled-runtime) fp_enabled=enabled ;;
		UnitFileState=*) fp_enabled=${fp_line#*=} ;;
		ActiveState=active | ActiveState=activating | ActiveState=reloading | ActiveState=refreshing) fp_active=active ;;
		esac
	done <<-EOT
		$fp_table
	EOT
	fp_now="unit ${fp_enabled%% *} $fp_active"
}

# Sets fp_tab to the crontab of user $1 and a dot, which keeps its last line ending; to nothing when there
# is none. Fails when that cannot be told.
fp_tab_read() {
	fp_tab=''
	command -v crontab >/dev/null 2>&1 || return 0
	fp_tab=$(fp_crontab_get "$1" 2>/dev/null && printf .) && return 0
	[ $? = 4 ]
}

# Sets fp_now to how thing $1 is: path:PATH as fp_path_words, unit:NAME as fp_unit_words, crontab:USER as
# crontab DIGEST or crontab absent; to unkept and the reason when it cannot be told.
fp_thing_words() {
	case $1 in
	path:*)
		if ! fp_folder_whose "${1#path:}"; then
			fp_now='unkept the way to it is not safe'
		elif [ -z "$fp_who" ]; then
			fp_path_words "${1#path:}"
		else
			fp_quote "${1#path:}"
			fp_now=$(fp_act_soon "$fp_who" "fp_path_words $fp_quoted
printf '%s\\n' \"\$fp_now\"" | head -c 8192 | head -n 1)
			[ -n "$fp_now" ] || fp_now='unkept its owner does not let us look'
		fi
		;;
	unit:*) fp_unit_words "${1#unit:}" ;;
	crontab:*)
		if ! fp_tab_read "${1#crontab:}"; then
			fp_now='unkept it cannot be read'
		elif [ -z "$fp_tab" ]; then
			fp_now='crontab absent'
		else
			fp_digest=$(printf '%s' "${fp_tab%.}" | sha256sum)
			fp_now="crontab ${fp_digest%% *}"
		fi
		;;
	*) fp_now='unkept nothing is known of such things' ;;
	esac
}

# Prints what is kept of thing $1.
fp_thing_image() {
	case $1 in
	path:*)
		if ! fp_folder_whose "${1#path:}"; then
			printf 'unkept the way to it is not safe\n'
		elif [ -z "$fp_who" ]; then
			fp_path_image "${1#path:}"
		else
			fp_quote "${1#path:}"
			fp_act_soon "$fp_who" "fp_path_image $fp_quoted" | head -c "$((fp_keep_most + 8192))"
		fi
		;;
	crontab:*)
		if ! fp_tab_read "${1#crontab:}"; then
			printf 'unkept it cannot be read\n'
		elif [ -z "$fp_tab" ]; then
			printf 'crontab absent\n'
		else
			printf 'crontab %s\n%s' "$(printf '%s' "${fp_tab%.}" | wc -c)" "${fp_tab%.}"
		fi
		;;
	*)
		fp_thing_words "$1"
		printf '%s\n' "$fp_now"
		;;
	esac
}

# THING...: keeps what step fp_index is about to change. Fails when that cannot be written down.
fp_keep_last=-1
fp_keep() {
	# A step in between may have changed anything.
	[ "$fp_index" = "$((fp_keep_last + 1))" ] || fp_known_folder=''
	fp_keep_last=$fp_index fp_n=0
	for fp_thing; do
		fp_n=$((fp_n + 1))
		fp_image=$fp_run/before/$fp_index.$fp_n
		umask 077
		{ printf '%s\n' "$fp_thing" && fp_thing_image "$fp_thing"; } >"$fp_image"
		fp_status=$?
		umask 022
		if [ "$fp_status" = 0 ]; then
			fp_keep_bounded && fp_keep_flushed && continue
		fi
		# A shell says no more than that it failed, cat has the system's word.
		printf '%s\n' "$fp_thing" | cat >"$fp_image"
		# Half of it would only take the room that is missing.
		printf '%s\nunkept there was no room for it, so nothing was changed\n' "$fp_thing" 2>/dev/null >"$fp_image"
		printf 'nothing was changed, because what is there could not be kept (%s)\n' "$fp_thing" >&2
		return 1
	done
}

# Lets go of the content of image fp_image when the run keeps too much.
fp_keep_bounded() {
	{ IFS= read -r _ && read -r fp_was _ _ _ fp_size; } <"$fp_image" || return 1
	fp_folder_known "$fp_was"
	[ "$fp_was" = file ] || return 0
	case $fp_size in '' | *[!0-9]*) fp_size=$fp_keep_most ;; esac
	if [ "$((fp_kept_bytes + fp_size))" -gt "$fp_keep_all" ]; then
		printf '%s\nunkept this run keeps too much already\n' "$fp_thing" >"$fp_image"
	else
		fp_kept_bytes=$((fp_kept_bytes + fp_size))
	fi
}

fp_keep_flushed() {
	[ -z "$fp_keep_durable" ] || sync -- "$fp_image" "$fp_run/before" 2>/dev/null || sync
}

# STATUS THING...: notes how step fp_index left what it touched, however it ended. Gives STATUS.
fp_kept_after() {
	fp_kept=$1
	shift
	fp_n=0
	umask 077
	for fp_thing; do
		fp_n=$((fp_n + 1))
		fp_thing_words "$fp_thing"
		fp_folder_known "$fp_now"
		printf '%s %s %s\n' "$fp_index" "$fp_n" "$fp_now" >>"$fp_run/after"
	done
	umask 022
	return "$fp_kept"
}

# Prints the content that image $1 holds.
fp_image_content() {
	{ IFS= read -r _ && IFS= read -r _ && cat; } <"$1"
}

# Reads image $1: sets fp_thing, and fp_was to how that was, in the words of fp_thing_words; fp_line to the
# words as they are kept. What was cut or damaged is as good as not kept.
fp_image_read() {
	fp_thing='' fp_was='unkept nothing is kept of it' fp_line=''
	[ -f "$1" ] || return 0
	{ IFS= read -r fp_thing && IFS= read -r fp_line; } <"$1" || fp_line=''
	case $fp_line in
	file\ * | crontab\ [0-9]*)
		fp_size=${fp_line##* }
		if [ "$(fp_image_content "$1" | wc -c)" -eq "$fp_size" ] 2>/dev/null; then
			fp_digest=$(fp_image_content "$1" | sha256sum)
			fp_was="${fp_line% *} ${fp_digest%% *}"
		else
			fp_was='unkept what is kept of it is damaged'
		fi
		;;
	'') fp_was='unkept what is kept of it is damaged' ;;
	*) fp_was=$fp_line ;;
	esac
}

# Sets fp_left_as to how step $2 of the run in folder $1 left its thing $3, or to nothing when it did not
# come to say so.
fp_left_by() {
	fp_left_as=''
	[ -f "$1/after" ] || return 0
	while IFS= read -r fp_line; do
		case $fp_line in "$2 $3 "*) fp_left_as=${fp_line#"$2 $3 "} ;; esac
	done <"$1/after"
}

# PATH file MODE USER GROUP DIGEST SIZE | directory MODE USER GROUP | link USER GROUP TARGET | absent:
# makes the path so, whatever is there; a file's content is on the stream.
fp_path_back() {
	fp_path_words "$1"
	[ "$fp_now" != "$2${3:+ $3}${4:+ $4}${5:+ $5}${6:+ $6}" ] || return 0
	case $2/$fp_now in
	directory/directory* | */absent) ;;
	*/directory*)
		if ! rmdir -- "$1" 2>/dev/null; then
			fp_refuse "$1 has something in it that the run did not put there"
			return
		fi
		;;
	directory/*) rm -f -- "$1" || return 1 ;;
	esac
	fp_state "$1" plain
	# All four digits, or a folder would keep the bits it has from the one above.
	fp_bits=${3-}
	while [ "${#fp_bits}" -lt 4 ]; do fp_bits=0$fp_bits; done
	case $2 in
	file) fp_write "$1" "$fp_now" plain "$4" "$5" "$fp_bits" "$7" "$6" ;;
	directory)
		if [ "$fp_now" = absent ]; then
			fp_directory "$1" absent "$4" "$5" "$fp_bits"
		else
			fp_attributes "$1" "$fp_now" none "$4" "$5" "$fp_bits"
		fi
		;;
	link)
		fp_target=$(printf '%s' "$5" | base64 -d && printf .) || return 1
		fp_link "$1" "$fp_now" "${fp_target%.}" "$3" && chown -h -- "$3:$4" "$1"
		;;
	absent) [ "$fp_now" = absent ] || rm -f -- "$1" ;;
	*)
		printf '%s was no file, folder or link\n' "$1" >&2
		return 1
		;;
	esac
}

# Puts back the path that image $1 is of.
fp_path_restore() {
	fp_quote "${fp_thing#path:}"
	fp_folder_of "${fp_thing#path:}"
	# In words of their own, none of which means anything to a shell: the target of a link is in base64.
	case $fp_was in *[!a-zA-Z0-9+/=\ ]*) return 1 ;; esac
	fp_words="fp_path_back $fp_quoted $fp_was"
	fp_left=0
	case $fp_was in
	file\ *)
		fp_left=${fp_line##* }
		fp_words="$fp_words $fp_left"
		;;
	esac
	fp_image_content "$1" | {
		fp_within "$fp_folder" "$fp_words"
		fp_status=$?
		cat >/dev/null
		exit "$fp_status"
	}
	fp_status=$?
	fp_left=0
	return "$fp_status"
}

# Puts back the crontab that image $1 is of.
fp_tab_restore() {
	fp_thing_words "$fp_thing"
	if [ "$fp_now" = "$fp_was" ]; then
		return 0
	elif [ "$fp_was" = 'crontab absent' ]; then
		fp_crontab_drop "${fp_thing#crontab:}"
	else
		fp_image_content "$1" | fp_crontab_set "${fp_thing#crontab:}"
	fi
}

# Makes the unit of an image as it was, as far as it has to stop ($1 is stop) or to start ($1 is start).
fp_unit_restore() {
	fp_unit=${fp_thing#unit:}
	fp_unit_words "$fp_unit"
	case $1/$fp_was/$fp_now in
	stop/*\ inactive/*\ active) systemctl stop -- "$fp_unit" </dev/null || return 1 ;;
	start/*\ active/*\ inactive)
		systemctl reset-failed -- "$fp_unit" 2>/dev/null </dev/null
		systemctl start -- "$fp_unit" </dev/null || return 1
		;;
	esac
	case $1/$fp_was/$fp_now in
	stop/unit\ disabled\ */unit\ enabled\ *) systemctl --quiet disable -- "$fp_unit" </dev/null ;;
	start/unit\ enabled\ */unit\ disabled\ *) systemctl --quiet enable -- "$fp_unit" </dev/null ;;
	esac
}

# RUN-FOLDER INDEX: puts back everything that step INDEX of a run touched to what it was before it,
# without a look at what has happened since. What is so already is left alone, and so is what the step
# left as it was. What runs is stopped
# first, and started last; what was not there goes before the folder it is in, and what was there comes
# after it. Things whose numbers are in fp_back_kept stay as they are. Goes on after a failure, and fails in
# the end.
fp_back_kept=' '
fp_put_back() {
	fp_back=0 fp_reload='' fp_order=''
	set -- "$1" "$2" 0
	if [ ! -d "$1/before" ]; then
		printf 'what was there before is not kept any more\n' >&2
		return 1
	fi
	while [ -e "$1/before/$2.$(($3 + 1))" ]; do
		set -- "$1" "$2" "$(($3 + 1))"
		case $fp_back_kept in *" $3 "*) continue ;; esac
		fp_image_read "$1/before/$2.$3"
		fp_left_by "$1" "$2" "$3"
		[ "$fp_was" != "$fp_left_as" ] || continue
		fp_put_back_unit stop
		case $fp_thing/$fp_was in
		unit:*) ;;
		*/absent) fp_order="$fp_order-${#fp_thing} $3
" ;;
		*) fp_order="$fp_order${#fp_thing} $3
" ;;
		esac
	done
	for fp_step_thing in $(printf '%s' "$fp_order" | sort -n | cut -d ' ' -f 2); do
		fp_put_back_thing "$1/before/$2.$fp_step_thing"
	done
	if [ -n "$fp_reload" ] && [ -d /run/systemd/system ]; then
		systemctl daemon-reload </dev/null || fp_back=1
	fi
	set -- "$1" "$2" "$3" 0
	while [ "$4" -lt "$3" ]; do
		set -- "$1" "$2" "$3" "$(($4 + 1))"
		case $fp_back_kept in *" $4 "*) continue ;; esac
		fp_image_read "$1/before/$2.$4"
		fp_left_by "$1" "$2" "$4"
		[ "$fp_was" = "$fp_left_as" ] || fp_put_back_unit start
	done
	return "$fp_back"
}

# IMAGE of what is no unit
fp_put_back_thing() {
	fp_image_read "$1"
	case $fp_thing/$fp_was in
	*/unkept*)
		printf '%s stays as it is: %s\n' "${fp_thing#*:}" "${fp_was#unkept }" >&2
		fp_back=1
		;;
	path:*)
		case $fp_thing in path:*/systemd/*) fp_reload=yes ;; esac
		fp_path_restore "$1" || fp_back=$?
		;;
	crontab:*) fp_tab_restore "$1" || fp_back=1 ;;
	*) fp_back=1 ;;
	esac
}

# stop|start, of the unit of an image that was read
fp_put_back_unit() {
	case $fp_thing/$fp_was in
	unit:*/unkept*)
		[ "$1" = stop ] || return 0
		printf '%s stays as it is: %s\n' "${fp_thing#*:}" "${fp_was#unkept }" >&2
		fp_back=1
		;;
	unit:*) fp_unit_restore "$1" || fp_back=1 ;;
	esac
}

# STATE: of the runs in folder STATE, the newest first by the machine's own file times, those after the
# hundredth go, and those after the twentieth, older than ninety days or beyond 64 MiB in all keep nothing
# of what was before them. The last run (fp_last) is left alone, and all are while a revert is armed.
fp_keep_clean() {
	if [ ! -d "$1/runs" ] || [ -e "$1/guard/armed" ]; then return 0; fi
	fp_old=$(find "$1/runs" -mindepth 2 -maxdepth 2 -name run -mtime +90)
	fp_sizes=$(du -sk -- "$1"/runs/*/before 2>/dev/null)
	fp_count=0 fp_sum=0
	fp_table=$(ls -1t -- "$1"/runs/*/run 2>/dev/null)
	while IFS= read -r fp_name; do
		[ -n "$fp_name" ] || continue
		fp_name=${fp_name%/run}
		# A run without steps only wrote the record, and is nothing to go back to.
		fp_word=''
		{ read -r fp_word && read -r fp_word; } 2>/dev/null <"$fp_name/progress"
		[ "$fp_word" = end ] || fp_count=$((fp_count + 1))
		[ "$fp_name" != "$1/runs/$fp_last" ] || continue
		if [ "$fp_word" = end ]; then
			rm -rf -- "$fp_name"
			continue
		fi
		if [ "$fp_count" -ge 100 ]; then
			rm -rf -- "$fp_name"
			continue
		fi
		case $fp_sizes in
		*"	$fp_name/before"*)
			fp_size=${fp_sizes%%"	$fp_name/before"*}
			fp_sum=$((fp_sum + ${fp_size##*[!0-9]}))
			;;
		*) continue ;;
		esac
		case $fp_old in *"$fp_name/run"*) fp_sum=65537 ;; esac
		if [ "$fp_count" -ge 20 ] || [ "$fp_sum" -gt 65536 ]; then
			rm -rf -- "$fp_name/before"
		fi
	done <<-EOT
		$fp_table
	EOT
	# A run that was cut before it was written down has changed nothing.
	for fp_name in "$1"/runs/*; do
		[ -e "$fp_name/run" ] || [ "$fp_name" = "$1/runs/$fp_last" ] || rm -rf -- "$fp_name"
	done
}
