# shellcheck shell=sh
# What a machine is that nobody has told anything about yet.

# Prints a word and a value in base64 a line: `system` and `arch` as uname has them, `distribution`, `like` and
# `named` as os-release(5) has them, `box` for the two sorts of NAS, `zone`, `user`, `home`, `host`, and `rights`:
# root, sudo, doas, password (sudo asks for one) or none.
fp_about() {
	fp_about_say system "$(uname -s)"
	fp_about_say arch "$(uname -m)"
	fp_about_say distribution "$(fp_about_release ID)"
	fp_about_say like "$(fp_about_release ID_LIKE)"
	fp_about_say named "$(fp_about_release PRETTY_NAME)"
	if [ -e /etc/synoinfo.conf ]; then
		fp_about_say box synology
	elif [ -e /etc/config/uLinux.conf ]; then
		fp_about_say box qnap
	fi
	fp_zone=$(readlink /etc/localtime 2>/dev/null)
	case $fp_zone in
	*/zoneinfo/*) fp_zone=${fp_zone##*/zoneinfo/} ;;
	*) fp_zone=$(head -n 1 /etc/timezone 2>/dev/null) || fp_zone='' ;;
	esac
	fp_about_say zone "$fp_zone"
	fp_about_say user "$fp_me"
	fp_about_say home "$HOME"
	fp_about_say host "$(uname -n)"
	if [ "$fp_self" = 0 ]; then
		fp_about_say rights root
	elif command -v sudo >/dev/null && sudo -n true </dev/null >/dev/null 2>&1; then
		fp_about_say rights sudo
	elif command -v doas >/dev/null && doas -n true </dev/null >/dev/null 2>&1; then
		fp_about_say rights doas
	elif command -v sudo >/dev/null; then
		fp_about_say rights password
	else
		fp_about_say rights none
	fi
}

fp_about_say() {
	printf '%s %s\n' "$1" "$(printf '%.200s' "$2" | fp_base64)"
}

# The value of $1 in os-release(5), without its quotes.
fp_about_release() {
	sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | head -n 1 | tr -d "\"'"
}
