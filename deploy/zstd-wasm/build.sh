#!/bin/sh
# Makes platform/zstd.wasm.gz from the sources of zstd that zstd-napi brings. Needs npm ci, and: pip install ziglang
set -eu
cd "$(dirname "$0")/../.."
lib=node_modules/zstd-napi/deps/zstd/lib
target=$(mktemp -d)
trap 'rm -rf "$target"' EXIT
exports=
for name in ez_taken ez_produced ez_compress ez_decompress ez_pledge malloc free ZSTD_createCCtx ZSTD_createDCtx \
  ZSTD_CCtx_setParameter ZSTD_compress2 ZSTD_compressBound ZSTD_isError ZSTD_getErrorName; do
  exports="$exports -Wl,--export=$name"
done
# shellcheck disable=SC2086
python3 -m ziglang cc -target wasm32-wasi -mexec-model=reactor -O2 -DNDEBUG -DZSTD_DISABLE_ASM -DZSTD_LEGACY_SUPPORT=0 \
  -DXXH_NAMESPACE=ZSTD_ -I"$lib" deploy/zstd-wasm/entries.c "$lib"/common/*.c "$lib"/compress/*.c "$lib"/decompress/*.c \
  -o "$target/zstd.wasm" -Wl,--strip-all $exports
gzip -9nc "$target/zstd.wasm" >platform/zstd.wasm.gz
