/* What JavaScript calls: positions come back by calls of their own, so that numbers alone are passed. */
#include "zstd.h"

static ZSTD_inBuffer in;
static ZSTD_outBuffer out;

static void begin(void *to, size_t toBytes, const void *from, size_t fromBytes) {
  in = (ZSTD_inBuffer){from, fromBytes, 0};
  out = (ZSTD_outBuffer){to, toBytes, 0};
}

size_t ez_taken(void) { return in.pos; }
size_t ez_produced(void) { return out.pos; }

size_t ez_compress(ZSTD_CCtx *context, void *to, size_t toBytes, const void *from, size_t fromBytes, int directive) {
  begin(to, toBytes, from, fromBytes);
  return ZSTD_compressStream2(context, &out, &in, (ZSTD_EndDirective)directive);
}

size_t ez_decompress(ZSTD_DCtx *context, void *to, size_t toBytes, const void *from, size_t fromBytes) {
  begin(to, toBytes, from, fromBytes);
  return ZSTD_decompressStream(context, &out, &in);
}

size_t ez_pledge(ZSTD_CCtx *context, double bytes) {
  return ZSTD_CCtx_setPledgedSrcSize(context, (unsigned long long)bytes);
}
