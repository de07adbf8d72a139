# The front door. The build itself is CMake with the presets release, fuzz and asan.
#
# LIBTORCH_VERSION=X.Y.Z uses another LibTorch release, LIBTORCH_ROOT=DIR an installed one.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

LIBTORCH_VERSION ?=
LIBTORCH_ROOT ?=
TIME ?= 60
OUT ?= reports/out/campaign
HOURS ?= 1
FUZZ ?= reports/out/fuzz
JOBS ?= $(shell nproc)
libtorch := -DLIBTORCH_VERSION=$(LIBTORCH_VERSION) -DLIBTORCH_ROOT=$(LIBTORCH_ROOT)

.PHONY: help setup build campaign fuzz overnight test asan clean
.DEFAULT_GOAL := help

help:
	@cat <<'TEXT'
	make campaign   install what is missing, build, check LibTorch for one minute, print where the report is
	make test       install what is missing, build, run all tests (with bounded runs of the fuzz targets)
	make build      install what is missing, build
	make fuzz       build with clang too, fuzz for HOURS=1 with all cores; again: goes on
	make overnight  `make fuzz HOURS=8`
	make asan       as `make test`, with AddressSanitizer and UBSan
	make setup      install what is missing: system packages (root or sudo), LibTorch into the cache
	make clean      remove build/ and reports/out/ (the cache stays)
	
	LIBTORCH_VERSION=X.Y.Z   another LibTorch release     LIBTORCH_ROOT=DIR   an installed LibTorch
	TIME=60                  seconds of `make campaign`   OUT=DIR             where its report goes
	HOURS=1                  hours of `make fuzz` in all  FUZZ=DIR            its folder
	TEXT

setup:
	@cmake/setup_packages.sh
	if [[ -z "$(LIBTORCH_ROOT)" ]]; then
	  root=$$(cmake/fetch_libtorch.py $(LIBTORCH_VERSION))
	  echo "setup: LibTorch: $$root"
	fi

build: setup
	@cmake --preset release $(libtorch)
	cmake --build --preset release --parallel $(JOBS)

campaign: setup
	@cmake --preset release $(libtorch)
	cmake --build --preset release --parallel $(JOBS) --target gradsmith
	cmake/campaign.sh build/release/gradsmith "$(TIME)" "$(OUT)"

fuzz: setup
	@cmake --preset release $(libtorch)
	cmake --preset fuzz $(libtorch)
	cmake --build --preset release --parallel $(JOBS) --target gradsmith
	cmake --build --preset fuzz --parallel $(JOBS) --target chain_fuzzer
	build/release/gradsmith campaign "$(FUZZ)" --hours "$(HOURS)" --workers "$(JOBS)"

overnight:
	@$(MAKE) fuzz HOURS=8

test: build
	@ctest --preset release --parallel $(JOBS)
	cmake --preset fuzz $(libtorch)
	cmake --build --preset fuzz --parallel $(JOBS)
	ctest --preset fuzz

asan: setup
	@cmake --preset asan $(libtorch)
	cmake --build --preset asan --parallel $(JOBS)
	ctest --preset asan --parallel $(JOBS)

clean:
	@rm -rf build reports/out
