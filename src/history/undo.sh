# shellcheck shell=sh
# Putting a past run back.

# Replaces the digest in words $1 when fp_sealed says that it is a secret's: by one that nobody without
# fp_salt can make, so that it can be compared and tells nothing. Sets fp_words.
fp_masked() {
	fp_words=$1
	case $fp_sealed/$1 in
	yes/file\ * | yes/crontab\ *)
		fp_digest=$(printf '%s %s' "$fp_salt" "${1##* }" | sha256sum)
		fp_words="${1% *} ${fp_digest%% *}"
		;;
	esac
}

# STATE RUN: everything about run RUN that is needed to put it back: its document and progress in base64,
# and for each thing that was kept a line `thing INDEX N NAME`, how it was (`was`), how it was left
# (`left`) and how it is (`now`), in the words of fp_thing_words.
fp_past_run() {
	read -r fp_boot </proc/sys/kernel/random/boot_id && printf 'boot %s\n' "$fp_boot"
	[ -e "$1/runs/$2/run" ] || return 0
	fp_state_safe "$1" || return 1
	set -- "$1/runs/$2" -1 0
	fp_state_file run "$1/run"
	fp_state_file progress "$1/progress"
	[ -d "$1/before" ] || return 0
	printf 'kept\n'
	read -r fp_salt </proc/sys/kernel/random/uuid
	while IFS= read -r fp_step_line; do
		case $fp_step_line in '{"id":'*) ;; *) continue ;; esac
		fp_sealed=yes
		case $fp_step_line in
		*'"sealed"'*) ;;
		*'"applied"'*) fp_sealed=no ;;
		esac
		set -- "$1" "$(($2 + 1))" 1
		while [ -e "$1/before/$2.$3" ]; do
			fp_past_thing "$1" "$2" "$3"
			set -- "$1" "$2" "$(($3 + 1))"
		done
	done <"$1/run"
}

# RUN-FOLDER INDEX N
fp_past_thing() {
	fp_image_read "$1/before/$2.$3"
	printf 'thing %s %s %s\n' "$2" "$3" "$fp_thing"
	fp_masked "$fp_was"
	printf 'was %s %s %s\n' "$2" "$3" "$fp_words"
	fp_left_by "$1" "$2" "$3"
	if [ -n "$fp_left_as" ]; then
		fp_masked "$fp_left_as"
		printf 'left %s %s %s\n' "$2" "$3" "$fp_words"
	fi
	fp_thing_words "$fp_thing"
	fp_masked "$fp_now"
	printf 'now %s %s %s\n' "$2" "$3" "$fp_words"
}

# STATE RUN LIMIT INDEX.N...: what is kept of things of run RUN (`was`) and what is there (`now`): words, a
# line end and content, in base64; of no more than LIMIT bytes each.
fp_past_texts() {
	fp_past=$1/runs/$2 fp_most=$3
	shift 3
	for fp_past_place; do
		fp_image_read "$fp_past/before/$fp_past_place"
		[ -n "$fp_thing" ] || continue
		printf 'was %s %s\n' "$fp_past_place" "$({ IFS= read -r _ && head -c "$fp_most"; } <"$fp_past/before/$fp_past_place" | fp_base64)"
		printf 'now %s %s\n' "$fp_past_place" "$(fp_thing_image "$fp_thing" | head -c "$fp_most" | fp_base64)"
	done
}

# STATE RUN INDEX [N=WORDS | N-]...: puts back step INDEX of run RUN when each thing it touched is as that
# step left it, or as WORDS say of the N-th one. What is as it was before already, what the step left as it
# was, and the N-th one with N-, which another step of the run puts back, is left alone.
fp_undo() {
	fp_back_kept=' '
	fp_undo_step "$@"
	fp_status=$?
	fp_back_kept=' '
	return "$fp_status"
}

fp_undo_step() {
	fp_past=$1/runs/$2 fp_past_place=$3
	shift 3
	fp_n=1
	while [ -e "$fp_past/before/$fp_past_place.$fp_n" ]; do
		fp_left_by "$fp_past" "$fp_past_place" "$fp_n"
		for fp_doubt; do
			case $fp_doubt in
			"$fp_n="*) fp_left_as=${fp_doubt#*=} ;;
			"$fp_n-")
				fp_back_kept="$fp_back_kept$fp_n "
				fp_n=$((fp_n + 1))
				continue 2
				;;
			esac
		done
		fp_image_read "$fp_past/before/$fp_past_place.$fp_n"
		fp_thing_words "$fp_thing"
		case $fp_was in
		"$fp_now" | "$fp_left_as") ;;
		unkept*)
			fp_refuse "${fp_thing#*:} cannot be put back: ${fp_was#unkept }"
			return
			;;
		*)
			if [ "$fp_now" != "$fp_left_as" ]; then
				fp_refuse "${fp_thing#*:} has changed since it was looked at"
				return
			fi
			;;
		esac
		fp_n=$((fp_n + 1))
	done
	fp_put_back "$fp_past" "$fp_past_place"
}

# UNIT: restarts it, when it runs.
fp_undo_restart() {
	systemctl --no-ask-password try-restart -- "$1" </dev/null
}
