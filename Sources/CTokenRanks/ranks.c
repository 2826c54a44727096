#include "CTokenRanks.h"

// `#embed` is of C23; clang takes it in every mode and warns.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t o200k[] = {
#embed "o200k_base.ranks"
};

static const uint8_t cl100k[] = {
#embed "cl100k_base.ranks"
};

static const uint8_t classes[] = {
#embed "classes.bin"
};

#pragma clang diagnostic pop

const uint8_t *_Nonnull faregate_ranks_o200k(void) { return o200k; }
size_t faregate_ranks_o200k_length(void) { return sizeof o200k; }

const uint8_t *_Nonnull faregate_ranks_cl100k(void) { return cl100k; }
size_t faregate_ranks_cl100k_length(void) { return sizeof cl100k; }

const uint8_t *_Nonnull faregate_character_classes(void) { return classes; }
size_t faregate_character_classes_length(void) { return sizeof classes; }
