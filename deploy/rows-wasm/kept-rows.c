/*
 * Rows that are kept until all lines are read, and given out in the order that a file has them in: by name, then by time. A row
 * is a record of so many bytes; in place of a text stands its number among those that repeat, or where it stands behind the records.
 */
#include "columns.h"

/* Texts of a column that are numbered. */
#define TEXTS 8192
#define SLOTS (2 * TEXTS)
/* A column whose texts are so many, and half of its rows, is not one of texts that repeat. */
#define MANY_TEXTS 1024
#define CHUNKS 4096
/* What a text written behind records may take too much. */
#define MARGIN 65536

typedef struct {
  /* Where a record has it, and which bit says that it is there. */
  half at, bit;
  /* Whether it is kept, and is to be given now. */
  byte isKept, isWanted;
  half hasManyTexts;
  /* Of texts: their numbers by hash, which is one more, their entries by number, how many there are, and the last number; in how many rows there is a value. */
  count slots, entries, texts, last, rows;
} Kept;

typedef struct {
  count records, rows;
} Chunk;

Kept kept[COLUMNS];
count recordBytes;
/* Which columns rows are ordered by. */
count nameColumn, timeColumn, seqColumn, connColumn;
/* The places of names in their order, by number. */
count ranks[TEXTS];
/* How many rows have a name, by number. */
count counts[TEXTS];
/* Whether rows are given out in order. */
count isInOrder;
static Chunk chunks[CHUNKS];
count keptRows;
static count chunkCount, end, most;
/* Records in the order in which they are given out. */
static byte **ordered;
static count starts[TEXTS + 1];
/* The last record of each name, while rows are put in order. */
static const byte *lasts[TEXTS];

/* Rows are kept from here on, up to so many bytes. */
void beginKept(count from, count bytes) {
  end = from;
  most = from + bytes;
  chunkCount = keptRows = isInOrder = 0;
  for (count n = 0; n < columnCount; n++) {
    Kept *one = kept + n;
    one->texts = one->rows = one->last = one->hasManyTexts = 0;
    if (one->slots) __builtin_memset((byte *)one->slots, 0, SLOTS * sizeof(half));
  }
}

/* Bits of a record that say what is there begin with one for the number of its line, which says that the row was taken out. */
#define DROPPED 1

static inline int isDropped(const byte *record) { return *record & DROPPED; }

static inline int isThere(const byte *record, const Kept *one) { return record[one->bit >> 3] >> (one->bit & 7) & 1; }

static inline const byte *textOf(const Column *column, const byte *entry, count *bytes) {
  *bytes = *(const count *)entry;
  return *bytes <= INLINE_BYTES ? entry + 4 : (const byte *)column->heap + *(const count *)(entry + 8);
}

/* Of a number it gives the entry's text, which stands where the entry says. */
static inline const byte *keptText(const Kept *one, count value, count *bytes) {
  if (value >= TEXTS) {
    *bytes = *(const count *)value;
    return (const byte *)value + 4;
  }
  const byte *entry = (const byte *)one->entries + 16 * value;
  *bytes = *(const count *)entry;
  return *bytes <= INLINE_BYTES ? entry + 4 : (const byte *)*(const count *)(entry + 8);
}

static inline int isSame(const byte *a, const byte *b, count bytes) {
  count n = 0;
  for (; n + 8 <= bytes; n += 8) if (*(const wide *)(a + n) != *(const wide *)(b + n)) return 0;
  for (; n < bytes; n++) if (a[n] != b[n]) return 0;
  return 1;
}

static inline count hashOf(const byte *text, count bytes) {
  wide hash = bytes * 0x9e3779b97f4a7c15ull;
  count n = 0;
  for (; n + 8 <= bytes; n += 8) {
    hash = (hash ^ *(const wide *)(text + n)) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 29;
  }
  wide rest = 0;
  for (; n < bytes; n++) rest = rest << 8 | text[n];
  hash = (hash ^ rest) * 0xff51afd7ed558ccdull;
  return hash >> 32;
}

static count keepText(const byte *text, count bytes) {
  byte *to = (byte *)end;
  *(count *)to = bytes;
  copyText(to + 4, text, bytes);
  end += 4 + bytes;
  return (count)to;
}

static inline int isText(const Kept *one, count number, const byte *text, count bytes) {
  const byte *entry = (const byte *)one->entries + 16 * number;
  if (*(const count *)entry != bytes) return 0;
  return isSame(bytes <= INLINE_BYTES ? entry + 4 : (const byte *)*(const count *)(entry + 8), text, bytes);
}

/* The number of a text, or where it is kept. */
static inline count keptAs(Kept *one, const byte *text, count bytes) {
  if (unlikely(one->hasManyTexts)) return keepText(text, bytes);
  if (one->texts > 0 && isText(one, one->last, text, bytes)) return one->last;
  half *slots = (half *)one->slots;
  for (count at = hashOf(text, bytes) & (SLOTS - 1);; at = (at + 1) & (SLOTS - 1)) {
    count number = slots[at];
    if (number == 0) {
      if (one->texts == TEXTS || (one->texts >= MANY_TEXTS && 2 * one->texts > one->rows)) {
        one->hasManyTexts = 1;
        return keepText(text, bytes);
      }
      byte *entry = (byte *)one->entries + 16 * one->texts;
      if (bytes <= INLINE_BYTES) writeInline(entry, text, bytes);
      else {
        *(count *)entry = bytes;
        *(count *)(entry + 8) = keepText(text, bytes) + 4;
      }
      slots[at] = ++one->texts;
      return one->last = one->texts - 1;
    }
    if (isText(one, number - 1, text, bytes)) return one->last = number - 1;
  }
}

/* No more than this is taken by the rows there are. */
static count bytesAtMost(void) {
  count bytes = rows * recordBytes + MARGIN;
  for (count n = 0; n < columnCount; n++) {
    const Column *column = columns + n;
    if (!kept[n].isKept) continue;
    if (column->type == TEXT) bytes += column->used + rows * (4 + INLINE_BYTES);
  }
  return bytes;
}

/* Keeps the rows there are; 0 where they have no room. */
int keep(void) {
  count bytes = bytesAtMost();
  if (chunkCount == CHUNKS || end + bytes > most) return 0;
  byte *records = (byte *)end;
  chunks[chunkCount++] = (Chunk){end, rows};
  __builtin_memset(records, 0, rows * recordBytes);
  end += rows * recordBytes;
  keptRows += rows;
  for (count c = 0; c < columnCount; c++) {
    Kept *one = kept + c;
    Column *column = columns + c;
    if (!one->isKept || c == 0) continue;
    const byte *valid = (const byte *)column->validity;
    byte *record = records;
    count sign = one->bit >> 3, bit = 1 << (one->bit & 7);
    for (count n = 0; n < rows; n++, record += recordBytes) {
      if (!(valid[n >> 3] >> (n & 7) & 1)) continue;
      record[sign] |= bit;
      one->rows++;
      byte *to = record + one->at;
      switch (column->type) {
      case TEXT: {
        count length;
        const byte *text = textOf(column, (const byte *)column->values + 16 * n, &length);
        *(count *)to = keptAs(one, text, length);
        break;
      }
      case BOOLEAN:
        *to = ((const byte *)column->values)[n];
        break;
      default:
        *(wide *)to = ((const wide *)column->values)[n];
      }
    }
  }
  return 1;
}

#define VALUE(type, record, number) (*(const type *)((record) + kept[number].at))

static int compareTexts(const Kept *one, count a, count b) {
  if (a == b) return 0;
  count ours, theirs;
  const byte *text = keptText(one, a, &ours), *other = keptText(one, b, &theirs);
  for (count n = 0; n < ours && n < theirs; n++) if (text[n] != other[n]) return text[n] < other[n] ? -1 : 1;
  return ours < theirs ? -1 : ours > theirs;
}

/* Of two rows of one name. */
static int isBefore(const byte *a, const byte *b) {
  double time = VALUE(double, a, timeColumn), other = VALUE(double, b, timeColumn);
  if (time != other) return time < other;
  long long seq = VALUE(long long, a, seqColumn), otherSeq = VALUE(long long, b, seqColumn);
  if (seq != otherSeq) return seq < otherSeq;
  return compareTexts(kept + connColumn, VALUE(count, a, connColumn), VALUE(count, b, connColumn)) < 0;
}

/* Each column that rows are ordered by is there, and the time is one of whole milliseconds, as it is in the file. */
static int hasOrder(const byte *record) {
  count by[] = {nameColumn, timeColumn, seqColumn, connColumn};
  for (count n = 0; n < 4; n++) if (!isThere(record, kept + by[n])) return 0;
  double time = VALUE(double, record, timeColumn);
  return time == __builtin_trunc(time);
}

/* Rows as they came are nearly in order within a name: each goes before those that it is before. */
static int orderWithinNames(void) {
  wide steps = 0, mostSteps = 16ull * keptRows;
  for (count n = 1; n < keptRows; n++) {
    byte *record = ordered[n];
    count to = n, name = VALUE(count, record, nameColumn);
    for (; to > 0 && VALUE(count, ordered[to - 1], nameColumn) == name && isBefore(record, ordered[to - 1]); to--)
      ordered[to] = ordered[to - 1];
    ordered[to] = record;
    steps += n - to;
    if (steps > mostSteps) return 0;
  }
  return 1;
}

/* Makes an order of all rows, once the ranks of names are known; as they came where there is none. 0 where it has no room. */
int arrange(void) {
  ordered = (byte **)((end + 15) & ~15);
  end = (count)(ordered + keptRows);
  if (end > most) return 0;
  isInOrder = !kept[nameColumn].hasManyTexts;
  count to = 0;
  __builtin_memset(starts, 0, sizeof starts);
  __builtin_memset(counts, 0, sizeof counts);
  for (count c = 0; c < chunkCount; c++)
    for (count n = 0; n < chunks[c].rows; n++) {
      byte *record = (byte *)chunks[c].records + n * recordBytes;
      ordered[to++] = record;
      if (!isInOrder) continue;
      isInOrder = hasOrder(record);
      if (isInOrder) counts[VALUE(count, record, nameColumn)]++;
    }
  if (!isInOrder) return 1;
  for (count n = 0; n < kept[nameColumn].texts; n++) starts[ranks[n] + 1] = counts[n];
  for (count n = 0; n < TEXTS; n++) starts[n + 1] += starts[n];
  int isAsCame = 1;
  __builtin_memset(lasts, 0, sizeof lasts);
  for (count c = 0; c < chunkCount; c++)
    for (count n = 0; n < chunks[c].rows; n++) {
      byte *record = (byte *)chunks[c].records + n * recordBytes;
      count rank = ranks[VALUE(count, record, nameColumn)];
      ordered[starts[rank]++] = record;
      if (lasts[rank] && isBefore(record, lasts[rank])) isAsCame = 0;
      lasts[rank] = record;
    }
  /* Mostly rows of a name come in their order. */
  if (!isAsCame) isInOrder = orderWithinNames();
  return 1;
}

/* Texts that have room; how many rows that is. */
static count giveTexts(Column *column, const Kept *one, byte *const *records, count limit) {
  count before = -1u, at = one->at, same = 0;
  for (count n = 0; n < limit; n++) {
    const byte *record = records[n];
    if (!isThere(record, one)) {
      wasm_v128_store((byte *)column->values + 16 * n, wasm_i64x2_const_splat(0));
      continue;
    }
    count value = *(const count *)(record + at);
    if (value == before)
      wasm_v128_store((byte *)column->values + 16 * n, wasm_v128_load((byte *)column->values + 16 * same));
    else {
      count bytes;
      const byte *text = keptText(one, value, &bytes);
      if (!writeText(column, n, text, bytes)) return n;
      before = value;
      same = n;
    }
    setValid(column, n);
  }
  return limit;
}

/* In place of the number of its line a row is given where its record is: that is another for each. */
static void givePlaces(Column *column, byte *const *records, count limit) {
  for (count n = 0; n < limit; n++) {
    ((wide *)column->values)[n] = (count)records[n];
    setValid(column, n);
  }
}

static void giveValues(Column *column, const Kept *one, byte *const *records, count limit) {
  count at = one->at;
  for (count n = 0; n < limit; n++) {
    const byte *record = records[n];
    if (!isThere(record, one)) continue;
    setValid(column, n);
    if (column->type == BOOLEAN) ((byte *)column->values)[n] = record[at];
    else ((wide *)column->values)[n] = *(const wide *)(record + at);
  }
}

/* Reads a little of each record, which lie far from each other: many at a time are on their way from memory then. */
static count touch(byte *const *records, count limit) {
  count sum = 0;
  for (count n = 0; n < limit; n++)
    for (count at = 0; at < recordBytes; at += 64) sum += records[n][at];
  return sum;
}

static count touched;

static count giveRecords(byte *const *records, count limit) {
  count wanted = 0;
  for (count n = 0; n < columnCount; n++) {
    if (!kept[n].isWanted) continue;
    wanted++;
    columns[n].used = 0;
    __builtin_memset((byte *)columns[n].validity, 0, CAPACITY / 8);
  }
  if (wanted > 2) touched += touch(records, limit);
  for (count n = 0; n < columnCount; n++)
    if (kept[n].isWanted && columns[n].type == TEXT) limit = giveTexts(columns + n, kept + n, records, limit);
  for (count n = 0; n < columnCount; n++) {
    if (!kept[n].isWanted) continue;
    if (n == 0) givePlaces(columns, records, limit);
    else if (columns[n].type != TEXT) giveValues(columns + n, kept + n, records, limit);
    /* What had room where another column had none. */
    for (count entry = limit; entry < CAPACITY && entry < limit + 64; entry++)
      ((byte *)columns[n].validity)[entry >> 3] &= ~(1 << (entry & 7));
  }
  return rows = limit;
}

/* Rows from one on up to another, as many as there is room for. Returns the number of the next one. */
count give(count from, count to) { return from + giveRecords(ordered + from, to - from < CAPACITY ? to - from : CAPACITY); }

/* Rows that came together, in no order, from a chunk on: they stand beside each other in memory. Returns the number of the next chunk. */
count giveAsCame(count chunk) {
  static byte *records[CAPACITY];
  count present = 0;
  for (; chunk < chunkCount && present == 0; chunk++)
    for (count n = 0; n < chunks[chunk].rows; n++) {
      byte *record = (byte *)chunks[chunk].records + n * recordBytes;
      if (!isDropped(record)) records[present++] = record;
    }
  giveRecords(records, present);
  return chunk;
}

/* Takes a row out, by its place; `dropped` is called once all of them are. */
void drop(byte *record) { *record |= DROPPED; }

void dropped(void) {
  count present = 0;
  for (count n = 0; n < keptRows; n++)
    if (isDropped(ordered[n])) counts[VALUE(count, ordered[n], nameColumn)]--;
    else ordered[present++] = ordered[n];
  keptRows = present;
}
