/** `install.sh`: for Linux and macOS, in what every POSIX shell has, with curl. */
import { INSTALL_PATHS } from '@longarm/contract/targets';

/**
 * Whoever calls it has made sure of the authority. Nothing of it runs before it is whole: it is one function, called at
 * its end. The token goes through to the agent on standard input, so nothing else here may read that.
 */
export const POSIX_SCRIPT = `#!/bin/sh
# Installs the Longarm agent of this server on this device.
#   sh install.sh URL CA [option of \`longarm-agent install\` ...] < token
# URL: address of the server. CA: file with its certificate authority, or - for those that the system trusts.
set -eu

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

fetch() {
  set -- "$url$1" "$2" -fsS --retry 5
  address=$1 file=$2
  shift 2
  if [ "$ca" != - ]; then set -- "$@" --cacert "$ca"; fi
  curl "$@" -o "$file" "$address" </dev/null || fail "$address: expected the server to hand it out, see above"
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"
  elif command -v shasum >/dev/null; then shasum -a 256 "$1"
  else openssl dgst -sha256 -r "$1"
  fi | cut -d ' ' -f 1
}

is_musl() {
  case "$(ldd --version 2>&1 || true)" in
    *musl*) true ;;
    *) [ -e /lib/ld-musl-x86_64.so.1 ] && [ ! -e /lib64/ld-linux-x86-64.so.2 ] ;;
  esac
}

find_target() {
  case "$(uname -s) $(uname -m)" in
    'Linux x86_64' | 'Linux amd64') if is_musl; then echo linux-x64-musl; else echo linux-x64; fi ;;
    'Linux aarch64' | 'Linux arm64') if ! is_musl; then echo linux-arm64; fi ;;
    'Darwin arm64') echo darwin-arm64 ;;
    # an x86_64 shell on Apple silicon
    'Darwin x86_64') if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then echo darwin-arm64; else echo darwin-x64; fi ;;
  esac
}

main() {
  [ $# -ge 2 ] || fail 'expected the address of the server and the file of its authority (or -)'
  url=$1 ca=$2
  shift 2
  target=$(find_target)
  [ -n "$target" ] || fail "there is no agent for $(uname -s) on $(uname -m) with this C library"
  umask 077
  folder=$(mktemp -d)
  trap 'rm -f "$folder/SHA256SUMS" "$folder/longarm-agent"; rmdir "$folder"' EXIT
  trap 'exit 1' HUP INT TERM
  fetch ${INSTALL_PATHS.checksums} "$folder/SHA256SUMS"
  fetch "/install/agent/$target" "$folder/longarm-agent"
  expected=$(sed -n "s/^\\([0-9a-f]*\\)  longarm-agent-$target\\$/\\1/p" "$folder/SHA256SUMS")
  [ "$expected" = "$(sha256 "$folder/longarm-agent")" ] || fail "the agent for $target is not what SHA256SUMS says: nothing of it was run"
  chmod 700 "$folder/longarm-agent"
  "$folder/longarm-agent" install --server "$url" --token-file - "$@"
}

main "$@"
`;
