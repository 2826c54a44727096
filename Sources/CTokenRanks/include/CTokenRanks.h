// Rank tables of two encodings and the classes of all code points, read-only in the binary.
//
// NAME.ranks: a count of tokens (4 bytes, little-endian), one byte a token with its length, and the
// tokens' bytes, both in the order of ranks, which count up from nought.
//
// classes.bin: runs of code points of equal class (4 bytes each, little-endian): the first code
// point times 256, plus the class. Bits of a class: 1 Lu and Lt, 2 Ll, 4 Lm and Lo, 8 M, 16 N, 32
// \s, 64 carriage return and line feed.
//
// Tests/TokenizersTests/make_tables.py makes and checks them.

#ifndef CTOKENRANKS_H
#define CTOKENRANKS_H

#include <stddef.h>
#include <stdint.h>

const uint8_t *_Nonnull faregate_ranks_o200k(void);
size_t faregate_ranks_o200k_length(void);

const uint8_t *_Nonnull faregate_ranks_cl100k(void);
size_t faregate_ranks_cl100k_length(void);

const uint8_t *_Nonnull faregate_character_classes(void);
size_t faregate_character_classes_length(void);

#endif
