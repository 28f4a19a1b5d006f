# SPDX-License-Identifier: Apache-2.0
# rows.sh - what benchmarks write, one object a line, as the table of docs/performance.md. For the shell scripts beside it.

rows_table() { # rows_table FILE
	echo '| name | value | unit | |'
	echo '|---|---|---|---|'
	sed -n 's/.*"name": "\([^"]*\)", "value": \([^,]*\), "unit": "\([^"]*\)", "note": "\([^"]*\)".*/\1\t\2\t\3\t\4/p' "$1" |
		awk -F '\t' '{ printf "| `%s` | %s | %s | %s |\n", $1, sprintf(($2 > 999 ? "%.0f" : "%.4g"), $2), $3, $4 }'
}
