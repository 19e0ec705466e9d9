# shellcheck shell=sh
# Walks the steps of a plan. A step whose needs have failed is skipped, its payload read past.

fp_bad=' '
fp_barred=' '
fp_output=/dev/null
# Why guarded steps, those from fp_guard_first on, are refused (guard.sh).
fp_guard_off=''

fp_apply_begin() {
	fp_scratch
	fp_output=$fp_scratch
	trap 'fp_apply_tidy; exit 1' TERM
	fp_bad=' '
	fp_barred=' '
	fp_frame begin apply
}

fp_apply_end() {
	fp_apply_tidy
	trap - TERM
	fp_frame end
}

fp_apply_tidy() {
	[ "$fp_output" = /dev/null ] || rm -f -- "$fp_output"
}

# INDEX...: these steps are not made, and have no payload on the stream.
fp_bar() {
	fp_barred="$fp_barred$* "
}

# Waits until the other machines are through that the next steps wait for. Words of sixteen bytes come
# meanwhile, so that a controller that has vanished is noticed (fp_watch): wait, and in the end go, behind
# which a line names the steps that are not made.
fp_hold() {
	fp_frame hold
	while :; do
		fp_word=$(fp_take 16)
		case $fp_word in
		wait*) ;;
		go*)
			read -r fp_rest
			[ -z "$fp_rest" ] || fp_bar "$fp_rest"
			return
			;;
		*)
			# The controller is gone, and nobody answers for the steps that are left.
			fp_apply_tidy
			exit 1
			;;
		esac
	done
}

# INDEX BYTES NEEDED-INDEX...: whether the step may be made.
fp_step() {
	fp_index=$1
	fp_total=$2
	shift 2
	case $fp_barred in
	*" $fp_index "*)
		fp_bad="$fp_bad$fp_index "
		fp_note "$fp_index" skipped
		fp_frame step "$fp_index" left-out
		return 1
		;;
	esac
	for fp_need; do
		case $fp_bad in
		*" $fp_need "*)
			fp_bad="$fp_bad$fp_index "
			fp_left=$fp_total
			fp_drain
			fp_note "$fp_index" skipped
			fp_frame step "$fp_index" skipped "$fp_need"
			return 1
			;;
		esac
	done
	if [ -n "$fp_guard_off" ] && [ "$fp_index" -ge "$fp_guard_first" ]; then
		fp_bad="$fp_bad$fp_index "
		fp_left=$fp_total
		fp_drain
		fp_note "$fp_index" refused
		fp_frame step "$fp_index" refused 3 "$(printf '%s' "$fp_guard_off" | fp_base64)"
		return 1
	fi
	# What nobody could tell afterwards is not begun.
	if ! fp_note "$fp_index" started && ! fp_why=$(printf '%s started\n' "$fp_index" | cat 2>&1 >>"$fp_progress"); then
		printf 'it could not be written down that it is begun: %s\n' "$fp_why" >"$fp_output"
		fp_stepped 1
		return 1
	fi
	# When nobody hears it, the controller is gone, and nobody answers for the steps that are left.
	if ! fp_frame step "$fp_index" started 2>/dev/null; then
		fp_apply_tidy
		exit 1
	fi
}

# STATUS BYTES: after an operation that had so many bytes of payload.
fp_operated() {
	fp_drain
	fp_total=$((fp_total - $2))
	return "$1"
}

# STATUS: after the last operation of a step, or the one that failed.
fp_stepped() {
	fp_left=$fp_total
	fp_drain
	case $1 in
	0) fp_word=changed ;;
	3) fp_word=refused ;;
	*) fp_word=failed ;;
	esac
	fp_note "$fp_index" "$fp_word"
	[ "$1" = 0 ] || fp_bad="$fp_bad$fp_index "
	if [ "$1" = 0 ] || [ "$fp_output" = /dev/null ]; then
		fp_frame step "$fp_index" "$fp_word"
	else
		fp_frame step "$fp_index" "$fp_word" "$1" "$(tail -c 3000 "$fp_output" | fp_base64)"
	fi
}
