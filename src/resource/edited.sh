# shellcheck shell=sh
# Text files of which fleetprov owns a part. What guards them is their text alone: owner and mode
# may be set by another step of the same plan that owns another part of the file.

# Sets fp_edited_seen to the digest of file $1, or to absent. Refuses what is no file.
fp_edited_look() {
	fp_state "$1" plain
	# shellcheck disable=SC2154 # the session sets it
	case $fp_now in
	absent) fp_edited_seen=absent ;;
	file\ *) fp_edited_seen=${fp_now##* } ;;
	*)
		fp_refuse "$1 is no file any more"
		return
		;;
	esac
}

# PATH SEEN OWNER GROUP MODE SIZE DIGEST, the whole new text on the stream.
fp_edited_write() {
	fp_edited_look "$1" || return
	if [ "$fp_edited_seen" != "$2" ]; then
		fp_refuse "$1 has changed since it was looked at"
		return
	fi
	fp_write "$1" "$fp_now" plain "$3" "$4" "$5" "$6" "$7"
}

# PATH OWNER GROUP MODE
fp_edited_attributes() {
	fp_state "$1" none
	case $fp_now in
	file\ *) fp_attributes "$1" "$fp_now" none "$2" "$3" "$4" ;;
	*) fp_refuse "$1 is no file any more" ;;
	esac
}

# PATH SEEN
fp_edited_remove() {
	fp_edited_look "$1" || return
	if [ "$fp_edited_seen" != "$2" ]; then
		fp_refuse "$1 has changed since it was looked at"
		return
	fi
	fp_remove "$1" "$fp_now" plain
}
