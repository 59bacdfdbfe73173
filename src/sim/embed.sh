#!/bin/sh
# The shipped worlds as C: embed.sh FILE... > worlds.c
set -eu
echo '#include "sim/world.h"'
for file in "$@"; do
	name=$(basename "$file" .yaml | tr - _)
	printf 'static const char world_%s[] = {\n' "$name"
	od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo '0};'
done
echo 'const struct shipped_world shipped_worlds[] = {'
for file in "$@"; do
	base=$(basename "$file" .yaml)
	printf '\t{"%s", world_%s},\n' "$base" "$(echo "$base" | tr - _)"
done
printf '\t{0},\n};\n'
