# shellcheck shell=sh
# Notes where a record is, for other logins and later inventories to find: in a file with a line for each,
# FLEET MACHINE USER FOLDER.

# Whether folder $1 is one that does not stay: nothing points to it, and a demo leaves nothing behind.
fp_is_passing() {
	case $1 in
	/tmp/* | /var/tmp/* | /run/* | /dev/shm/* | "${TMPDIR:-/tmp}"/* | */fleetprov-demo-*) return 0 ;;
	esac
	return 1
}

# NOTICE LINE: notes in the file NOTICE, for everybody to read, where a record is; in place of what it says
# of the same fleet and machine, and of records that are gone.
fp_notice() {
	fp_here=${2#* * * }
	! fp_is_passing "$fp_here" || return 0
	fp_rest=${2#* * }
	fp_same=${2%"$fp_rest"}
	fp_lines="$2
"
	if [ -f "$1" ] && [ ! -h "$1" ]; then
		while IFS= read -r fp_line; do
			[ "$fp_line" != "$2" ] || return 0
			case $fp_line in
			"$fp_same"*) ;;
			*) ! fp_has_record "${fp_line#* * * }" || fp_lines="$fp_lines$fp_line
" ;;
			esac
		done <"$1"
	fi
	mkdir -p -- "${1%/*}" && printf '%s' "$fp_lines" | cat >"$1.new" && mv -f -- "$1.new" "$1"
}
