# shellcheck shell=sh
# Folders that have left the inventory: what is in them, and taking them away when nothing is.

# How many names of a folder are told.
fp_folder_most=2000

# PATH: for PATH and each folder above it, from below: `names N BASE64`, the names in the N-th of them,
# one a line, or `many N BASE64` when there are more, or `none N` when it is not there or not to be read.
# What is above a folder of many stays anyway, and is not looked at.
fp_folder_look() {
	fp_folder_at=$1 fp_folder_n=0
	while [ -n "$fp_folder_at" ]; do
		if [ ! -d "$fp_folder_at" ] || [ -h "$fp_folder_at" ]; then
			printf 'none %s\n' "$fp_folder_n"
		elif fp_folder_names=$(ls -A -- "$fp_folder_at" 2>/dev/null); then
			fp_folder_word=names
			if [ "$(printf '%s\n' "$fp_folder_names" | wc -l)" -gt "$fp_folder_most" ]; then
				fp_folder_word=many
			fi
			printf '%s %s %s\n' "$fp_folder_word" "$fp_folder_n" \
				"$(printf '%s' "$fp_folder_names" | head -n "$fp_folder_most" | fp_base64)"
			[ "$fp_folder_word" = names ] || return 0
		else
			printf 'none %s\n' "$fp_folder_n"
		fi
		fp_folder_at=${fp_folder_at%/*}
		fp_folder_n=$((fp_folder_n + 1))
	done
}

# PATH: takes an empty folder away. One on which something is mounted is not touched.
fp_folder_remove() {
	if [ ! -e "$1" ] && [ ! -h "$1" ]; then
		return 0
	elif [ -h "$1" ] || [ ! -d "$1" ]; then
		fp_refuse "$1 is no folder any more"
		return
	fi
	fp_hangable
	# shellcheck disable=SC2154 # the session sets it
	case "
$fp_mounted" in
	*"
$1
"*)
		fp_refuse "something is mounted on $1"
		return
		;;
	esac
	if ! fp_folder_said=$(rmdir -- "$1" 2>&1); then
		if [ -n "$(ls -A -- "$1" 2>/dev/null)" ]; then
			fp_refuse "$1 is not empty"
			return
		fi
		printf '%s\n' "$fp_folder_said" >&2
		return 1
	fi
}
