/* Rows in columns as DuckDB has them, 2,048 at a time: what reads lines and what keeps rows have in common. */
#include <wasm_simd128.h>

typedef unsigned char byte;
typedef unsigned short half;
typedef unsigned int count;
typedef unsigned long long wide;

#define CAPACITY 2048
#define COLUMNS 160
/* Texts up to so many bytes stand in the entry itself, as in DuckDB. */
#define INLINE_BYTES 12
/* A copy may write so much more than was asked for. */
#define SLACK 16

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* UNREAD may only be null. ITEM is the object that a row is made of, ITEMS a list of such. */
enum Type { NUMBER, WHOLE, TEXT, BOOLEAN, UNREAD, OBJECT, ITEM, ITEMS, LIST };

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

extern Column columns[COLUMNS];
/* How many there are; the first are the number of the line, the number of the row in it, and the line. */
extern count columnCount;
/* Of the rows there are. */
extern count rows;
/* A text or list had no room. */
extern int isFull;

static inline void setValid(const Column *column, count entry) {
  ((byte *)column->validity)[entry >> 3] |= 1 << (entry & 7);
}

static inline void writeInline(byte *entry, const byte *text, count bytes) {
  static const byte ones[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  v128_t kept = wasm_v128_and(wasm_v128_load(text), wasm_v128_load(ones + 16 - bytes));
  *(count *)entry = bytes;
  wasm_v128_store64_lane(entry + 4, kept, 0);
  wasm_v128_store32_lane(entry + 12, kept, 2);
}

/* Up to `SLACK` bytes more than there are. */
static inline void copyText(byte *to, const byte *text, count bytes) {
  if (bytes > 128) __builtin_memcpy(to, text, bytes);
  else for (count done = 0; done < bytes; done += 16) wasm_v128_store(to + done, wasm_v128_load(text + done));
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
  copyText(to, text, bytes);
  *(count *)entry = bytes;
  *(count *)(entry + 4) = *(const count *)text;
  *(wide *)(entry + 8) = column->used;
  column->used += bytes;
  return 1;
}
