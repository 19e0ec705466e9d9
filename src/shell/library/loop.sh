# shellcheck shell=sh
# Takes orders from the stream until it ends. The smallest program that can be started with an
# argument that shows in logs (sudo's, for one): everything else arrives on the stream.

trap : PIPE HUP
fp_take() {
	[ "$(($1 / 65536))" -eq 0 ] || dd bs=65536 count="$(($1 / 65536))" iflag=fullblock 2>/dev/null
	[ "$(($1 % 65536))" -eq 0 ] || dd bs="$(($1 % 65536))" count=1 iflag=fullblock 2>/dev/null
}
fp_orders() {
	while IFS=' ' read -r fp_order fp_size; do
		case $fp_order in
		run)
			fp_script=$(fp_take "$fp_size")
			eval "$fp_script"
			;;
		key) fp_key=$fp_size ;;
		quit) exit 0 ;;
		esac
	done
}
