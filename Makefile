# Verbs. What they do is in scripts/; how things are built is in meson.build.
#   make          build build/retour
#   make demo     the path there and back in the bundled virtual Internet
#   make check    every test; ends with a line "N passed, N failed, N skipped"
#   make bench    measure beside the other tools, write docs/benchmarks.md
#   make lint     slower, advisory checks
#   make fuzz     search for inputs that break a decoder
#   make install  PREFIX=/usr/local, DESTDIR=
#   make clean

PREFIX ?= /usr/local
BUILD ?= build
export BUILD

.PHONY: all setup demo check bench lint fuzz install clean
.DEFAULT_GOAL := all

all: setup
	@scripts/build.sh $(BUILD) --prefix $(PREFIX)

setup:
	@scripts/setup.sh build

demo: all
	@$(BUILD)/retour lab run -- retour server.lab

check:
	@scripts/setup.sh build test
	@scripts/check.sh

bench: all
	@scripts/setup.sh bench
	@bench/run.sh

lint:
	@scripts/setup.sh build lint
	@scripts/lint.sh

fuzz:
	@scripts/setup.sh build fuzz
	@tests/fuzz/run.sh

install: all
	@meson configure $(BUILD) -Dprefix=$(PREFIX) && ninja -C $(BUILD) --quiet
	@meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*
