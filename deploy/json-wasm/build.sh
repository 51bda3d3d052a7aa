#!/bin/sh
# Makes recorder/json-lines.wasm. Needs: pip install ziglang==0.17.1
set -eu
cd "$(dirname "$0")/../.."
python3 -m ziglang cc -target wasm32-freestanding -mcpu=mvp+simd128+bulk_memory -O3 -nostdlib \
  -DSOURCE="\"$(cat deploy/json-wasm/* | sha256sum | cut -d' ' -f1)\"" deploy/json-wasm/json-lines.c \
  -o recorder/json-lines.wasm -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=4096 \
  -Wl,--export=soundFrames -Wl,--export=lines -Wl,--export=spans -Wl,--export=source
