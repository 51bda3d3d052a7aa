/*
 * What formats/segment-scan.ts counts of lines, for those whose heads are spelled as the recorder spells them and whose
 * connection is known here: all but one of some hundred. At any other line it ends, and the line is read in JavaScript.
 * test/formats/plain-heads.test.ts holds both to the same counts.
 *
 * A head may be read beyond the end of what was decoded: then its line has no line feed before that end, and is not counted.
 */
#include <wasm_simd128.h>

typedef unsigned char byte;
typedef unsigned int count;
typedef unsigned long long number;

#define CHUNK_BYTES (256 * 1024)
/* The longest head, and what is loaded at once. */
#define BEHIND_BYTES 256
#define NAMES_MAX 32
#define NAME_BYTES 32

#define likely(condition) __builtin_expect(!!(condition), 1)

/* Where decoded lines are written. */
byte chunk[CHUNK_BYTES + BEHIND_BYTES];
/* Of the connections that are known: the name, and behind it a quote. */
byte names[NAMES_MAX * (NAME_BYTES + 1)];
count known;
/* Lines, the first and the last time; of each connection its lines, the least and the greatest number. */
double counts[3 + 3 * NAMES_MAX];
/* Of which source this was made, for the test. */
const char source[] = SOURCE;

static count last;

void begin(void) {
  known = last = 0;
  for (count at = 0; at < 3 + 3 * NAMES_MAX; at++) counts[at] = 0;
}

static inline number eight(const void *at) {
  number bytes;
  __builtin_memcpy(&bytes, at, 8);
  return bytes;
}

/* Behind a text of 8 to 16 bytes; 0 where it does not stand there. */
#define skip(at, text) skipText(at, text, sizeof text - 1)
static inline const byte *skipText(const byte *at, const char *text, count bytes) {
  return eight(at) == eight(text) && eight(at + bytes - 8) == eight(text + bytes - 8) ? at + bytes : 0;
}

/* 1 to 16 digits; 0 for none, or for more. */
static inline const byte *readNumber(const byte *at, double *value) {
  number sum = 0;
  const byte *from = at;
  for (; (byte)(*at - '0') < 10 && at - from < 17; at++) sum = sum * 10 + (*at - '0');
  *value = sum;
  return at > from && at - from < 17 ? at : 0;
}

/* The quote behind the name of a connection. */
static inline const byte *readName(const byte *at, count *conn) {
  for (count tried = 0; tried < known; tried++) {
    count index = last + tried < known ? last + tried : last + tried - known;
    const byte *name = names + index * (NAME_BYTES + 1);
    count length = 0;
    while (name[length] == at[length] && at[length] != '"') length++;
    if (likely(name[length] == '"' && at[length] == '"')) {
      *conn = last = index;
      return at + length;
    }
  }
  return 0;
}

static inline const byte *readEncoding(const byte *at) {
  const byte *next;
  if (likely(next = skip(at, ",\"frame\":"))) return next;
  if ((next = skip(at, ",\"text\":"))) return next;
  return skip(at, ",\"base64\":");
}

static inline const byte *findLineFeed(const byte *at, const byte *end) {
  const v128_t feed = wasm_i8x16_const_splat('\n');
  for (; at < end; at += 64) {
    v128_t one = wasm_i8x16_eq(wasm_v128_load(at), feed), two = wasm_i8x16_eq(wasm_v128_load(at + 16), feed);
    v128_t three = wasm_i8x16_eq(wasm_v128_load(at + 32), feed), four = wasm_i8x16_eq(wasm_v128_load(at + 48), feed);
    if (!wasm_v128_any_true(wasm_v128_or(wasm_v128_or(one, two), wasm_v128_or(three, four)))) continue;
    count found = wasm_i8x16_bitmask(one) | wasm_i8x16_bitmask(two) << 16;
    if (found) return at + __builtin_ctz(found);
    return at + 32 + __builtin_ctz(wasm_i8x16_bitmask(three) | wasm_i8x16_bitmask(four) << 16);
  }
  return end;
}

/* Counts whole lines between two places of the chunk; returns where the first begins that is not counted. */
count countLines(count from, count to) {
  const byte *line = chunk + from, *end = chunk + to;
  while (line < end) {
    double time, seq;
    count conn;
    const byte *at = skip(line, "{\"recv_us\":");
    if (!at || !(at = readNumber(at, &time)) || !(at = skip(at, ",\"conn\":\""))) break;
    if (!(at = readName(at, &conn)) || !(at = skip(at, "\",\"seq\":")) || !(at = readNumber(at, &seq))) break;
    if (!(at = readEncoding(at))) break;
    const byte *feed = findLineFeed(at, end);
    if (feed >= end || feed == at || feed[-1] != '}') break;
    if (counts[1] == 0 || time < counts[1]) counts[1] = time;
    if (time > counts[2]) counts[2] = time;
    double *own = counts + 3 + 3 * conn;
    if (own[0] == 0 || seq < own[1]) own[1] = seq;
    if (seq > own[2]) own[2] = seq;
    own[0]++;
    counts[0]++;
    line = feed + 1;
  }
  return line - chunk;
}
