#!/usr/bin/env bash
# Installs the system packages that GradSmith is built from, those that are missing, by name, with apt.
# Quick and silent about the rest when nothing is missing. Exit code 3: something is missing and cannot be installed.
set -euo pipefail

packages=(
  g++ cmake ninja-build               # the build
  clang-19 libclang-rt-19-dev         # libFuzzer and the sanitizers
  libgtest-dev librapidcheck-dev      # the tests
  libcli11-dev nlohmann-json3-dev libfmt-dev
)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this is no Debian or Ubuntu system; install the equivalents of these packages by hand: ${packages[*]}" >&2
  exit 3
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  # A multi-arch package answers once per architecture.
  [[ $status == *installed* && $status != not-installed ]] || missing+=("$package")
done

if [[ ${#missing[@]} -eq 0 ]]; then
  echo "setup: system packages: nothing missing"
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    {
      echo "setup: these system packages are missing, and neither root nor password-less sudo is at hand: ${missing[*]}"
      echo "setup: install them as root, then run this again:"
      echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
    } >&2
    exit 3
  fi
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

echo "setup: installing system packages: ${missing[*]}"
if ! { apt update && apt install --yes --no-install-recommends "${missing[@]}"; } >&2; then
  echo "setup: apt-get could not install: ${missing[*]} (its message stands above)" >&2
  exit 3
fi
echo "setup: system packages: installed ${#missing[@]}"
