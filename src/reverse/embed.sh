#!/bin/sh
# The shipped catalogue as C: embed.sh FILE > catalogue_text.c
set -eu
echo '#include "reverse/catalogue.h"'
echo 'const char catalogue_text[] = {'
od -An -v -tx1 "$1" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
echo '0};'
