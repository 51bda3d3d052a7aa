/*
 * Rows of lines whose members are all known, in columns as DuckDB has them: compactor/lines/line-rows.ts says of which
 * objects lines consist, and gets 2,048 rows at a time. A line is taken only where nothing about it can be understood in
 * two ways: each member is one of those known and stands there once, its value has the type that is wanted, each number is
 * given back exactly, each text is what it looks like. All other lines are marked as left, for DuckDB to read.
 *
 * No byte is checked against the end of its line: every step ends at a line feed, and behind all lines stand zeros.
 */
#include <wasm_simd128.h>

typedef unsigned char byte;
typedef unsigned short half;
typedef unsigned int count;
typedef unsigned long long wide;

#define CAPACITY 2048
#define KEY_BYTES 32
#define MEMBERS 256
#define OBJECTS 32
#define COLUMNS 160
/* Texts up to so many bytes stand in the entry itself, as in DuckDB. */
#define INLINE_BYTES 12
/* A copy may write so much more than was asked for. */
#define SLACK 16
#define NONE ((const byte *)0)

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* UNREAD may only be null. ITEM is the object that a row is made of, ITEMS a list of such. */
enum Type { NUMBER, WHOLE, TEXT, BOOLEAN, UNREAD, OBJECT, ITEM, ITEMS, LIST };

typedef struct {
  /* The name and a quote. */
  byte key[KEY_BYTES];
  byte keyBytes, type, bit;
  /* Only a text, right behind its name. */
  byte isQuoted;
  /* Where its value goes, or of which object it is one. */
  half column, object;
  /* The member that followed when it was seen last. */
  half next, unused2;
} Member;

typedef struct {
  half first, members;
  /* The member that came first when it was seen last. */
  half next;
  /* Whether its members are those of an item. */
  half isItem;
} Object;

typedef struct {
  count values, validity;
  /* Texts that are longer than an entry, or elements of lists: of how much there is room, what is used, and what was after the last line. */
  count heap, room, used, kept;
  /* Of the elements of a list. */
  half child;
  byte type;
  /* Whether it is about the line, not an item of it. */
  byte isOfLine;
} Column;

Member members[MEMBERS];
Object objects[OBJECTS];
Column columns[COLUMNS];
/* How many there are; the first are the number of the line, the number of the row in it, and the line. */
count columnCount;
/* How many members lines have beside those of items. */
count outerMembers;
/* A bit for each line: set where it is left to others. */
count left, linesMax;
/* Whether the text of lines is wanted. */
count wantsLine;

/* Of the rows there are. */
count rows, lines;
/* Of which source this was made, for the test. */
const char source[] = SOURCE;

/* Where values go, and how many members stand outside of items and have values in one. */
static count row, outer, filled;
static int hasItems, isFull;

static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define EXACT_POWER 22
#define EXACT_DIGITS (1ull << 53)

static int isDigit(byte sign) { return (byte)(sign - '0') < 10; }

static inline const byte *skipBlanks(const byte *at) {
  if (likely(*at > ' ')) return at;
  while (*at == ' ' || *at == '\t') at++;
  return at;
}

static inline int isWord(const byte *at, const char *word) {
  for (; *word; word++, at++) if (*at != *word) return 0;
  return 1;
}

static inline void setValid(const Column *column, count entry) {
  ((byte *)column->validity)[entry >> 3] |= 1 << (entry & 7);
}

/* Each of these takes a place and returns the one behind what it reads; NONE where that is not for us. */

typedef struct {
  wide digits;
  int exponent;
  byte isNegative, isWhole;
} Decimal;

/* Up to 19 digits, which 64 bits hold. */
static inline const byte *readDecimal(const byte *at, Decimal *decimal) {
  decimal->isNegative = *at == '-';
  at += decimal->isNegative;
  const byte *start = at;
  wide digits = 0;
  while (isDigit(*at)) digits = 10 * digits + (*at++ - '0');
  int count = at - start, exponent = 0;
  if (count == 0 || (*start == '0' && count > 1)) return NONE;
  decimal->isWhole = 1;
  if (*at == '.') {
    const byte *fraction = ++at;
    /* Zeros before the first other digit do not count. */
    if (digits == 0) {
      while (*at == '0') at++;
      count = fraction - at;
    }
    while (isDigit(*at)) digits = 10 * digits + (*at++ - '0');
    exponent = fraction - at;
    if (exponent == 0) return NONE;
    count -= exponent;
    decimal->isWhole = 0;
  }
  if (unlikely(count > 19)) return NONE;
  if (unlikely((*at | 0x20) == 'e')) {
    at++;
    int isNegative = *at == '-';
    if (isNegative || *at == '+') at++;
    if (!isDigit(*at)) return NONE;
    int power = 0;
    for (int n = 0; isDigit(*at); at++, n++) {
      if (n == 3) return NONE;
      power = 10 * power + (*at - '0');
    }
    exponent += isNegative ? -power : power;
    decimal->isWhole = 0;
  }
  decimal->digits = digits;
  decimal->exponent = exponent;
  return at;
}

/* Bits of a double above its fraction. */
#define FRACTION_BITS 52
#define BIAS 1023
#define MOST_FIVES 27

/*
 * digits / 10^places, rounded to the nearest double, and of two to the even one, as every parser has it: digits, with 64
 * bits more behind them, divided by 5^places with pencil and paper. For digits of more than 53 bits and up to 27 places.
 */
static double divideByPower(wide digits, int places) {
  wide divisor = 1, high = 0, low = 0, rest = 0;
  for (int n = 0; n < places; n++) divisor *= 5;
  for (int bit = 127; bit >= 0; bit--) {
    rest = 2 * rest + (bit >= 64 ? digits >> (bit - 64) & 1 : 0);
    high = high << 1 | low >> 63;
    low <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      low |= 1;
    }
  }
  /* The first bit comes to the front of 64; what falls off is only known to be there. */
  int bits = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll(low);
  int behind = bits - 64;
  int isInexact = rest != 0;
  wide front;
  if (behind <= 0) front = low << -behind;
  else {
    front = behind == 64 ? high : high << (64 - behind) | low >> behind;
    isInexact |= (behind == 64 ? low : low << (64 - behind)) != 0;
  }
  wide dropped = front & 0x7ff;
  wide fraction = front >> 11;
  if (dropped > 0x400 || (dropped == 0x400 && (isInexact || fraction & 1))) fraction++;
  /* The first bit is not written, but adds one to the exponent; a fraction that was rounded up to the next power, two. */
  wide exponent = bits - 1 - 64 - places + BIAS - 1;
  union { wide bits; double value; } result = {(exponent << FRACTION_BITS) + fraction};
  return result.value;
}

/* Both of digits and power are doubles without rounding, so that their product or quotient is the nearest one. */
static inline const byte *readNumber(const byte *at, const Column *column) {
  Decimal decimal;
  at = readDecimal(at, &decimal);
  if (!at) return NONE;
  int exponent = decimal.exponent;
  double value = decimal.digits;
  if (unlikely(decimal.digits > EXACT_DIGITS)) {
    if (exponent >= 0 || exponent < -MOST_FIVES) return NONE;
    value = divideByPower(decimal.digits, -exponent);
  } else if (exponent < 0) {
    if (exponent < -EXACT_POWER) return NONE;
    value /= POWERS[-exponent];
  } else if (exponent > 0) {
    if (exponent > EXACT_POWER) return NONE;
    value *= POWERS[exponent];
  }
  if (decimal.isNegative) {
    if (decimal.digits == 0) return NONE;
    value = -value;
  }
  ((double *)column->values)[row] = value;
  setValid(column, row);
  return at;
}

static inline const byte *readWhole(const byte *at, const Column *column) {
  Decimal decimal;
  at = readDecimal(at, &decimal);
  if (!at || !decimal.isWhole || decimal.digits >> 63) return NONE;
  ((long long *)column->values)[row] = decimal.isNegative ? -(long long)decimal.digits : (long long)decimal.digits;
  setValid(column, row);
  return at;
}

static inline void writeInline(byte *entry, const byte *text, count bytes) {
  static const byte ones[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  v128_t kept = wasm_v128_and(wasm_v128_load(text), wasm_v128_load(ones + 16 - bytes));
  *(count *)entry = bytes;
  wasm_v128_store64_lane(entry + 4, kept, 0);
  wasm_v128_store32_lane(entry + 12, kept, 2);
}

/* An entry for a text: `pointText` makes an address of where it stands in the heap. */
static inline int writeText(Column *column, count number, const byte *text, count bytes) {
  byte *entry = (byte *)column->values + 16 * number;
  if (bytes <= INLINE_BYTES) {
    writeInline(entry, text, bytes);
    return 1;
  }
  if (unlikely(column->used + bytes + SLACK > column->room)) {
    isFull = 1;
    return 0;
  }
  byte *to = (byte *)column->heap + column->used;
  if (bytes > 128) __builtin_memcpy(to, text, bytes);
  else for (count done = 0; done < bytes; done += 16) wasm_v128_store(to + done, wasm_v128_load(text + done));
  *(count *)entry = bytes;
  *(count *)(entry + 4) = *(const count *)text;
  *(wide *)(entry + 8) = column->used;
  column->used += bytes;
  return 1;
}

/* Behind the opening quote; only ASCII that stands for itself. */
static inline const byte *findQuote(const byte *at) {
  for (;;) {
    v128_t bytes = wasm_v128_load(at);
    v128_t turned = wasm_v128_xor(bytes, wasm_i8x16_const_splat('"' ^ ' '));
    /* With this bit turned a quote is a space, and what is below a space stays there; what is beyond ASCII is below zero. */
    v128_t low = wasm_i8x16_eq(wasm_i8x16_min(turned, wasm_i8x16_const_splat(' ')), turned);
    count found = wasm_i8x16_bitmask(wasm_v128_or(low, wasm_i8x16_eq(bytes, wasm_i8x16_const_splat('\\'))));
    if (likely(found)) {
      at += __builtin_ctz(found);
      return *at == '"' ? at : NONE;
    }
    at += 16;
  }
}

/* A number that is wanted as text: as DuckDB spells it, which writes the shortest digits that give it back, without exponent from 1e-4 to 1e16. */
static const byte *readSpelling(const byte *at, Column *column, count entry) {
  const byte *start = at;
  Decimal decimal;
  at = readDecimal(at, &decimal);
  if (!at || (decimal.isNegative && decimal.digits == 0)) return NONE;
  if (decimal.isWhole) {
    if (decimal.digits >> 63) return NONE;
    return writeText(column, entry, start, at - start) ? at : NONE;
  }
  byte spelled[48];
  wide digits = decimal.digits;
  int exponent = decimal.exponent;
  if (digits == 0) exponent = -1;
  while (digits != 0 && digits % 10 == 0) {
    digits /= 10;
    exponent++;
  }
  int places = 0;
  for (wide left = digits; left != 0; left /= 10) places++;
  /* Digits before the point. */
  int whole = places + exponent;
  if (places > 15 || whole > 16 || whole < -3) return NONE;
  int length = (exponent < 0 ? (whole > 0 ? places + 1 : 2 + places - whole) : whole + 2) + decimal.isNegative;
  byte *to = spelled + length;
  for (int place = exponent < 0 ? exponent : -1; to > spelled + decimal.isNegative; place++) {
    if (place == 0) *--to = '.';
    if (place >= exponent) {
      *--to = '0' + digits % 10;
      digits /= 10;
    } else *--to = '0';
  }
  if (decimal.isNegative) *--to = '-';
  return writeText(column, entry, spelled, length) ? at : NONE;
}

static inline const byte *readText(const byte *at, Column *column, count entry) {
  if (unlikely(*at != '"')) return readSpelling(at, column, entry);
  const byte *end = findQuote(at + 1);
  if (!end || !writeText(column, entry, at + 1, end - at - 1)) return NONE;
  return end + 1;
}

/* Elements of lists are never null. */
static const byte *readElements(const byte *at, Column *list, count entry) {
  if (*at != '[') return NONE;
  Column *child = columns + list->child;
  count first = list->used;
  at = skipBlanks(at + 1);
  if (*at == ']') at++;
  else
    for (;;) {
      if (unlikely(list->used == list->room)) {
        isFull = 1;
        return NONE;
      }
      at = child->type == LIST ? readElements(at, child, list->used) : readText(at, child, list->used);
      if (!at) return NONE;
      list->used++;
      at = skipBlanks(at);
      if (*at == ']') {
        at++;
        break;
      }
      if (*at != ',') return NONE;
      at = skipBlanks(at + 1);
    }
  wide *bounds = (wide *)list->values + 2 * entry;
  bounds[0] = first;
  bounds[1] = list->used - first;
  return at;
}

static const byte *readObject(const byte *at, Object *object);


static inline const byte *readValue(const byte *at, const Member *member) {
  Column *column = columns + member->column;
  switch (member->type) {
  case NUMBER:
    return readNumber(at, column);
  case WHOLE:
    return readWhole(at, column);
  case TEXT:
    at = readText(at, column, row);
    if (likely(at)) setValid(column, row);
    return at;
  case BOOLEAN: {
    int isTrue = *at == 't';
    if (!isWord(at, isTrue ? "true" : "false")) return NONE;
    ((byte *)column->values)[row] = isTrue;
    setValid(column, row);
    return at + (isTrue ? 4 : 5);
  }
  case LIST:
    at = readElements(at, column, row);
    if (likely(at)) setValid(column, row);
    return at;
  case OBJECT:
    return *at == '{' ? readObject(at + 1, objects + member->object) : NONE;
  case ITEM:
    if (*at != '{') return NONE;
    filled = 0;
    hasItems = 1;
    at = readObject(at + 1, objects + member->object);
    return filled > 0 ? at : NONE;
  case ITEMS: {
    if (*at != '[') return NONE;
    count first = row;
    hasItems = 1;
    for (;;) {
      at = skipBlanks(at + 1);
      if (*at != '{') return NONE;
      if (row == CAPACITY) {
        isFull = 1;
        return NONE;
      }
      filled = 0;
      at = readObject(at + 1, objects + member->object);
      if (!at || filled == 0) return NONE;
      row++;
      at = skipBlanks(at);
      if (*at == ']') break;
      if (*at != ',') return NONE;
    }
    rows = row;
    row = first;
    return at + 1;
  }
  }
  return NONE;
}

static inline int isKey(const byte *at, const Member *member) {
  count bytes = member->keyBytes;
  count same = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), wasm_v128_load(member->key)));
  if (bytes <= 16) return (same | -1u << bytes) == -1u;
  count further = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at + 16), wasm_v128_load(member->key + 16)));
  return same == 0xffff && (further | -1u << (bytes - 16)) == -1u;
}

static inline Member *findMember(const byte *at, const Object *object, half *next) {
  Member *expected = members + *next;
  if (likely(isKey(at, expected))) return expected;
  for (count n = object->first; n < object->first + object->members; n++)
    if (isKey(at, members + n)) {
      *next = n;
      return members + n;
    }
  return 0;
}

/* Behind the opening brace. */
static const byte *readObject(const byte *at, Object *object) {
  wide seen = 0;
  half *next = &object->next;
  for (;;) {
    at = skipBlanks(at);
    if (*at != '"') return NONE;
    Member *member = findMember(at + 1, object, next);
    if (!member || seen >> member->bit & 1) return NONE;
    seen |= 1ull << member->bit;
    at = skipBlanks(at + 1 + member->keyBytes);
    if (*at != ':') return NONE;
    at = skipBlanks(at + 1);
    if (unlikely(member->isQuoted) && (at[0] != '"' || at[-1] != ':' || at[-2] != '"')) return NONE;
    if (*at == 'n') {
      if (!isWord(at, "null") || member->type == ITEM || member->type == ITEMS) return NONE;
      at += 4;
    } else {
      at = readValue(at, member);
      if (!at) return NONE;
      filled++;
    }
    if (!object->isItem) outer++;
    at = skipBlanks(at);
    if (*at == '}') return at + 1;
    if (*at++ != ',') return NONE;
    next = &member->next;
  }
}

static const byte *endOfLine(const byte *at) {
  for (;;) {
    count found = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(at), wasm_i8x16_const_splat('\n')));
    if (found) return at + __builtin_ctz(found);
    at += 16;
  }
}

/* What is said of a line, for all rows of it but the first. */
static void repeatForItems(count first) {
  for (count n = 0; n < columnCount; n++) {
    Column *column = columns + n;
    if (!column->isOfLine || !(((byte *)column->validity)[first >> 3] >> (first & 7) & 1)) continue;
    for (count to = first + 1; to < rows; to++) {
      if (column->type == TEXT) wasm_v128_store((byte *)column->values + 16 * to, wasm_v128_load((byte *)column->values + 16 * first));
      else ((wide *)column->values)[to] = ((wide *)column->values)[first];
      setValid(column, to);
    }
  }
}

static void forget(count from, count to) {
  for (count n = 0; n < columnCount; n++) {
    Column *column = columns + n;
    column->used = column->kept;
    if (column->validity)
      for (count entry = from; entry < to && entry < CAPACITY; entry++) ((byte *)column->validity)[entry >> 3] &= ~(1 << (entry & 7));
  }
}

/* The root is the first of the objects. */
static int takeLine(const byte *at, const byte **end) {
  count first = rows;
  row = first;
  outer = filled = hasItems = 0;
  if (*at != '{') return 0;
  at = readObject(at + 1, objects);
  if (!at || *at != '\n' || outer != outerMembers || !hasItems) return 0;
  *end = at;
  /* No list of items: the line is one. */
  if (rows == first) rows++;
  return 1;
}

/* Nothing is there of rows. */
void begin(void) {
  rows = 0;
  for (count n = 0; n < columnCount; n++) {
    Column *column = columns + n;
    column->used = column->kept = 0;
    if (column->validity) __builtin_memset((byte *)column->validity, 0, CAPACITY / 8);
    if (column->validity && (column->type == TEXT || column->type == LIST)) __builtin_memset((byte *)column->values, 0, 16 * CAPACITY);
  }
}

/* Takes back what a line left that has no rows. */
static void takeBack(count first) {
  forget(first, (row > rows ? row : rows) + 1);
  rows = first;
}

/* Numbers of a line's rows, and what else is the line's. */
static int finishLine(const byte *at, const byte *end, count first) {
  if (wantsLine) {
    if (!writeText(columns + 2, first, at, end - at)) return 0;
    setValid(columns + 2, first);
  }
  for (count n = first; n < rows; n++) {
    ((wide *)columns[0].values)[n] = lines + 1;
    ((wide *)columns[1].values)[n] = n - first + 1;
    setValid(columns, n);
    setValid(columns + 1, n);
  }
  if (rows > first + 1) repeatForItems(first);
  for (count n = 0; n < columnCount; n++) columns[n].kept = columns[n].used;
  return 1;
}

/* Makes rows of whole lines as long as there is room, and returns where the first line begins that is not looked at yet. */
count take(count from, count to) {
  const byte *at = (const byte *)from;
  while (at < (const byte *)to && rows < CAPACITY && lines < linesMax) {
    byte *mark = (byte *)left + (lines >> 3);
    byte bit = 1 << (lines & 7);
    count first = rows;
    const byte *end;
    isFull = 0;
    if (*mark & bit) end = endOfLine(at);
    else if (!takeLine(at, &end) || !finishLine(at, end, first)) {
      takeBack(first);
      /* What has no room behind others begins the next rows; what has none by itself is left. */
      if (isFull && first > 0) break;
      *mark |= bit;
      end = endOfLine(at);
    }
    lines++;
    at = end + 1;
  }
  return (count)at;
}

/* How many rows have a value in a column. */
count filledRows(count column) {
  const wide *valid = (const wide *)columns[column].validity;
  count filled = 0;
  for (count n = 0; n < (rows + 63) / 64; n++) filled += __builtin_popcountll(valid[n]);
  return filled;
}

/* Makes addresses of places in a heap, once it is known where DuckDB keeps it. */
void point(count column, count entries, wide base) {
  byte *entry = (byte *)columns[column].values;
  for (count n = 0; n < entries; n++, entry += 16)
    if (*(count *)entry > INLINE_BYTES) *(wide *)(entry + 8) += base;
}
