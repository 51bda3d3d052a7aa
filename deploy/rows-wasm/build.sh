#!/bin/sh
# Makes compactor/lines/line-rows.wasm. Needs: pip install ziglang==0.17.1
set -eu
cd "$(dirname "$0")/../.."
python3 -m ziglang cc -target wasm32-freestanding -mcpu=mvp+simd128+bulk_memory -O3 -nostdlib -fno-strict-aliasing \
  -DSOURCE="\"$(cat deploy/rows-wasm/* | sha256sum | cut -d' ' -f1)\"" deploy/rows-wasm/line-rows.c \
  -o compactor/lines/line-rows.wasm -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=8192 \
  -Wl,--export=begin -Wl,--export=take -Wl,--export=point -Wl,--export=filledRows -Wl,--export=members -Wl,--export=objects -Wl,--export=columns \
  -Wl,--export=columnCount -Wl,--export=outerMembers -Wl,--export=left -Wl,--export=linesMax -Wl,--export=wantsLine -Wl,--export=rows \
  -Wl,--export=lines -Wl,--export=source -Wl,--export=__heap_base
