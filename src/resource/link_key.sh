# shellcheck shell=sh
# Key pairs of links, made where they are used. The private half is never read but by ssh-keygen.

# PATH: prints `tool`, with yes or no; and of a private key that is there `public`, with the public half in
# base64, or with nothing when ssh-keygen cannot tell it without a passphrase.
fp_link_key_look() {
	if ! command -v ssh-keygen >/dev/null 2>&1; then
		printf 'tool no\n'
		return 0
	fi
	printf 'tool yes\n'
	if [ -f "$1" ] && [ ! -h "$1" ]; then
		printf 'public %s\n' "$(ssh-keygen -y -P '' -f "$1" 2>/dev/null </dev/null | head -n 1 | fp_base64)"
	fi
}

# PATH COMMENT: makes a pair whose private half is at PATH, unless something is there. It is made beside and
# put in its place whole, the private half last.
fp_link_key_make() {
	fp_expect "$1" absent none || return
	fp_temporary_in "${1%/*}"
	for fp_old in "${1%/*}"/.fleetprov-[1-9]*-????????-????-????-????-????????????.pub; do
		[ -e "${fp_old%.pub}" ] || rm -f -- "$fp_old"
	done
	fp_link_said=$(umask 077 && ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$fp_temporary" 2>&1 </dev/null) &&
		{ sync -- "$fp_temporary" "$fp_temporary.pub" 2>/dev/null || sync; } &&
		fp_link_said=$(mv -f -- "$fp_temporary.pub" "$1.pub" 2>&1 && mv -f -- "$fp_temporary" "$1" 2>&1) &&
		return 0
	rm -f -- "$fp_temporary" "$fp_temporary.pub"
	printf '%s\n' "${fp_link_said:-the key cannot be flushed}" >&2
	return 1
}
