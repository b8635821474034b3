/* What the clients and the backend of bench/terminator say to each other, so that both can prove what went through.
 *
 * A client asks in nine bytes, a letter and a length, as often as it likes on one connection:
 *   U n  followed by n bytes of the pattern; answered with eight bytes: how many of them were as they should be
 *   D n  answered with n bytes of the pattern
 *   E n  followed by n bytes (at most ECHO_BYTES), answered with the same
 * Numbers are little-endian, as the machine that runs both has them. */
#ifndef WIRE_H
#define WIRE_H
#include <stdint.h>
#include <string.h>

enum { ASK_BYTES = 9, ECHO_BYTES = 64, CHUNK = 65536, PERIOD = 65521 };

/* The pattern repeats after a prime number of bytes, so no record or buffer boundary falls on the same place twice. */
static unsigned char pattern[PERIOD + CHUNK];

static inline void makePattern(void) {
  uint32_t state = 1;
  for (int i = 0; i < PERIOD; i++) pattern[i] = (state = state * 1664525u + 1013904223u) >> 24;
  for (int i = 0; i < CHUNK; i++) pattern[PERIOD + i] = pattern[i];
}

/* At most CHUNK bytes of it, from any position on. */
static inline const unsigned char *patternAt(uint64_t position) { return pattern + position % PERIOD; }

static inline void writeAsk(unsigned char *ask, char letter, uint64_t length) {
  ask[0] = letter;
  memcpy(ask + 1, &length, 8);
}
#endif
