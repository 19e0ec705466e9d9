# shellcheck shell=sh
# Keys of INI files that hold secrets: read and edited here, so that nothing but the owned keys'
# plain values and keyed digests of the secret ones leaves the machine. The rules are those of the
# controller's own editor of INI files, to the byte; a property test holds the two together.

# What both awk programs share. A file is in line[1..count] with ending[i]; scan() tells of each
# line its type, its name and its section, which is `-` above the first header and `[NAME]` below.
# It reads names with white space of any sort around them, but `key = value` with blanks and tabs.
# shellcheck disable=SC2016 # awk's own variables
fp_ini_awk='
function fail(text) {
	print "failed to " text | "cat 1>&2"
	exit 1
}
function squeeze(text) {
	sub(/^[ \t\r\f]+/, "", text)
	sub(/[ \t\r\f]+$/, "", text)
	return text
}
function trim(text) {
	sub(/^[ \t]+/, "", text)
	sub(/[ \t]+$/, "", text)
	return text
}
function take(text) {
	if (FNR == 1 && substr(text, 1, 3) == "\357\273\277") {
		mark = substr(text, 1, 3)
		text = substr(text, 4)
	}
	count++
	ending[count] = "\n"
	if (substr(text, length(text)) == "\r") {
		text = substr(text, 1, length(text) - 1)
		ending[count] = "\r\n"
	}
	line[count] = text
}
function finish() {
	if (ENVIRON["fp_ini_open"] != "yes" || !count) return
	ending[count] = ""
	if (count == 1 && line[1] == "") count = 0
}
function header(text, number,   i, rest, found) {
	for (i = 2; i <= length(text); i++) {
		if (substr(text, i, 1) != "]") continue
		rest = squeeze(substr(text, i + 1))
		if (rest == "" || substr(rest, 1, 1) == ";" || substr(rest, 1, 1) == "\043") {
			found = squeeze(substr(text, 2, i - 2))
			break
		}
	}
	if (found == "") fail("read the section header on line " number ": it must be [name] and nothing else")
	return found
}
function scan(   i, text, at, where) {
	where = "-"
	for (i = 1; i <= count; i++) {
		text = squeeze(line[i])
		name[i] = ""
		if (text == "") type[i] = "blank"
		else if (substr(text, 1, 1) == ";" || substr(text, 1, 1) == "\043") type[i] = "comment"
		else if (substr(text, 1, 1) == "[") {
			type[i] = "header"
			where = "[" header(text, i) "]"
		} else {
			at = index(line[i], "=")
			name[i] = at ? trim(substr(line[i], 1, at - 1)) : ""
			type[i] = name[i] == "" ? "other" : "key"
		}
		place[i] = where
	}
}
function find(section, key,   i, found) {
	for (i = 1; i <= count; i++) {
		if (type[i] != "key" || place[i] != section || name[i] != key) continue
		if (found) fail("choose between two values of " key ", on lines " found " and " i)
		found = i
	}
	return found + 0
}
function value(i) {
	return trim(substr(line[i], index(line[i], "=") + 1))
}
'

# Prints the value of key fp_ini_key in section fp_ini_section of file $1. Status 4: it has none.
fp_ini_get() {
	# shellcheck disable=SC2016
	awk "$fp_ini_awk"'
{ take($0) }
END {
	finish()
	scan()
	found = find(ENVIRON["fp_ini_section"], ENVIRON["fp_ini_key"])
	if (!found) exit 4
	ORS = ""
	print value(found)
}' "$1"
}

# Whether file $1 has section fp_ini_header.
fp_ini_has_section() {
	# shellcheck disable=SC2016
	awk "$fp_ini_awk"'
{ take($0) }
END {
	finish()
	scan()
	for (i = 1; i <= count; i++)
		if (type[i] == "header" && place[i] == ENVIRON["fp_ini_header"]) exit 0
	exit 4
}' "$1" 2>/dev/null
}

# Prints file $1 without the keys on standard input: of each three lines, `[SECTION]` or `-`, the key,
# and `yes` when its section goes, too, once nothing is in it.
fp_ini_without() {
	# shellcheck disable=SC2016
	awk "$fp_ini_awk"'
function holds(i) {
	return type[i] == "key" || type[i] == "other"
}
function compact(   i, kept, reaches) {
	reaches = count && drop[count] && ending[count] == ""
	kept = 0
	for (i = 1; i <= count; i++) {
		if (drop[i]) continue
		kept++
		line[kept] = line[i]
		ending[kept] = ending[i]
	}
	count = kept
	if (reaches && count && line[count] !~ /\r$/) ending[count] = ""
	for (i in drop) delete drop[i]
}
function empty(section,   i, j, last, found) {
	for (i = 1; i <= count; i++) {
		if (type[i] != "header" || place[i] != section) continue
		last = i
		for (j = i + 1; j <= count && type[j] != "header"; j++)
			if (holds(j)) last = j
		if (last != i || (i < count && type[i + 1] == "comment")) continue
		drop[i] = 1
		if (i < count && type[i + 1] == "blank" && !drop[i + 1]) drop[i + 1] = 1
		else if (i > 1 && type[i - 1] == "blank" && !drop[i - 1]) drop[i - 1] = 1
	}
}
NR == FNR { list[NR] = $0; listed = NR; next }
{ take($0) }
END {
	finish()
	for (edit = 1; edit + 2 <= listed; edit += 3) {
		scan()
		found = find(list[edit], list[edit + 1])
		if (found) {
			drop[found] = 1
			compact()
			scan()
		}
		if (list[edit + 2] == "yes") {
			empty(list[edit])
			compact()
		}
	}
	ORS = ""
	print mark
	for (i = 1; i <= count; i++) print line[i] ending[i]
}' - "$1"
}

# Prints file $1 with the keys set as the list on standard input says.
fp_ini_set() {
	# shellcheck disable=SC2016
	awk "$fp_ini_awk"'
function add(at, text,   i) {
	for (i = count; i >= at; i--) {
		line[i + 1] = line[i]
		ending[i + 1] = ending[i]
	}
	count++
	line[at] = text
	ending[at] = newline
	if (at > 1 && at == count && ending[at - 1] == "") {
		ending[at - 1] = newline
		ending[at] = ""
	}
}
function replace(i, text,   at, right, after, old, before, blanks) {
	at = index(line[i], "=")
	right = substr(line[i], at + 1)
	match(right, /^[ \t]*/)
	blanks = RLENGTH
	after = substr(right, 1, blanks)
	old = trim(right)
	before = substr(line[i], at - 1, 1)
	if (old == "" && after == "" && text != "" && (before == " " || before == "\t")) after = " "
	line[i] = substr(line[i], 1, at) after text substr(right, blanks + length(old) + 1)
}
function pattern(section,   i, last) {
	for (i = 1; i <= count; i++)
		if (type[i] == "key" && place[i] == section && value(i) != "") last = i
	for (i = count; i >= 1 && !last; i--)
		if (type[i] == "key" && value(i) != "") last = i
	return last
}
function spaced(i, key, text,   left, right, start, middle) {
	if (!i) return key " =" (text == "" ? "" : " " text)
	left = substr(line[i], 1, index(line[i], "=") - 1)
	right = substr(line[i], length(left) + 2)
	match(left, /^[ \t]*/)
	start = substr(left, 1, RLENGTH)
	middle = substr(left, RLENGTH + length(name[i]) + 1)
	match(right, /^[ \t]*/)
	return start key middle "=" (text == "" ? "" : substr(right, 1, RLENGTH) text)
}
function insert(section, key, text,   i, top, last, new) {
	new = spaced(pattern(section), key, text)
	for (i = 1; i <= count; i++) {
		if (type[i] == "header" && !top) top = i
		if (type[i] == "header" && place[i] == section) last = i
		if ((type[i] == "key" || type[i] == "other") && place[i] == section) last = i
	}
	if (last || section == "-") {
		add(last ? last + 1 : top ? 1 : count + 1, new)
		return
	}
	if (!count) {
		add(1, section)
		add(2, new)
	} else if (ending[count] == "") {
		add(count + 1, "")
		ending[count] = newline
		line[++count] = section
		ending[count] = newline
		line[++count] = new
		ending[count] = ""
	} else if (type[count] == "blank") {
		add(count + 1, section)
		add(count + 1, new)
		add(count + 1, "")
	} else {
		add(count + 1, "")
		add(count + 1, section)
		add(count + 1, new)
	}
}
NR == FNR { list[NR] = $0; listed = NR; next }
{ take($0) }
END {
	finish()
	for (edit = 1; edit + 3 <= listed; edit += 4) {
		scan()
			newline = count && ending[1] != "" ? ending[1] : "\n"
		found = find(list[edit], list[edit + 1])
			if (found) replace(found, list[edit + 3])
		else insert(list[edit], list[edit + 1], list[edit + 3])
	}
	ORS = ""
	print mark
	for (i = 1; i <= count; i++) print line[i] ending[i]
}' - "$1"
}

# Refuses to read file $1 by lines when that would damage it; sets fp_ini_file to what is read and
# fp_ini_open to yes when its last line does not end.
fp_ini_check() {
	fp_ini_file=$1
	fp_ini_open=''
	if [ -h "$1" ] || { [ -e "$1" ] && [ ! -f "$1" ]; }; then
		fp_refuse "$1 is no file any more"
		return
	fi
	if [ ! -e "$1" ]; then
		fp_ini_file=/dev/null
		return
	fi
	fp_ini_size=$(wc -c <"$1") || return 1
	if [ "$fp_ini_size" -gt 4194304 ]; then
		printf '%s has %s bytes; files above 4 MiB are not edited\n' "$1" "$fp_ini_size" >&2
		return 1
	fi
	if [ "$(tr -d '\000' <"$1" | wc -c)" -ne "$fp_ini_size" ]; then
		printf '%s holds a zero byte, so it is not text\n' "$1" >&2
		return 1
	fi
	fp_ini_last=$(tail -c 1 "$1" | od -An -to1 | tr -d ' ')
	case $fp_ini_last in
	'' | 012) ;;
	015)
		printf '%s ends with a carriage return alone\n' "$1" >&2
		return 1
		;;
	*) fp_ini_open=yes ;;
	esac
	export fp_ini_open
}

# Sets fp_ini_value to the value of key $2 in section $1 of the file that was checked, followed by a
# point; status 4 when it has none, and fp_ini_value to the reason with any other.
fp_ini_read() {
	fp_ini_value=$(
		export fp_ini_open fp_ini_section="$1" fp_ini_key="$2"
		fp_ini_get "$fp_ini_file" 2>&1 && printf .
	)
}

# PATH (SECTION KEY plain|keyed)...: prints `keyN absent`, `keyN plain BASE64` or `keyN keyed DIGEST`
# of each key, from 0 up, and `sectionN there` when of an absent one the section is there.
fp_ini_show() {
	fp_ini_path=$1
	shift
	fp_ini_check "$fp_ini_path" 2>&1 || return
	fp_ini_number=0
	while [ $# -ge 3 ]; do
		fp_ini_there=''
		fp_ini_read "$1" "$2"
		case $?/$3 in
		0/plain) printf 'key%s plain %s\n' "$fp_ini_number" "$(printf '%s' "${fp_ini_value%.}" | fp_base64)" ;;
		0/*) printf 'key%s keyed %s\n' "$fp_ini_number" "$(printf '%s' "${fp_ini_value%.}" | fp_keyed)" ;;
		4/*)
			printf 'key%s absent\n' "$fp_ini_number"
			fp_ini_there=$(
				export fp_ini_open fp_ini_header="$1"
				fp_ini_has_section "$fp_ini_file" && printf there
			)
			;;
		*)
			printf '%s cannot be read: %s\n' "$fp_ini_path" "$fp_ini_value"
			return 1
			;;
		esac
		[ -z "$fp_ini_there" ] || printf 'section%s there\n' "$fp_ini_number"
		fp_ini_number=$((fp_ini_number + 1))
		shift 3
	done
}

# Refuses unless each key of the list on standard input has the state that the plan saw.
fp_ini_expect() {
	while IFS= read -r fp_ini_section_line && [ "$fp_ini_section_line" != end ]; do
		IFS= read -r fp_ini_key_line && IFS= read -r fp_ini_seen && IFS= read -r _ || return 1
		fp_ini_read "$fp_ini_section_line" "$fp_ini_key_line" </dev/null
		case $? in
		0) fp_ini_state=$(printf '%s' "${fp_ini_value%.}" | fp_keyed) ;;
		4) fp_ini_state=absent ;;
		*)
			printf '%s cannot be read: %s\n' "$fp_ini_path" "$fp_ini_value" >&2
			return 1
			;;
		esac
		if [ "$fp_ini_state" != "$fp_ini_seen" ]; then
			fp_refuse "$fp_ini_key_line in $fp_ini_section_line of $fp_ini_path has changed since it was looked at"
			return
		fi
	done
}

# PATH OWNER GROUP MODE SIZE, a list on the stream: of each key four lines, `[SECTION]` or `-`, the
# key, `absent` or the keyed digest of its value as the plan saw it, the new value; then `end`, by
# which a cut stream shows. Without keys only owner, group and mode are set.
fp_ini_edit() {
	fp_ini_path=$1
	fp_ini_list=$(fp_take "$5")
	# shellcheck disable=SC2034 # the session reads it: nothing of the payload is left
	fp_left=0
	fp_ini_check "$1" || return
	fp_ini_lines=$(printf '%s\n' "$fp_ini_list" | wc -l)
	if [ $((fp_ini_lines % 4)) -ne 1 ] || [ "${fp_ini_list##*
}" != end ]; then
		printf 'failed to receive the keys of %s whole\n' "$1" >&2
		return 1
	fi
	if [ "$fp_ini_list" = end ]; then
		fp_state "$1" none
		# shellcheck disable=SC2154 # the session sets it
		fp_attributes "$1" "$fp_now" none "$2" "$3" "$4"
		return
	fi
	printf '%s\n' "$fp_ini_list" | fp_ini_expect || return
	# Made whole before it is installed: a pipe would install what a failing awk had printed so far.
	if ! fp_ini_text=$(printf '%s\n' "$fp_ini_list" | fp_ini_set "$fp_ini_file" && printf .); then
		printf '%s cannot be edited\n' "$1" >&2
		return 1
	fi
	umask 077
	printf '%s' "${fp_ini_text%.}" | fp_install "$1" "$2" "$3" "$4"
	fp_ini_status=$?
	umask 022
	fp_ini_text='' fp_ini_list='' fp_ini_value=''
	return "$fp_ini_status"
}

# PATH yes|no (SECTION KEY GUARD yes|no)...: takes keys out, each in the state GUARD: `absent`, the keyed
# digest of its value, or `any`. With the last yes its section goes with it when nothing else is in it,
# with the first one the file does.
fp_ini_cut() {
	fp_ini_path=$1 fp_ini_whole=$2
	shift 2
	fp_ini_check "$fp_ini_path" || return
	fp_ini_list=''
	while [ $# -ge 4 ]; do
		if [ "$3" != any ]; then
			printf '%s\n%s\n%s\n\nend\n' "$1" "$2" "$3" | fp_ini_expect || return
		fi
		fp_ini_list="$fp_ini_list$1
$2
$4
"
		shift 4
	done
	[ -e "$fp_ini_path" ] || return 0
	if ! fp_ini_text=$(printf '%s' "$fp_ini_list" | fp_ini_without "$fp_ini_file" && printf .); then
		printf '%s cannot be edited\n' "$fp_ini_path" >&2
		return 1
	fi
	fp_ini_text=${fp_ini_text%.}
	if [ "$fp_ini_whole" = yes ] && [ -z "$(printf '%s' "$fp_ini_text" | tr -d ' \t\r\n')" ]; then
		rm -f -- "$fp_ini_path"
		fp_ini_status=$?
	else
		umask 077
		printf '%s' "$fp_ini_text" | fp_install "$fp_ini_path" - - -
		fp_ini_status=$?
		umask 022
	fi
	fp_ini_text='' fp_ini_value=''
	return "$fp_ini_status"
}
