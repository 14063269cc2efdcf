#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh [BUILD]: how much of dataplane/api and dataplane/wg the kept inputs reach by themselves, in
# lines; fails below what is owed. BUILD: default build/coverage.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/coverage}
owed=90 # percent

[ -e "$build/build.ninja" ] || meson setup "$build" "$root" -Db_coverage=true -Doptimization=0 >/dev/null
targets=()
for source in "$root"/tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	targets+=("tests/fuzz/replay_${name#fuzz_}")
done
ninja -C "$build" "${targets[@]}" >/dev/null
find "$build" -name '*.gcda' -delete
for target in "${targets[@]}"; do
	"$build/$target" "$root/tests/fuzz/$(basename "${target/replay_/}").corpus" >/dev/null 2>&1
done

bad=0
for folder in api wg; do
	# gcov says for each source: "Lines executed:97.30% of 37"; one that never ran has no .gcda
	percent=$(cd "$build" && find "dataplane/$folder/lib$folder.a.p" -name '*.gcno' -exec gcov -n {} + 2>/dev/null |
		awk -v folder="dataplane/$folder/" '
			/^File/ { mine = index($0, folder) && /\.c/ }
			/^Lines executed/ && mine { split($0, a, /[:% ]+/); hit += a[3] * a[5] / 100; all += a[5]; mine = 0 }
			END { printf "%d", all ? 100 * hit / all + 0.5 : 0 }')
	echo "dataplane/$folder: $percent % of lines"
	[ "$percent" -ge "$owed" ] || { echo "owed: $owed %"; bad=1; }
done
exit $bad
