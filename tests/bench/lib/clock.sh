# shellcheck shell=bash
# Takes times and makes tables of them.

# Runs a command and notes how long it took: a table's name, the contender, the
# command. What it said is in $bench_work/said; its exit code is returned.
clock() {
    local table=$1 contender=$2 start end status=0
    shift 2
    start=${EPOCHREALTIME/./}
    timeout "$bench_patience" "$@" >"$bench_work/said" 2>&1 || status=$?
    end=${EPOCHREALTIME/./}
    printf '%s %s\n' "$contender" $((end - start)) >>"$bench_work/$table.times"
    return "$status"
}

# Prints microseconds as seconds.
clock_seconds() {
    printf '%d.%02d s\n' $(($1 / 1000000)) $(($1 % 1000000 / 10000))
}

# Fails with what the last command said.
clock_complain() {
    tail -n 30 "$bench_work/said" >&2
    bench_fail "$*"
}

# Prints a table of medians and extremes, in seconds, and the median of the
# ratios to the bare ssh of the same round: the table's name. Contenders are in
# the order of their first run.
clock_table() {
    printf '%s\n' "| | median | shortest | longest | times \`ssh HOST true\` |" '|---|--:|--:|--:|--:|'
    awk '
        function median(list, count,    i, j, swap) {
            for (i = 2; i <= count; i++)
                for (j = i; j > 1 && list[j - 1] > list[j]; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
            return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
        }
        { if (!($1 in runs)) order[++contenders] = $1; time[$1, ++runs[$1]] = $2 / 1000000 }
        END {
            for (c = 1; c <= contenders; c++) {
                name = order[c]
                ratios = 0
                for (run = 1; run <= runs[name]; run++) {
                    list[run] = time[name, run]
                    if (runs["ssh"] >= run) ratio[++ratios] = time[name, run] / time["ssh", run]
                }
                middle = median(list, runs[name])
                printf "| %s | %.2f s | %.2f s | %.2f s | %s |\n", name, middle, list[1], list[runs[name]], ratios ? sprintf("%.2f", median(ratio, ratios)) : ""
            }
        }' "$bench_work/$1.times" | sed "s/^| ssh |/| \`ssh HOST true\` |/; s/^| ssh-curve25519 |/| the same with curve25519 |/; s/^| fleetprov-\([a-z]*\) |/| \`fleetprov \1\` |/"
}
