#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Turn text files into a table of C strings: what tests and kernels the program carries inside
# itself. embed.sh TABLE FILE... (src/engine_parts.h has the type)
set -eu

table=$1
shift
echo '#include "engine_parts.h"'
echo '#include <stddef.h>'
echo "extern const struct litmus_file ${table}[];"
echo "const struct litmus_file ${table}[] = {"
for file; do
	name=${file##*/}
	printf '{ "%s",\n' "${name%.*}"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t"&\\n"/' "$file"
	echo '},'
done
echo '{ NULL, NULL } };'
