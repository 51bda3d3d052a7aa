/*
 * What recorder/json-text.ts says of a frame, for all frames of a batch at once: the same walk, of which what takes the
 * time is written differently. test/recorder/json-lines.test.ts holds both to the same verdicts.
 *
 * No byte is checked against the end of its frame: a walk that leaves the frame never comes back, so that it is not at its
 * end when it is done. Behind all lines stand zeros, where every step ends.
 */
#include <wasm_simd128.h>

typedef unsigned char byte;
typedef unsigned int count;

#define LINES_BYTES (64 * 1024)
#define FRAMES_MAX 1024
#define MAX_DEPTH 512
#define NAMES 256

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* What is written here before a call: lines, and from where to where in them frames stand. */
byte lines[LINES_BYTES + 16];
count spans[2 * FRAMES_MAX];
/* Of which source this was made, for the test. */
const char source[] = SOURCE;

/* The opening bracket of each container that is open. */
static byte stack[MAX_DEPTH];
/* How long each name was in the last frame, in their order. */
static volatile byte nameBytes[NAMES];

static int isDigit(byte sign) { return (byte)(sign - '0') < 10; }
static int isHex(byte sign) { return isDigit(sign) || (byte)((sign | 0x20) - 'a') < 6; }
static int isBlank(byte sign) { return sign == ' ' || sign == '\t'; }

/* Which of 16 bytes do not stand for themselves in a string: quotes, backslashes and what is below a space. */
static inline count special(const byte *at) {
  v128_t bytes = wasm_v128_load(at);
  /* With this bit turned a quote is a space, and what is below a space stays there. */
  v128_t turned = wasm_v128_xor(bytes, wasm_i8x16_const_splat('"' ^ ' '));
  v128_t low = wasm_i8x16_eq(wasm_u8x16_min(turned, wasm_i8x16_const_splat(' ')), turned);
  return wasm_i8x16_bitmask(wasm_v128_or(low, wasm_i8x16_eq(bytes, wasm_i8x16_const_splat('\\'))));
}

/* Each of these takes a place and returns the one behind what it skips; 0 where that does not stand there. */

/* At the backslash. */
static const byte *skipEscape(const byte *at) {
  switch (at[1]) {
  case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
    return at + 2;
  case 'u':
    return isHex(at[2]) && isHex(at[3]) && isHex(at[4]) && isHex(at[5]) ? at + 6 : 0;
  }
  return 0;
}

/* Behind the opening quote. */
static inline const byte *skipString(const byte *at) {
  for (;;) {
    count found = special(at);
    if (likely(found)) {
      at += __builtin_ctz(found);
      if (likely(*at == '"')) return at + 1;
      if (*at != '\\' || !(at = skipEscape(at))) return 0;
    } else at += 16;
  }
}

/*
 * A string that is a name. Most are as long as they were in the frame before; with a length that is read, not computed
 * from the bytes, the processor goes on behind the name before it has looked at it: a fourth of all time. It must be read
 * once more for that, since a compiler would take the computed length, which is equal.
 */
static inline const byte *skipName(const byte *at, count name) {
  volatile byte *expected = nameBytes + name % NAMES;
  count found = special(at);
  if (unlikely(!found)) return skipString(at);
  count bytes = __builtin_ctz(found);
  if (unlikely(bytes != *expected)) {
    *expected = bytes;
    return skipString(at);
  }
  at += *expected;
  return likely(*at == '"') ? at + 1 : skipString(at);
}

/* At least one. */
static inline const byte *skipDigits(const byte *at) {
  if (!isDigit(*at)) return 0;
  do at++;
  while (isDigit(*at));
  return at;
}

static inline const byte *skipNumber(const byte *at) {
  if (*at == '-') at++;
  if (*at == '0') at++;
  else if (!(at = skipDigits(at))) return 0;
  if (*at == '.' && !(at = skipDigits(at + 1))) return 0;
  if (unlikely((*at | 0x20) == 'e')) {
    at++;
    if (*at == '+' || *at == '-') at++;
    return skipDigits(at);
  }
  return at;
}

static inline const byte *skipWord(const byte *at) {
  const char *word = *at == 't' ? "true" : *at == 'f' ? "false" : *at == 'n' ? "null" : 0;
  if (!word) return 0;
  for (; *word; word++, at++) if (*at != *word) return 0;
  return at;
}

static inline const byte *skipBlanks(const byte *at) {
  if (likely(*at > ' ')) return at;
  while (isBlank(*at)) at++;
  return at;
}

static int isLine(const byte *at, const byte *end) {
  count depth = 0, names = 0;
  byte container = *at;
  int nameIsDue = 0;
  if (container != '{' && container != '[') return 0;
  for (;;) {
    if (nameIsDue) {
      if (*at != '"' || !(at = skipName(at + 1, names++))) return 0;
      at = skipBlanks(at);
      if (*at != ':') return 0;
      at = skipBlanks(at + 1);
    }
    byte first = *at;
    if (first == '"') {
      if (!(at = skipString(at + 1))) return 0;
    } else if (first == '{' || first == '[') {
      if (depth == MAX_DEPTH) return 0;
      stack[depth++] = container = first;
      at = skipBlanks(at + 1);
      nameIsDue = container == '{';
      if (*at != container + 2) continue;
    } else if (first <= '9') {
      if (!(at = skipNumber(at))) return 0;
    } else if (!(at = skipWord(at))) return 0;

    for (;;) {
      at = skipBlanks(at);
      if (*at == ',') break;
      if (*at++ != container + 2) return 0;
      if (--depth == 0) {
        while (at < end && isBlank(*at)) at++;
        return at == end;
      }
      container = stack[depth - 1];
    }
    at = skipBlanks(at + 1);
    nameIsDue = container == '{';
  }
}

/* How many of the frames, from the first one on, are one line of JSON. */
count soundFrames(count frames) {
  count frame = 0;
  while (frame < frames && isLine(lines + spans[2 * frame], lines + spans[2 * frame + 1])) frame++;
  return frame;
}
