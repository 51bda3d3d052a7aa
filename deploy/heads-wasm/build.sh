#!/bin/sh
# Makes formats/line-heads.wasm. Needs: pip install ziglang==0.17.1
set -eu
cd "$(dirname "$0")/../.."
python3 -m ziglang cc -target wasm32-freestanding -mcpu=mvp+simd128+bulk_memory -O3 -nostdlib \
  -DSOURCE="\"$(cat deploy/heads-wasm/* | sha256sum | cut -d' ' -f1)\"" deploy/heads-wasm/line-heads.c \
  -o formats/line-heads.wasm -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=4096 \
  -Wl,--export=begin -Wl,--export=countLines -Wl,--export=chunk -Wl,--export=names -Wl,--export=known \
  -Wl,--export=counts -Wl,--export=source
